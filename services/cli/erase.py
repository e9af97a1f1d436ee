"""``fernamt erase SUBJECT``: delete what is kept of somebody's words, names and addresses."""

import secrets
from typing import Annotated

import typer

from services.cli.asking import DEFAULT_NATS, Admin, over_the_broker
from services.cli.options import NatsUrl
from shared.wire.headers import COMMAND_ID
from shared.wire.replies import Answered


def erase(
    subject: Annotated[
        str, typer.Argument(help="visitor:ID, contact:ID, operator:ID or conversation:ID.")
    ],
    workspace: Annotated[str, typer.Option("--workspace", help="In which workspace.")],
    nats: NatsUrl = DEFAULT_NATS,
) -> None:
    """Delete every personal text about the subject, and about what hangs on it: a contact's
    visitors, a visitor's conversations.

    The log keeps that it was done, and no text; decisions and explanations come out as before.
    """

    async def speak(admin: Admin) -> Answered:
        headers = {COMMAND_ID: f"erase-{secrets.token_hex(8)}"}
        return await admin.send("cmd", "erase", {"subject": subject}, headers)

    done = over_the_broker(nats, workspace, speak, who_answers="router")
    typer.echo(f"erased {subject}, as of position {done.position}")
