"""With ``CI`` set a skipped test fails the run; at a desk it only says why."""

import pytest

pytest_plugins = ["pytester"]

SKIPPED_TEST = """
    import pytest

    def test_needs_a_tool():
        pytest.skip("no such tool")
"""
SKIPPED_MARK = """
    import pytest

    @pytest.mark.skipif(True, reason="no such tool")
    def test_needs_a_tool(): ...
"""
SKIPPED_FIXTURE = """
    import pytest

    @pytest.fixture
    def tool():
        pytest.skip("no such tool")

    def test_needs_a_tool(tool): ...
"""
SKIPPED_MODULE = """
    import pytest

    pytest.skip("no such tool", allow_module_level=True)
"""
UNTRIED = """
    import pytest

    @pytest.mark.xfail(run=False, reason="no such tool")
    def test_needs_a_tool(): ...
"""
EXPECTED_FAILURE = """
    import pytest

    @pytest.mark.xfail(reason="known")
    def test_known(): assert False
"""


def _run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    pytester.makepyfile(source)
    return pytester.runpytest("-p", "tests.plugins.no_silent_skips", "-p", "no:asyncio")


@pytest.mark.parametrize(
    "source",
    [SKIPPED_TEST, SKIPPED_MARK, SKIPPED_FIXTURE, SKIPPED_MODULE, UNTRIED],
    ids=["called", "marked", "fixture", "module", "untried"],
)
def test_a_skip_fails_the_run_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("CI", "true")
    result = _run(pytester, source)
    assert result.ret in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}
    result.stdout.fnmatch_lines(["*skipped, and in CI nothing may be: *no such tool*"])


@pytest.mark.parametrize(
    "source", [SKIPPED_TEST, SKIPPED_MARK, SKIPPED_FIXTURE], ids=["called", "marked", "fixture"]
)
def test_a_skip_is_a_skip_at_a_desk(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.delenv("CI", raising=False)
    _run(pytester, source).assert_outcomes(skipped=1)


def test_an_expected_failure_that_ran_is_no_skip(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    _run(pytester, EXPECTED_FAILURE).assert_outcomes(xfailed=1)
