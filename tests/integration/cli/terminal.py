"""The command line in this process: starting one of its own takes half a second each time."""

import json
from typing import Any, NamedTuple

from typer.testing import CliRunner

from services.cli.main import VERBS, command_line

SURROUNDINGS = {
    "COLUMNS": "80",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "FERNAMT_DATA": "",
    "FERNAMT_STORE_URL": "",
    "FERNAMT_NATS_URL": "nats://127.0.0.1:1",
    "FERNAMT_WORKSPACE": "",
}
"""Of a terminal of 80 columns. The address is one that nobody listens on: a verb that asked for
a broker by itself would fail."""


_APP = command_line(VERBS)


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as a reply of the wire."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """All of it in one line, so that it does not matter where lines were broken."""
        return " ".join(self.out.split())


def fernamt(*arguments: str, **environment: str) -> Said:
    """Run a verb to its end."""
    done = CliRunner().invoke(_APP, arguments, env={**SURROUNDINGS, **environment})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)
