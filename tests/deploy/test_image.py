"""The image: what its linter says, what it is made of, and as whom it runs.

That it can be built, nothing here shows: that takes a container engine. See deploy/README.md.
"""

import subprocess
import sysconfig
import tomllib
from pathlib import Path

from tests.deploy.image import DOCKERFILE, image, instructions, known_variables
from tests.tidy.sources import ROOT
from tests.tidy.test_packaging import PACKAGED

HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"


def _lint(dockerfile: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HADOLINT, "--no-color", dockerfile],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_hadolint_has_nothing_to_say() -> None:
    assert (_lint(DOCKERFILE).returncode, _lint(DOCKERFILE).stdout) == (0, "")


def test_hadolint_would_say_something(tmp_path: Path) -> None:
    spoilt = tmp_path / "Dockerfile"
    spoilt.write_text(
        DOCKERFILE.read_text(encoding="utf-8").replace("USER 10001:10001", "USER root")
    )
    said = _lint(spoilt)
    assert said.returncode == 1
    assert "DL3002" in said.stdout


def test_it_starts_the_command_as_a_user_with_a_number_and_without_a_shell() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert image().entrypoint[0] in project["project"]["scripts"]
    user, group = map(int, image().user.split(":"))
    assert user > 0
    assert group > 0


def test_its_settings_are_read_by_the_code() -> None:
    ours = {name for name in image().environment if name.startswith("FERNAMT_")}
    assert ours
    assert ours <= known_variables()


def test_everything_in_the_wheel_gets_into_the_build_and_little_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    first, *rules = [line for line in lines if not line.startswith("#")]
    assert first == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = {"pyproject.toml", project["readme"], *project["license-files"]}
    assert let_in == {"requirements/*.txt", *files, *(room.rstrip("/") for room in PACKAGED)}
    assert all((ROOT / file).is_file() for file in files)


def test_packages_come_with_hashes_and_as_wheels() -> None:
    fetching = [step for step in _steps() if " install " in step and "--no-index" not in step]
    assert len(fetching) == 2
    assert all(" --require-hashes --only-binary :all: -r " in step for step in fetching)


def test_the_build_backend_is_taken_from_the_lock_by_itself() -> None:
    """The very `sed` of the Dockerfile, so that a lock of another shape is noticed."""
    (cutting,) = (step for step in _steps() if step.startswith("sed "))
    command, _, target = cutting.partition(" > ")
    assert any(step.endswith(f"-r {target}") for step in _steps())
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pin, *rest = done.stdout.splitlines()
    assert pin.startswith("setuptools==")
    assert [line for line in rest if "==" in line] == []
    assert sum("--hash=sha256:" in line for line in rest) >= 2


def _steps() -> list[str]:
    """What the build runs, one command after the other."""
    return [
        step.strip()
        for instruction in instructions(DOCKERFILE.read_text(encoding="utf-8"))
        if instruction.name == "RUN"
        for step in instruction.text.split("&&")
    ]
