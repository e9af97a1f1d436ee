"""``fernamt verify``: make every decision of a log again, and check its order and its seals."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
import typer

from services.cli.opening import archive_at, failing_in_words, workspaces_in
from services.cli.options import DEFAULT_DATA, DataDir, LogFile, StoreUrl
from services.cli.progress_bar import progress_bar
from shared.audit.checking_seals import Accepted
from shared.audit.seals import public_key
from shared.audit.verifying import Finding, Sealed, Verified, verify
from shared.ports import KEY_BYTES
from shared.ports.archive import Archive
from shared.routing.ids import Position, WorkspaceId

DIFFERENT = 1
FOLDED_ONLY = 3


def verify_log(
    workspace: Annotated[
        str, typer.Option("--workspace", help="Only this workspace; all if not given.")
    ] = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    file: LogFile = None,
    until: Annotated[
        int | None, typer.Option("--until", min=1, help="Last position to read.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A public key that may have signed seals; may be repeated."),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect",
            help="POSITION:HASH of a seal, as it was told once; may be repeated. Finds a log that "
            "was cut off together with its seals.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each workspace.")
    ] = False,
) -> None:
    """Verify the log: re-make every decision, check order and seals. Reads only, needs no broker.

    Exit code 0: all is well. 1: something differs, or the log is damaged. 3: some decisions were
    made by another revision of the rules; they were applied, not made again.
    """
    upto = Position(until) if until is not None else None
    with failing_in_words():
        accepted = Accepted(
            frozenset(map(public_key, key)) if key else None, dict(map(_expected, expect or ()))
        )
        if accepted.hashes and not workspace:
            raise ValueError("--expect is about one workspace: --workspace")

        async def ask() -> list[Verified]:
            async with archive_at(store, data, "fernamt verify", file=file) as archive:
                wanted = await workspaces_in(archive, workspace)
                return [await _one(archive, its_id, upto, accepted, as_json) for its_id in wanted]

        results = asyncio.run(ask())
    if not as_json:
        _conclude(results)
    code = exit_code(results)
    if code:
        raise typer.Exit(code)


def exit_code(results: Sequence[Verified]) -> int:
    """0 where all is well, and for programs what is not."""
    if any(result.findings for result in results):
        return DIFFERENT
    return FOLDED_ONLY if any(result.folded_only for result in results) else 0


def _expected(text: str) -> tuple[Position, bytes]:
    position, _, its_hash = text.partition(":")
    try:
        wanted = bytes.fromhex(its_hash)
    except ValueError:
        wanted = b""
    if not position.isdecimal() or len(wanted) != KEY_BYTES:
        raise ValueError(f"--expect {text}: POSITION:HASH, as verify tells it")
    return Position(int(position)), wanted


async def _one(
    archive: Archive,
    workspace_id: WorkspaceId,
    until: Position | None,
    accepted: Accepted,
    as_json: bool,
) -> Verified:
    head = await archive.log.head(workspace_id)
    total = min(head, until) if until is not None else head
    with progress_bar(f"verifying {workspace_id}", total) as advance:
        result = await verify(
            archive,
            workspace_id,
            until=until,
            accepted=accepted,
            progress=advance,
        )
    if as_json:
        typer.echo(msgspec.json.encode(result).decode())
    else:
        typer.echo("\n".join(told(result)))
    return result


# --- in words -----------------------------------------------------------------------------------


def told(result: Verified) -> Iterator[str]:
    """What was found in one workspace, for people."""
    yield f"workspace {result.workspace_id}, state {result.state_hash}"
    yield from _seals(result.sealed)
    if result.snapshots:
        yield f"snapshots compared: {result.snapshots}"
    if result.folded_only:
        yield f"{result.folded_only} decisions by another revision: folded, not re-made"
    yield _verdict([result])
    for finding in result.findings:
        yield from _difference(finding)


def _seals(sealed: Sealed) -> Iterator[str]:
    if not sealed.upto:
        yield f"not sealed: {sealed.unsealed} events"
        return
    yield f"sealed up to position {sealed.upto}, not sealed: {sealed.unsealed} events"
    for by in sealed.keys:
        yield f"  positions {by.first} to {by.upto} by --key {by.key}"
    if sealed.last is not None:
        yield f"  to be kept elsewhere: --expect {sealed.last}"


def _conclude(results: Sequence[Verified]) -> None:
    """Whatever there is, the last line is about all of it."""
    if not results:
        typer.echo("the log holds no workspaces")
    if len(results) > 1:
        typer.echo(f"all {len(results)} workspaces together:")
        typer.echo(_verdict(results))


def _verdict(results: Sequence[Verified]) -> str:
    """One line about all of them; nothing that was not made again is called identical."""
    events = sum(result.events for result in results)
    decisions = sum(result.decisions for result in results)
    word = "identical"
    if any(result.findings for result in results):
        word = "not identical"
    elif any(result.folded_only for result in results):
        word = "no difference, but not all re-made"
    return f"replayed {events} events, re-made {decisions} decisions: {word}"


def _difference(finding: Finding) -> Iterator[str]:
    yield f"  position {finding.position}: {finding.what}"
    if finding.recorded is not None or finding.expected is not None:
        yield f"  recorded: {_shown(finding.recorded)}"
        yield f"  expected: {_shown(finding.expected)}"


def _shown(version: Any) -> str:
    if version is None:
        return "nothing"
    return version if isinstance(version, str) else msgspec.json.encode(version).decode()
