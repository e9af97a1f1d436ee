"""A visitor's widget: shows whether somebody is there, and how a conversation is going."""

import asyncio
from typing import Any

from tests.integration.frontend.feed import WITHIN_S, Feed, Message, Messages
from tests.integration.frontend.line import Line, Reply

Fields = dict[str, Any]

PAGE = 1_000


class Widget:
    """The widget of one entry point in one visitor's browser."""

    def __init__(self, line: Line, entry_point: str, *, seq: int | None = None) -> None:
        self.line = line
        self.entry_point = entry_point
        self.feed = Feed(self._missed_after, self._apply, seq)
        self.mode = ""
        """``live``, ``messenger`` or ``hidden``."""
        self.with_operators: list[str] = []
        """Who is in the conversation, as the visitor sees it."""
        self._as_of = 0
        self._news = asyncio.Event()

    async def load(self) -> None:
        """The page is loaded: connect, subscribe, and ask how to show itself."""
        await self.line.open()
        self.line.on_return = self.come_back
        await self.line.listen(f"visitor.{self.line.actor}", self.feed.hear)
        await self.line.listen(f"entry.{self.entry_point}", self._on_entry)
        await self.feed.begin((await self.line.ask("feed")).result["last"])
        await self.come_back()

    async def come_back(self) -> None:
        """The connection was lost and is there again."""
        await self.feed.catch_up()
        await self.refresh()

    async def refresh(self) -> None:
        """Ask how to show itself."""
        answer = await self.line.ask("entry_point", {"entry_point_id": self.entry_point})
        self.mode, self._as_of = answer.result["mode"], answer.position

    async def unload(self) -> None:
        """The tab is closed."""
        await self.line.close()

    async def sees(self, url: str, **fields: object) -> Fields:
        """Tell of a page view, and wait until whatever rules make of it is in the log."""
        subject = self.line.subject("seen", "visitor", self.line.actor)
        view = {"entry_point_id": self.entry_point, "url": url, **fields}
        return await self.line.request(subject, view)

    async def open(self, conversation: str, **fields: object) -> Fields:
        about = {"conversation_id": conversation, "entry_point_id": self.entry_point}
        return _conversation(await self.line.command("open", about | fields))

    async def write(self, conversation: str) -> Fields:
        """Say that the visitor wrote; the text goes another way."""
        return _conversation(await self.line.command("write", {"conversation_id": conversation}))

    async def close(self, conversation: str) -> Fields:
        return _conversation(await self.line.command("close", {"conversation_id": conversation}))

    async def turns(self, mode: str) -> None:
        """Wait until the entry point shows itself so. Raises ``TimeoutError``."""
        async with asyncio.timeout(WITHIN_S):
            while self.mode != mode:
                self._news.clear()
                await self._news.wait()

    async def _missed_after(self, seq: int) -> Messages:
        answer = await self.line.ask("feed", {"after": seq, "limit": PAGE})
        messages: Messages = answer.result["messages"]
        return messages

    def _apply(self, message: Message) -> None:
        match message["type"]:
            case "operator_joined":
                self.with_operators.append(message["operator_id"])
            case "operator_left" | "reassigned":
                if message["operator_id"] in self.with_operators:
                    self.with_operators.remove(message["operator_id"])
            case "closed":
                self.with_operators.clear()
            case _:
                pass  # for the conversation's own view

    async def _on_entry(self, message: Message) -> None:
        if message["position"] > self._as_of:
            self.mode, self._as_of = message["mode"], message["position"]
            self._news.set()


def _conversation(reply: Reply) -> Fields:
    found: Fields = reply.result["conversation"]
    return found
