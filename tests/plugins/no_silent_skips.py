"""A pytest plugin that turns every skip into a failure where ``CI`` is set.

A test that skips because a tool is missing tells a person at a desk what to install. In CI it would
tell nobody anything: the run would be green and the thing unproved.
"""

import os
from collections.abc import Generator

import pytest

_NOT_RUN = "[NOTRUN]"  # how pytest marks an expected failure that was not even tried


def _why_skipped(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """Say why nothing was run, or ``None`` if something was.

    An expected failure that ran is no skip, though pytest files it under the same outcome.
    """
    if not report.skipped:
        return None
    expected_failure = getattr(report, "wasxfail", None)
    if expected_failure is not None:
        return expected_failure if expected_failure.startswith(_NOT_RUN) else None
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        return f"{reason} ({path}:{line})"
    return str(report.longrepr)


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    why = _why_skipped(report) if os.environ.get("CI") else None
    if why is not None:
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be: {why}"
        vars(report).pop("wasxfail", None)  # it would make pytest count this as an xfail


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
