#!/bin/sh
# Fills .venv from requirements/<name>.txt: `sh requirements/install.sh run|dev [python]`.
#
# Only files whose hash stands in the lock are installed, and only wheels: building one would fetch
# build tools that no lock names. What .venv holds is remembered as a copy of the lock, so a lock
# that was merely touched costs nothing; a changed one makes a new environment, because pip would
# leave behind what the new lock no longer asks for.
set -eu

cd -- "$(dirname -- "$0")/.."
name=$1
wanted=${2:-}
venv=.venv

holds() {
    cmp -s "requirements/$1.txt" "$venv/$1.lock" && "$venv/bin/python" -c 'import msgspec' 2>/dev/null
}

describe() {
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "not found"
    elif ! version=$("$1" -c 'import platform; print(platform.python_version())' 2>/dev/null); then
        echo "$(command -v "$1") does not start"
    elif ! suits "$1" version; then
        echo "$version at $(command -v "$1"): too old"
    else
        echo "$version at $(command -v "$1"): without venv (Debian, Ubuntu: apt install python3-venv)"
    fi
}

suits() {
    case $2 in
        version) "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 ;;
        all) suits "$1" version && "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 ;;
    esac
}

choose_python() {
    candidates=${wanted:-python3 python3.13 python3.12 python3.11}
    for candidate in $candidates; do
        if suits "$candidate" all; then
            echo "$candidate"
            return
        fi
    done
    echo "Fernamt needs Python 3.11 or later. Looked for:" >&2
    for candidate in $candidates; do
        echo "  $candidate: $(describe "$candidate")" >&2
    done
    echo "Another one can be named: make ... PYTHON3=/path/to/python3" >&2
    exit 1
}

install_packages() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: -r "requirements/$1.txt"
}

# The checkout itself: a path file, relative so that the directory may be moved, and the command.
link_checkout() {
    "$venv/bin/python" - <<'EOF'
import os
import pathlib
import sysconfig

packages = pathlib.Path(sysconfig.get_path("purelib"))
(packages / "fernamt.pth").write_text(os.path.relpath(os.getcwd(), packages) + "\n")
EOF
    cat >"$venv/bin/fernamt" <<'EOF'
#!/bin/sh
# -P: a directory called services or shared where somebody happens to stand is not ours.
exec "$(dirname -- "$(readlink -f -- "$0")")/python" -P -c \
    'import sys; from services.cli.main import app; sys.argv[0] = "fernamt"; app()' "$@"
EOF
    chmod +x "$venv/bin/fernamt"
}

if holds "$name"; then
    touch "$venv/$name.lock"
    exit 0
fi

if holds run && [ "$name" = dev ]; then
    echo "Adding the development tools to $venv ..."
else
    [ ! -e "$venv/dev.lock" ] || name=dev
    python=$(choose_python)
    echo "Making $venv with $("$python" --version) ..."
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
install_packages "$name"
link_checkout
cp requirements/run.txt "$venv/run.lock"
[ "$name" = run ] || cp requirements/dev.txt "$venv/dev.lock"
