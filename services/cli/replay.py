"""``fernamt replay``: read a log again, make every decision once more, and compare."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.options import DEFAULT_DATA, DataDir, StoreUrl, fail, store_url
from shared.adapters.migrations import MigrationError
from shared.adapters.open_store import open_log
from shared.audit.replaying import LogReader, Reread, reread
from shared.ports import LogCorrupt, StoreError
from shared.routing.ids import Position, WorkspaceId
from shared.routing.replay import Divergence

DIVERGED = 1
FOLDED_ONLY = 3


def replay(
    workspace: Annotated[
        str, typer.Option("--workspace", help="Only this workspace; all if not given.")
    ] = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    until: Annotated[
        int | None, typer.Option("--until", min=1, help="Last position to read.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each workspace.")
    ] = False,
) -> None:
    """Replay the log and re-make every decision. Reads only, and needs no broker.

    Exit code 0: identical. 1: a decision differs, or the log is damaged. 3: some decisions were
    made by another revision of the rules; they were applied, not made again.
    """
    upto = Position(until) if until is not None else None
    try:
        results = asyncio.run(_replay(store_url(store, data), workspace, upto, as_json))
    except LogCorrupt as error:
        typer.echo(f"fernamt: the log is damaged: {error}", err=True)
        raise typer.Exit(DIVERGED) from error
    except MigrationError as error:
        raise fail(f"{error}: fernamt migrate") from error
    except (StoreError, ValueError, OSError) as error:
        raise fail(str(error)) from error
    if any(result.divergence for result in results):
        raise typer.Exit(DIVERGED)
    if any(result.folded_only for result in results):
        raise typer.Exit(FOLDED_ONLY)


async def _replay(url: str, workspace: str, until: Position | None, as_json: bool) -> list[Reread]:
    log = await open_log(url, name="fernamt replay")
    try:
        known = await log.workspaces()
        wanted = [WorkspaceId(workspace)] if workspace else known
        if not set(wanted) <= set(known):
            there_are = ", ".join(known) or "none"
            raise ValueError(f"there is no workspace {workspace}; there are: {there_are}")
        results = [await _one(log, its_id, until, as_json) for its_id in wanted]
    finally:
        await log.close()
    if not results and not as_json:
        typer.echo("the log holds no workspaces")
    if len(results) > 1 and not as_json:
        typer.echo(f"all {len(results)} workspaces together:")
        typer.echo(_verdict(results))
    return results


async def _one(
    log: LogReader, workspace_id: WorkspaceId, until: Position | None, as_json: bool
) -> Reread:
    head = await log.head(workspace_id)
    total = min(head, until) if until is not None else head
    with _bar(workspace_id, total) as bar:
        result = await reread(
            log, workspace_id, until, lambda rows: bar.advance(bar.task_ids[0], rows)
        )
    if as_json:
        typer.echo(msgspec.json.encode(result).decode())
    else:
        typer.echo("\n".join(_lines(result)))
    return result


@contextlib.contextmanager
def _bar(workspace_id: WorkspaceId, total: int) -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
    columns = (
        TextColumn("replaying {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        bar.add_task(workspace_id, total=total)
        yield bar


def _lines(result: Reread) -> Iterator[str]:
    yield f"workspace {result.workspace_id}, state {result.state_hash}"
    if result.folded_only:
        yield f"{result.folded_only} decisions by another revision: folded, not re-made"
    yield _verdict([result])
    if result.divergence is not None:
        yield from _difference(result.divergence)


def _verdict(results: Sequence[Reread]) -> str:
    """One line about all of them; nothing that was not made again is called identical."""
    events = sum(result.events for result in results)
    decisions = sum(result.decisions for result in results)
    word = "identical"
    if any(result.divergence for result in results):
        word = "not identical"
    elif any(result.folded_only for result in results):
        word = "no difference, but not all re-made"
    return f"replayed {events} events, re-made {decisions} decisions: {word}"


def _difference(divergence: Divergence) -> Iterator[str]:
    yield f"  position {divergence.position}: {divergence.what}"
    for label, event in (("recorded", divergence.recorded), ("expected", divergence.expected)):
        shown = msgspec.json.encode(event).decode() if event is not None else "nothing"
        yield f"  {label}: {shown}"
