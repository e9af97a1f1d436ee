"""``fernamt dead-letters``: what could not be delivered, and trying it again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from services.cli.asking import DEFAULT_NATS, Admin, over_the_broker
from services.cli.options import NatsUrl, fail
from services.notifier.dead_letters import DeadLetters, DeadLetterView, Resent

PAGE = 1_000


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

    async def speak(admin: Admin) -> None:
        if not resend and not everything:
            _show(await _listed(admin), as_json)
            return
        body: dict[str, object] = {} if everything else {"ids": resend}
        done = await admin.ask("resend_dead_letters", body, Resent)
        text = f"tried again: {done.resent}"
        typer.echo(msgspec.json.encode(done).decode() if as_json else text)

    over_the_broker(nats, workspace, speak, who_answers="notifier")


async def _listed(admin: Admin) -> Sequence[DeadLetterView]:
    """All of them, page by page."""
    found: list[DeadLetterView] = []
    body: dict[str, object] = {"limit": PAGE}
    while True:
        page = await admin.ask("dead_letters", body, DeadLetters)
        found += page.dead_letters
        if page.next is None:
            return found
        body["after"] = page.next


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
