"""The project installs as an ordinary wheel, with everything that it needs at run time inside."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, committed_files

PACKAGED = ("schemas/", "services/", "shared/")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from a copy, because the build backend writes beside the sources."""
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools 77 or later is needed: run the tests with `make test`")
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    for path in committed_files():
        if path.startswith(PACKAGED) or "/" not in path:
            (sources / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, sources / path)
    _build(sources, folder)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def _build(sources: Path, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run(
        [*pip, *offline, "--wheel-dir", str(folder), str(sources)],
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )


def test_everything_that_runs_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    expected = {path for path in committed_files() if path.startswith(PACKAGED)}
    assert expected - set(wheel.namelist()) == set()


def test_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    strange = [name for name in wheel.namelist() if not name.startswith((*PACKAGED, "fernamt-0"))]
    assert strange == []


def test_the_wheel_brings_the_command_and_the_license(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    entry_points = wheel.read(f"{info}/entry_points.txt").decode()
    assert "fernamt = services.cli.main:app" in entry_points
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
