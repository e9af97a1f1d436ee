"""Proves the README in a fresh clone: ``make demo`` and ``make test`` with an empty environment.

``make fresh`` runs it. As root it does so twice, as root and as nobody (uid 65534). The clone lies
in a folder with a space in its name. Afterwards no account may be new, and nothing above the clone
and its home may have changed owner or permissions. What is cloned is HEAD, as it is committed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.machine import ACCOUNTS, SYSTEM, Listing, above, differences, listing

ROOT = Path(__file__).resolve().parents[1]
PATH = "/usr/local/bin:/usr/bin:/bin"
TARGET_MAX_S = 1_800
NOBODY = 65534


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("targets", nargs="*", default=["demo", "test"], help="default: demo test")
    targets = parser.parse_args().targets
    users = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]
    complaints = [complaint for user in users for complaint in _prove(user, targets)]
    for complaint in complaints:
        _say(f"FAILED {complaint}")
    _say(f"{len(complaints)} complaints" if complaints else "all well, and nothing outside changed")
    return 1 if complaints else 0


def _prove(user: int, targets: Sequence[str]) -> list[str]:
    """Clone, run and compare as one user; the result is what went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="fernamt-fresh-"))
    clone, home = folder / "a clone", folder / "home"
    try:
        _clone(clone)
        home.mkdir()
        folder.chmod(0o755)
        if user != os.geteuid():
            _give(folder, user)
        before = _look(clone, home)
        failed = [target for target in targets if not _run(target, clone, home, user)]
        changed = differences(before, _look(clone, home))
    finally:
        shutil.rmtree(folder)
    return [f"make {target} as uid {user}" for target in failed] + changed


def _clone(clone: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)


def _give(folder: Path, user: int) -> None:
    for place, _, names in os.walk(folder):
        for path in (place, *(os.path.join(place, name) for name in names)):  # noqa: PTH118 - as walk gives it
            os.chown(path, user, user, follow_symlinks=False)


def _look(clone: Path, home: Path) -> Listing:
    """Others may be at work in the folders for temporary files, so there only rights count."""
    busy = {*above(clone, home), Path(tempfile.gettempdir()).resolve()} - {*SYSTEM}
    return listing((*ACCOUNTS, *SYSTEM, Path.home()), sorted(busy))


def _run(target: str, clone: Path, home: Path, user: int) -> bool:
    _say(f"make {target}, uid {user}, with nothing but PATH and HOME in the environment")
    other = user != os.geteuid()
    started = time.monotonic()
    done = subprocess.run(
        ["make", target],
        cwd=clone,
        env={"PATH": PATH, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        user=user if other else None,
        group=user if other else None,
        extra_groups=[] if other else None,
        timeout=TARGET_MAX_S,
        check=False,
    )
    _say(f"make {target}, uid {user}: exit {done.returncode}, {time.monotonic() - started:.0f} s")
    return done.returncode == 0


def _say(line: str) -> None:
    sys.stdout.write(f"== {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
