"""``fernamt simulate``: what other policies would have decided for a stretch of the log."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from services.cli.moments import Clock
from services.cli.opening import failing_in_words
from services.cli.options import DEFAULT_DATA, DataDir, LogFile, StoreUrl
from services.cli.past import Broker, Past, Where, WorkspaceName, Zone, as_fields, asked
from services.cli.simulation_shown import shown
from shared.audit.changes import as_read, read_changes
from shared.audit.simulating import Simulation

_STDIN = Path("-")


def simulate_policies(
    changes: Annotated[
        Path,
        typer.Argument(
            metavar="POLICY.json",
            help='What set_policy takes: {"scope": {"workspace": true}, "policy": {...}}; or a '
            'list of such, in which {"update_operator": ...}, {"join_group": ...} and '
            '{"leave_group": ...} may stand as well. - is standard input.',
        ),
    ],
    since: Annotated[str, typer.Option("--from", help="From this time on, or @POSITION.")] = "",
    until: Annotated[str, typer.Option("--to", help="Up to this time, or @POSITION.")] = "",
    workspace: WorkspaceName = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    log: LogFile = None,
    nats: Broker = "",
    zone: Zone = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> None:
    """Report what other policies would have decided. Reads only; changes and proposes nothing.

    Exit code 0 if there is a report, 2 if not; 1 if the log is damaged.
    """
    with failing_in_words():
        wanted = read_changes(sys.stdin.buffer.read() if changes == _STDIN else _read(changes))

    async def ask(past: Past) -> tuple[Simulation, Clock]:
        begin = await past.moment(None, since, early=True)
        end = await past.moment(None, until, early=True)
        fields = {
            "changes": [as_read(change) for change in wanted],
            "from": as_fields(begin) if since else {"position": 0},
            "to": as_fields(end),
        }
        report = await past.job("simulate", fields, Simulation, "simulating")
        return report, await past.clock()

    report, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    console = Console(highlight=False)
    for part in shown(report, clock):
        console.print(part)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from error
