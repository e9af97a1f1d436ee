"""Operators who want mails, chats that nobody answers, and what a mail is about."""

from collections.abc import Callable
from typing import Any

from shared.ports import Lane, Message
from shared.routing.ids import WorkspaceId
from tests.servers.office import Office
from tests.servers.smtp import Mailed, SmtpServer
from tests.servers.town import Town
from tests.servers.waiting import until

Opening = Callable[..., Any]
"""Opens the town with mails; the same store and broker whenever it is opened again."""


async def staff(office: Office, *operators: str, **settings: Any) -> None:
    """A workspace with these operators in the group of its entry point, who want mails."""
    await office.set_up()
    for who in operators:
        fields = {"name": f"{who.title()} Čapek", "email": f"{who}@desk.test", **settings}
        await office.admin("register_operator", operator_id=who, email_missed=True, **fields)
        await office.admin("join_group", operator_id=who, group_id="support")


async def missed(office: Office, conversation: str = "c1") -> None:
    """A conversation that found somebody, and ended without an answer."""
    await office.admin("register_operator", operator_id="eva", capacity=9)
    await office.admin("join_group", operator_id="eva", group_id="support")
    await office.come_online("eva")
    await office.open("v1", conversation)
    await office.visitor("v1", "close", conversation_id=conversation)


async def transcripts_from(office: Office, answer: bytes | None) -> None:
    """A chat back end that offers transcripts; ``None`` never answers."""

    def on_request(message: Message) -> None:
        if answer is not None:
            office.client.bus.publish(message.reply, answer)

    subject = f"fernamt.v1.transcript.{office.workspace}.*"
    await office.client.bus.subscribe(subject, on_request)


def about(mail: Mailed) -> str:
    """The conversation that a mail in English is about."""
    (line,) = [one for one in mail.part("plain").split("\n") if one.startswith("Conversation: ")]
    return line.removeprefix("Conversation: ")


async def held_up(here: Town, smtp: SmtpServer) -> None:
    """A mail to ana waits for a server that is away."""
    await smtp.stop()
    await staff(here.office, "ana")
    await here.office.open("v1", "c1")

    async def look() -> bool:
        pending = await here.store.outbox.next_of(Lane(WorkspaceId("acme"), "mail", "ana"))
        return pending is not None and pending.attempts > 0

    await until("a try has failed", look)
