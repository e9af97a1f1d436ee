"""``fernamt export``: one workspace's log as one file, to be looked at elsewhere."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from services.cli.opening import archive_at, failing_in_words, workspaces_in
from services.cli.options import DEFAULT_DATA, DataDir, StoreUrl
from services.cli.progress_bar import progress_bar
from shared.audit.bundle import Exported
from shared.audit.bundle import export as write_bundle
from shared.routing.ids import Position


def export(
    workspace: Annotated[str, typer.Option("--workspace", help="Whose log.")],
    file: Annotated[Path, typer.Option("-o", "--output", help="The file to write; a new one.")],
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    until: Annotated[
        int | None,
        typer.Option(
            "--until", min=1, help="Last position; what follows from the same command comes along."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")] = False,
) -> None:
    """Write the log of a workspace from its beginning into one compressed file.

    It holds what the log holds: ids as your systems gave them, what was decided, and settings, with
    names of groups and addresses of webhooks. It holds nothing of the vault: no names and addresses
    of people, no notes, no attributes. Exit code 0: written. 1: the log is damaged. 2: not written.
    """
    upto = Position(until) if until is not None else None
    with failing_in_words():
        done = asyncio.run(_export(store, data, workspace, upto, file))
    typer.echo(msgspec.json.encode(done).decode() if as_json else "\n".join(_told(done, file)))


async def _export(
    store: str, data: Path, workspace: str, until: Position | None, file: Path
) -> Exported:
    async with archive_at(store, data, "fernamt export") as archive:
        (workspace_id,) = await workspaces_in(archive, workspace)
        head = await archive.log.head(workspace_id)
        total = min(head, until) if until is not None else head
        with _new_file(file) as out, progress_bar(f"exporting {workspace_id}", total) as advance:
            return await write_bundle(archive, workspace_id, until, out.write, advance)


@contextlib.contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    """A file to write, which is gone again unless it was written to its end."""
    with file.open("xb") as out:
        try:
            yield out
        except BaseException:
            file.unlink()
            raise


def _told(done: Exported, file: Path) -> Iterator[str]:
    held = done.contents
    yield f"{file}: workspace {done.workspace_id}, {done.events} events, {done.bytes} bytes"
    yield f"state {done.state_hash}"
    yield f"sealed up to position {done.sealed_upto}" if done.sealed_upto else "not sealed"
    yield (
        f"in it: ids of {held.operators} operators, {held.visitors} visitors and "
        f"{held.conversations} conversations as your systems gave them; settings of "
        f"{held.groups} groups, {held.entry_points} entry points and {held.rules} rules; addresses "
        f"of {held.webhooks} webhooks"
    )
    yield "not in it: names and addresses of people, notes, attributes, texts"
