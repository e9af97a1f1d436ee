"""``fernamt import``: replay an exported log on this machine, and keep it if that is wanted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from services.cli.opening import bundle_in, failing_in_words
from services.cli.progress_bar import progress_bar
from services.cli.verify import exit_code, told
from shared.adapters.sqlite_import import Imported, import_log
from shared.audit.reading_bundles import BundleReader, archive_in
from shared.audit.verifying import Verified, verify
from shared.routing.ids import Position
from shared.wire.log_codec import decode_event

DIFFERENT = 1


class Outcome(msgspec.Struct, frozen=True):
    """What an import came to. ``data`` is where the log was written, if it was."""

    exported_hash: str
    same_state: bool
    verified: Verified
    data: str | None


def import_file(
    file: Annotated[Path, typer.Argument(help="What `fernamt export` wrote.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Write the log into this data directory, for the other verbs."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")] = False,
) -> None:
    """Check an exported file, make every decision in it again, and compare the state with the
    exported one. With --data it becomes a log of this machine, unless something was different.

    Exit code 0: the same state, and all is well. 1: not so, or the file is damaged. 2: it could not
    be read or written. 3: the same state; some decisions are of another revision.
    """
    with failing_in_words():
        outcome = asyncio.run(_import(file, data))
    typer.echo(
        msgspec.json.encode(outcome).decode() if as_json else "\n".join(_told(outcome, file))
    )
    code = exit_code([outcome.verified]) if outcome.same_state else DIFFERENT
    if code:
        raise typer.Exit(code)


async def _import(file: Path, data: Path | None) -> Outcome:
    bundle = await bundle_in(file)
    with progress_bar(f"replaying {bundle.workspace_id}", bundle.events) as advance:
        verified = await verify(archive_in(bundle), bundle.workspace_id, progress=advance)
    same = verified.state_hash == bundle.state_hash and not verified.findings
    if same and data is not None:
        await import_log(data, await _imported(bundle))
    kept = str(data) if same and data is not None else None
    return Outcome(bundle.state_hash, verified.state_hash == bundle.state_hash, verified, kept)


async def _imported(bundle: BundleReader) -> Imported:
    """It was verified: the first stamp is the earliest, and the last epoch the highest."""
    ends = await bundle.read_at(bundle.workspace_id, [Position(1), Position(bundle.events)])
    first, last = ends[0], ends[-1]
    return Imported(
        workspace_id=bundle.workspace_id,
        created_at=decode_event(first.topic, first.state).at,
        head=Position(bundle.events),
        epoch=decode_event(last.topic, last.state).epoch,
        chunks=bundle.rows(),
        seals=bundle.seals,
    )


def _told(outcome: Outcome, file: Path) -> Iterator[str]:
    yield from told(outcome.verified)
    if outcome.same_state:
        yield f"the state is the exported one: {outcome.exported_hash}"
    else:
        yield f"the state is another than the exported one: {outcome.exported_hash}"
    if outcome.data is not None:
        yield f"written: fernamt verify --data {outcome.data}"
    else:
        yield f"nothing was written; other verbs read the file: fernamt verify --log {file}"
