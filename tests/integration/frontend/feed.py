"""One recipient's feed: in order, complete, and each message once, whatever was lost on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Messages = list[Message]

WITHIN_S = 30.0


class Feed:
    """What a recipient was told. ``apply`` is called with each message, once and in order.

    ``seq`` counts the messages to one recipient without gaps: one that is too high means that
    some were missed, and ``missed_after`` asks for them.
    """

    def __init__(
        self,
        missed_after: Callable[[int], Awaitable[Messages]],
        apply: Callable[[Message], None],
        seq: int | None = None,
    ) -> None:
        """``seq`` is that of the last message that was heard before, on another connection.

        Without it this is a new device, and ``begin`` says where the feed stands.
        """
        self.messages: Messages = []
        self.seq = seq or 0
        self._early: Messages | None = [] if seq is None else None
        self.gaps = 0
        """How often something had been missed."""
        self.repeats = 0
        self._missed_after = missed_after
        self._apply = apply
        self._by_id: dict[str, Message] = {}
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()

    async def begin(self, last: int) -> None:
        """What was told up to ``last`` is contained in what will be asked from now on."""
        async with self._turn:
            if self._early is None:
                return
            self.seq = last
            early, self._early = self._early, None
        for message in early:
            await self.hear(message)

    async def hear(self, message: Message) -> None:
        """Take what the subscription brought."""
        async with self._turn:
            if self._early is not None:
                self._early.append(message)
                return
            if message["seq"] > self.seq + 1:
                self.gaps += 1
                await self._catch_up()
            self._take(message)

    async def catch_up(self) -> None:
        """Ask for what may have been missed, after a connection was lost."""
        async with self._turn:
            await self._catch_up()

    async def until(self, what: str, holds: Callable[[Messages], object]) -> Messages:
        """Wait until ``holds`` says yes to the messages so far. Raises ``TimeoutError``."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while not holds(self.messages):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"not told: {what}; so far: {self.messages}") from None
        return self.messages

    async def told(self, message_type: str, **fields: object) -> Message:
        """Wait for a message of this type with these fields, and return the newest one."""

        def found() -> Messages:
            return [
                message
                for message in self.messages
                if message["type"] == message_type and fields.items() <= message.items()
            ]

        await self.until(f"{message_type} {fields}", lambda _: found())
        return found()[-1]

    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]

    async def _catch_up(self) -> None:
        while missed := await self._missed_after(self.seq):
            for message in missed:
                self._take(message)

    def _take(self, message: Message) -> None:
        if message["seq"] <= self.seq:
            self._repeated(message)
            return
        if message["seq"] != self.seq + 1:
            raise ValueError(
                f"{message['seq']} follows {self.seq}, and nobody has what was between"
            )
        if message["id"] in self._by_id:
            raise ValueError(f"the id {message['id']} came with two numbers")
        self.seq += 1
        self.messages.append(message)
        self._by_id[message["id"]] = message
        self._apply(message)
        self._news.set()

    def _repeated(self, message: Message) -> None:
        """The same id must be the same message, whichever way it came."""
        self.repeats += 1
        known = self._by_id.get(message["id"])
        if known is not None and known != message:
            raise ValueError(f"{message['id']} was {known}, and is now {message}")
