"""A front end for tests, as small as one can be: requests, answers and subscriptions."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from shared.adapters.nats_bus import NatsBus, NatsSubscription
from shared.adapters.nats_connection import NatsSettings
from shared.ports import Message
from shared.wire.headers import COMMAND_ID

Fields = dict[str, Any]

WITHIN_S = 30.0


class Heard(NamedTuple):
    """One message of a feed or of the events."""

    subject: str
    headers: Mapping[str, str]
    body: Fields


class Listening:
    """A subscription and everything it has brought, in order."""

    def __init__(self) -> None:
        self.messages: list[Heard] = []
        self._news = asyncio.Event()
        self._after = 0
        self._subscription: NatsSubscription | None = None

    @property
    def bodies(self) -> list[Fields]:
        return [heard.body for heard in self.messages]

    def of(self, message_type: str) -> list[Fields]:
        """The bodies whose ``type`` is this one."""
        return [body for body in self.bodies if body.get("type") == message_type]

    async def until(
        self, holds: Callable[[list[Fields]], object], within_s: float = WITHIN_S
    ) -> list[Fields]:
        """Wait until ``holds`` says yes to the bodies so far, and return these."""
        try:
            async with asyncio.timeout(within_s):
                while not holds(self.bodies):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"not heard within {within_s} s; so far: {self.bodies}") from None
        return self.bodies

    async def count(self, number: int, within_s: float = WITHIN_S) -> list[Fields]:
        """Wait until at least ``number`` messages have come."""
        return await self.until(lambda bodies: len(bodies) >= number, within_s)

    def forget(self, upto: int) -> None:
        """Drop what belongs to positions up to this one, also what is still to come."""
        self._after = upto
        self.messages = [heard for heard in self.messages if self._is_news(heard)]

    def _is_news(self, heard: Heard) -> bool:
        position: int | None = heard.body.get("position")
        return position is None or position > self._after

    async def stop(self) -> None:
        """End it after everything the server had sent was heard."""
        if self._subscription is not None:
            await self._subscription.stop()

    def _heard(self, message: Message) -> None:
        body = msgspec.json.decode(message.data)
        heard = Heard(message.subject, message.headers, body)
        if self._is_news(heard):
            self.messages.append(heard)
            self._news.set()

    async def subscribe(self, bus: NatsBus, subject: str) -> None:
        self._subscription = await bus.subscribe(subject, self._heard)


class Client:
    """One connection. It may speak as anybody, as the embedded broker asks for no proof."""

    def __init__(self, bus: NatsBus) -> None:
        self.bus = bus

    @classmethod
    async def connect(cls, url: str, name: str = "test client") -> "Client":
        return cls(await NatsBus.connect(NatsSettings(url=url, name=name)))

    async def close(self) -> None:
        await self.bus.close()

    async def command(
        self,
        workspace: str,
        kind: str,
        actor: str,
        command: str,
        body: Fields | None = None,
        *,
        command_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = WITHIN_S,
    ) -> Fields:
        """Send a command and return the whole reply, ``ok`` or not.

        Raises ``NoResponders``, or ``TimeoutError``: then nothing is known.
        """
        beside = dict(headers or {})
        if command_id is not None:
            beside[COMMAND_ID] = command_id
        subject = f"fernamt.v1.cmd.{workspace}.{kind}.{actor}.{command}"
        return await self.send(subject, body, headers=beside, timeout_s=timeout_s)

    async def ask(
        self,
        workspace: str,
        kind: str,
        actor: str,
        query: str,
        body: Fields | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = WITHIN_S,
    ) -> Fields:
        """Ask a query and return the whole reply, ``ok`` or not."""
        subject = f"fernamt.v1.ask.{workspace}.{kind}.{actor}.{query}"
        return await self.send(subject, body, headers=headers, timeout_s=timeout_s)

    async def send(
        self,
        subject: str,
        body: Fields | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = WITHIN_S,
    ) -> Fields:
        """A request to any subject, with its answer decoded."""
        data = msgspec.json.encode(body if body is not None else {})
        answer = await self.bus.request(subject, data, headers=headers, timeout_s=timeout_s)
        reply: Fields = msgspec.json.decode(answer.data)
        return reply

    async def listen(self, subject: str) -> Listening:
        """Collect what comes on the subject, from when this returns on."""
        listening = Listening()
        await listening.subscribe(self.bus, subject)
        return listening


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A client for the length of a block."""
    client = await Client.connect(url)
    try:
        yield client
    finally:
        await client.close()
