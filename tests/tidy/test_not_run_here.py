"""A run of the whole suite says which checks are not in it, and counts none of them."""

import pytest

from tests.plugins.not_run_here import NOT_RUN
from tests.tidy.sources import ROOT

pytest_plugins = ["pytester"]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\ntestpaths = .")
    pytester.makepyfile("def test_passes(): ...")
    return pytester


def _run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    quiet = ("-p", "no:asyncio", "-q")
    return project.runpytest("-p", "tests.plugins.not_run_here", *quiet, *arguments)


def test_a_run_of_everything_names_what_is_not_in_it(project: pytest.Pytester) -> None:
    result = _run(project)
    result.assert_outcomes(passed=1)
    assert NOT_RUN in result.stdout.str()


def test_a_run_of_one_file_does_not(project: pytest.Pytester) -> None:
    (path,) = project.path.glob("test_*.py")
    assert NOT_RUN not in _run(project, str(path)).stdout.str()


def test_what_it_names_exists() -> None:
    assert (ROOT / "tests/extra/package.json").exists()
    assert "\ncheck-extra:" in (ROOT / "Makefile").read_text()
