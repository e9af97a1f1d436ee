"""A pytest plugin that names, after a run of everything, the checks that are none of pytest's.

Whoever reads "all passed" should see what that does not speak of.
"""

import pytest

NOT_RUN = (
    "not run here: tests/extra, what takes tools that are not Python's; `make check-extra` does"
)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say so where the whole suite was asked for, not a path."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        terminalreporter.write_line(NOT_RUN, yellow=True)
