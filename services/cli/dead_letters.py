"""``fernamt dead-letters``: what could not be delivered, and trying it again."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from services.cli.options import NatsUrl, fail
from services.notifier.dead_letters import DeadLetters, DeadLetterView, Resent
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.ports import NoResponders
from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.wire.replies import read_reply
from shared.wire.subjects import Call, subject_of

DEFAULT_NATS = "nats://127.0.0.1:4222"
ACTOR = "cli"
TIMEOUT_S = 10.0
PAGE = 1_000

_Result = TypeVar("_Result", DeadLetters, Resent)


def dead_letters(
    workspace: Annotated[str, typer.Option("--workspace", help="Whose dead letters.")],
    nats: NatsUrl = DEFAULT_NATS,
    resend: Annotated[
        list[str] | None, typer.Option("--resend", help="Try this one again; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Try all of them again.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each, or for the answer.")
    ] = False,
) -> None:
    """List mails and webhook messages that were given up, or have them sent again.

    Asks the notifier over the broker, as an admin of the workspace.
    """
    if resend and everything:
        raise fail("either --resend or --all")
    try:
        asyncio.run(_run(nats, workspace, resend or None, everything, as_json))
    except NoResponders:
        raise fail("nobody answers: is a notifier running?") from None
    except (TimeoutError, ConnectionError, PermissionError, ValueError, OSError) as error:
        raise fail(str(error) or "no answer in time") from error


async def _run(
    nats: str, workspace: str, resend: Sequence[str] | None, everything: bool, as_json: bool
) -> None:
    bus = await NatsBus.connect(NatsSettings(url=nats, name="fernamt dead-letters"))
    try:
        if resend or everything:
            body: dict[str, object] = {} if everything else {"ids": resend}
            done = await _ask(bus, workspace, "resend_dead_letters", body, Resent)
            typer.echo(
                msgspec.json.encode(done).decode() if as_json else f"tried again: {done.resent}"
            )
        else:
            _show(await _listed(bus, workspace), as_json)
    finally:
        await bus.close()


async def _listed(bus: NatsBus, workspace: str) -> Sequence[DeadLetterView]:
    """All of them, page by page."""
    found: list[DeadLetterView] = []
    body: dict[str, object] = {"limit": PAGE}
    while True:
        page = await _ask(bus, workspace, "dead_letters", body, DeadLetters)
        found += page.dead_letters
        if page.next is None:
            return found
        body["after"] = page.next


async def _ask(
    bus: NatsBus, workspace: str, query: str, body: dict[str, object], shape: type[_Result]
) -> _Result:
    """Raises ``ValueError`` with what the notifier says where it refuses."""
    subject = subject_of(Call("ask", WorkspaceId(workspace), "admin", ACTOR, query))
    answer = await bus.request(subject, msgspec.json.encode(body), timeout_s=TIMEOUT_S)
    reply = read_reply(answer.data)
    if isinstance(reply, Refused):
        raise ValueError(f"{reply.code}: {reply.message}")
    return msgspec.json.decode(reply.result, type=shape)


def _show(letters: Sequence[DeadLetterView], as_json: bool) -> None:
    if as_json:
        for letter in letters:
            typer.echo(msgspec.json.encode(letter).decode())
        return
    if not letters:
        typer.echo("no dead letters")
        return
    table = Table("id", "given up", "tries", "why", box=None, pad_edge=False)
    for letter in letters:
        moment = datetime.fromtimestamp(letter.died_at / 1_000, UTC).isoformat(timespec="seconds")
        table.add_row(letter.id, moment, str(letter.attempts), letter.error, style=None)
    Console(width=200, soft_wrap=True, markup=False).print(table)
