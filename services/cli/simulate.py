"""``fernamt simulate``: what other policies would have decided for a stretch of the log."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from services.cli.opening import archive_at, failing_in_words, workspaces_in
from services.cli.options import DEFAULT_DATA, DataDir, LogFile, StoreUrl
from services.cli.simulation_shown import shown
from shared.audit.changes import Change, read_changes
from shared.audit.history import History
from shared.audit.simulating import Simulation, simulate
from shared.audit.stored import Beyond
from shared.wire.audit import Moment

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
    workspace: Annotated[str, typer.Option("--workspace", help="Whose log.")],
    since: Annotated[
        str, typer.Option("--from", help="Position or ISO 8601 time; the beginning if not given.")
    ] = "0",
    until: Annotated[
        str, typer.Option("--to", help="Position or ISO 8601 time; the end if not given.")
    ] = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    file: LogFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> None:
    """Report what other policies would have decided. Reads only; changes and proposes nothing.

    Exit code 0 if there is a report, 2 if not; 1 if the log is damaged.
    """
    with failing_in_words():
        wanted = read_changes(sys.stdin.buffer.read() if changes == _STDIN else _read(changes))
        stretch = moment(since), moment(until)
        report = asyncio.run(_simulate(store, data, file, workspace, stretch, wanted))
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    console = Console(highlight=False)
    for part in shown(report):
        console.print(part)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from error


def moment(text: str) -> Moment:
    """A position, or a time in ISO 8601, in UTC if it names no zone; empty is now.

    Raises ``ValueError``.
    """
    if not text:
        return Moment()
    if text.isascii() and text.isdecimal():
        return Moment(position=int(text))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text}: a position or a time such as 2026-03-02T14:03 is expected"
        ) from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    since_epoch = at - datetime(1970, 1, 1, tzinfo=UTC)
    return Moment(at=max(since_epoch // timedelta(milliseconds=1), 0))


async def _simulate(
    store: str,
    data: Path,
    file: Path | None,
    workspace: str,
    stretch: tuple[Moment, Moment],
    changes: tuple[Change, ...],
) -> Simulation:
    async with archive_at(store, data, "fernamt simulate", file=file) as archive:
        (workspace_id,) = await workspaces_in(archive, workspace)
        with _bar() as bar:
            task = bar.add_task("simulating", total=None)
            try:
                return await simulate(
                    History(archive, workspace_id),
                    *stretch,
                    changes,
                    progress=lambda done, total: bar.update(task, advance=done, total=total),
                )
            except Beyond as error:
                raise ValueError(str(error)) from error


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        yield bar
