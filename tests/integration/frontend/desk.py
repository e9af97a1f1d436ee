"""An operator's desk: who is there, what is mine, and a feed that keeps it up to date."""

import asyncio
import contextlib
from typing import Any

from tests.integration.frontend.feed import WITHIN_S, Feed, Message, Messages
from tests.integration.frontend.line import Line, Reply

Fields = dict[str, Any]

HEARTBEAT_EVERY_S = 15.0
PAGE = 1_000
GAINED = {
    "assigned": "owner",
    "forwarded": "owner",
    "added": "participant",
    "offered": "offered",
    "queue_waiting": "broadcast",
    "escalated": "escalated",
}
FOR_WHOEVER_IS_FIRST = frozenset({"broadcast", "escalated"})
LOST = frozenset({"released", "missed"})


class Desk:
    """One device of one operator. ``mine`` maps conversations to why they are mine."""

    def __init__(
        self,
        line: Line,
        session: str,
        *,
        heartbeat_every_s: float = HEARTBEAT_EVERY_S,
        seq: int | None = None,
    ) -> None:
        """``seq``: the last message of the feed that an earlier desk of the operator had."""
        self.line = line
        self.name = line.actor
        self.session = session
        self.feed = Feed(self._missed_after, self._apply, seq)
        self.mine: dict[str, str] = {}
        self.status: Fields = {}
        self.colleagues: dict[str, str] = {}
        self.rang: list[Message] = []
        """Messages at which it rang."""
        self._as_of = 0
        self._whose = False
        """Somebody was first with one of those for whoever is first: ask who."""
        self._news = asyncio.Event()
        self._every_s = heartbeat_every_s
        self._touched = False
        self._beating: asyncio.Task[None] | None = None

    # --- coming and going -------------------------------------------------------------------

    async def log_in(self) -> None:
        """Connect, subscribe, log in, ask what there is, and begin to send heartbeats."""
        await self.line.open()
        self.line.on_return = self.come_back
        await self.line.listen(f"operator.{self.name}", self._on_own)
        await self.line.listen("team", self._on_team)
        self.status = (await self.line.command("log_in", {"session_id": self.session})).result
        await self.feed.begin((await self.line.ask("feed")).result["last"])
        await self.come_back()
        self._beating = asyncio.create_task(self._beat())

    async def log_out(self) -> None:
        """Leave for good."""
        self.status = (await self.line.command("log_out", {"session_id": self.session})).result
        await self.hang_up()

    async def hang_up(self) -> None:
        """Go without a word: the connection is cut, heartbeats stop, nobody logs out."""
        await self.stop_heartbeats()
        await self.line.close()

    async def stop_heartbeats(self) -> None:
        """The browser sleeps in the background: still connected, and silent."""
        beating, self._beating = self._beating, None
        if beating is not None:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    def begin_heartbeats(self) -> None:
        self._beating = asyncio.create_task(self._beat())

    async def come_back(self) -> None:
        """The connection was lost and is there again: hear what was missed, then ask."""
        await self.feed.catch_up()
        await self.refresh()

    async def refresh(self) -> None:
        """Ask for everything: what is mine, who is there.

        What the feed then says of earlier positions is contained in the answer.
        """
        self._whose = False
        inbox = await self.line.ask("inbox", {"view": "mine", "limit": PAGE})
        roster = await self.line.ask("roster", at_least=inbox.position)
        self.mine = {
            found["conversation_id"]: found["why_mine"] for found in inbox.result["conversations"]
        }
        self.colleagues = {
            found["operator_id"]: found["effective"] for found in roster.result["operators"]
        }
        self._as_of = inbox.position
        for message in self.feed.messages:
            self._apply_to_mine(message)

    async def _beat(self) -> None:
        """A heartbeat at once, and then one every so often; it says whether somebody is at it."""
        while True:
            touched, self._touched = self._touched, False
            subject = self.line.subject("beat", "operator", self.name, self.session)
            await self.line.publish(subject, {"active": True} if touched else {})
            if not await self.line.pause(self._every_s):
                return

    # --- working ----------------------------------------------------------------------------

    async def do(self, command: str, /, **fields: object) -> Reply:
        """Any command, under an id of its own."""
        self._touched = True
        return await self.line.command(command, fields)

    async def choose(self, status: str, **fields: object) -> Fields:
        """Online, busy, invisible or offline; what came of it."""
        self.status = (await self.do("set_status", status=status, **fields)).result
        return self.status

    async def accept(self, conversation: str) -> Fields:
        """Accept what was offered last; the conversation as it is then."""
        return await self._answer("accept_offer", conversation)

    async def decline(self, conversation: str, reason: str) -> Fields:
        return await self._answer("decline_offer", conversation, reason=reason)

    async def reply(self, conversation: str) -> Fields:
        """Say that an answer was written; its text goes another way."""
        return await self._about("reply", conversation)

    async def forward(self, conversation: str, to: Fields, **fields: object) -> Reply:
        return await self.do("forward", conversation_id=conversation, to=to, **fields)

    async def close(self, conversation: str, reason: str = "solved") -> Fields:
        return await self._about("close", conversation, reason=reason)

    async def _answer(self, command: str, conversation: str, **fields: object) -> Fields:
        offers = [
            message["offer"]
            for message in self.feed.messages
            if message["type"] == "offered" and message["conversation_id"] == conversation
        ]
        return await self._about(command, conversation, offer=offers[-1], **fields)

    async def _about(self, command: str, conversation: str, **fields: object) -> Fields:
        reply = await self.do(command, conversation_id=conversation, **fields)
        found: Fields = reply.result["conversation"]
        return found

    # --- hearing ----------------------------------------------------------------------------

    async def sees(self, colleague: str, status: str) -> None:
        """Wait until somebody is shown so. Raises ``TimeoutError``."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while self.colleagues.get(colleague) != status:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"{colleague} {status}; seen: {self.colleagues}") from None

    async def _missed_after(self, seq: int) -> Messages:
        answer = await self.line.ask("feed", {"after": seq, "limit": PAGE})
        messages: Messages = answer.result["messages"]
        return messages

    def _apply(self, message: Message) -> None:
        if message["alert"]:
            self.rang.append(message)
        self._apply_to_mine(message)

    def _apply_to_mine(self, message: Message) -> None:
        if message["position"] <= self._as_of:
            return
        conversation = message["conversation_id"]
        match message["type"]:
            case gained if gained in GAINED:
                self.mine[conversation] = GAINED[gained]
            case lost if lost in LOST:
                self.mine.pop(conversation, None)
            case "offer_ended":
                self._offer_ended(conversation, message["how"])
            case "conversation_changed" if message["state"] == "closed":
                self.mine.pop(conversation, None)
            case "conversation_changed" if self.mine.get(conversation) in FOR_WHOEVER_IS_FIRST:
                self._whose = True
            case _:
                pass  # nothing that this list shows

    def _offer_ended(self, conversation: str, how: str) -> None:
        if how == "accepted":
            self.mine[conversation] = "owner"
        elif self.mine.get(conversation) == "offered":
            del self.mine[conversation]

    async def _on_own(self, message: Message) -> None:
        await self.feed.hear(message)
        if self._whose:
            await self.refresh()

    async def _on_team(self, message: Message) -> None:
        if message["type"] == "status_changed":
            self.colleagues[message["operator_id"]] = message["effective"]
            self._news.set()
