"""The programs that speak with an engine, each on a connection of its own.

They know the wire contract and nothing else: JSON in, JSON out, subjects as ``docs/wire.md`` has
them. None of them looks into the engine.
"""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.ports import Message, NoResponders

Fields = dict[str, Any]

ANSWER_WITHIN_S = 5.0
PAUSE_S = 0.02
HAPPEN_WITHIN_S = 15.0
TRIES_MAX = 4


class Problem(msgspec.Struct, frozen=True):
    """Why nothing was changed."""

    code: str
    message: str
    detail: Fields = {}


class Answer(msgspec.Struct, frozen=True):
    """A reply; ``error`` is null if it was done."""

    ok: bool
    position: int = 0
    at: int = 0
    result: Fields = {}
    error: Problem | None = None


class Viewed(msgspec.Struct, frozen=True):
    """The reply to a page view: which rules fired, and where the log ended then."""

    ok: bool
    position: int = 0
    fired: list[str] = []
    error: Problem | None = None


class LoggedEvent(NamedTuple):
    """One event as back ends get it; ``name`` is without version."""

    position: int
    name: str
    fields: Fields


_read_answer = msgspec.json.Decoder(Answer).decode
_read_viewed = msgspec.json.Decoder(Viewed).decode


class FrontEnd:
    """A connection on which one actor of one workspace speaks, and hears its feeds."""

    kind = "admin"

    def __init__(self, bus: NatsBus, workspace_id: str, name: str) -> None:
        self.name = name
        self.heard: list[Fields] = []
        """Everything its feeds have brought, in order."""
        self._bus = bus
        self._workspace_id = workspace_id

    async def subscribe(self) -> None:
        """Listen to the feeds that concern it."""

    async def command(self, command: str, **fields: object) -> Answer:
        """Ask for a change. Sent again under the same id if no answer comes, it happens once."""
        headers = {"Fernamt-Command-Id": uuid.uuid4().hex}
        for _ in range(TRIES_MAX - 1):
            try:
                return await self._request("cmd", command, fields, headers)
            except TimeoutError:
                continue
        return await self._request("cmd", command, fields, headers)

    async def ask(self, query: str, **fields: object) -> Fields:
        """Read live state. Raises ``LookupError`` where the question is refused."""
        answer = await self._request("ask", query, fields, {})
        if answer.error is not None:
            raise LookupError(f"{query}: {answer.error.code}: {answer.error.message}")
        return answer.result

    async def settle(self, position: int) -> None:
        """Wait until its feeds have brought everything up to this position.

        Whoever sends the feeds answers this query too, on one connection and in order.
        """
        headers = {"Fernamt-Min-Position": str(position)}
        after = max((message.get("seq", 0) for message in self.heard), default=0)
        answer = await self._request("ask", "feed", {"after": after, "limit": 1}, headers)
        if answer.error is not None:
            raise LookupError(f"feed: {answer.error.code}: {answer.error.message}")

    async def _request(self, purpose: str, name: str, fields: Fields, headers: Fields) -> Answer:
        subject = f"fernamt.v1.{purpose}.{self._workspace_id}.{self.kind}.{self.name}.{name}"
        return _read_answer(await self._answered(subject, fields, headers))

    async def _answered(self, subject: str, fields: Fields, headers: Fields) -> bytes:
        """The reply, from a service that may only just have heard of the workspace."""
        body = msgspec.json.encode(fields)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while True:
                try:
                    reply = await self._bus.request(
                        subject, body, headers=headers, timeout_s=ANSWER_WITHIN_S
                    )
                except NoResponders:
                    await asyncio.sleep(PAUSE_S)
                else:
                    return reply.data

    async def _hear(self, feed: str) -> None:
        await self._bus.subscribe(f"fernamt.v1.feed.{self._workspace_id}.{feed}", self._on_message)

    def _on_message(self, message: Message) -> None:
        self.heard.append(msgspec.json.decode(message.data))


class AdminTool(FrontEnd):
    """Settings: groups, operators, entry points, policies."""

    async def position(self) -> int:
        """Where the log ends, as far as it is committed."""
        return (await self.look()).position

    async def look(self) -> Answer:
        """The settings, as of when and up to which position."""
        return await self._request("ask", "workspace", {}, {})


class Desk(FrontEnd):
    """The front end at which one operator sits."""

    kind = "operator"

    async def subscribe(self) -> None:
        await self._hear(f"operator.{self.name}")


class Widget(FrontEnd):
    """The chat widget in one visitor's browser, at one entry point."""

    kind = "visitor"

    def __init__(self, bus: NatsBus, workspace_id: str, name: str, entry_point_id: str) -> None:
        super().__init__(bus, workspace_id, name)
        self.entry_point_id = entry_point_id

    async def subscribe(self) -> None:
        await self._hear(f"visitor.{self.name}")
        await self._hear(f"entry.{self.entry_point_id}")

    async def sees(self, url: str) -> Viewed:
        """Tell of a page view, and wait until what rules make of it is in the log."""
        subject = f"fernamt.v1.seen.{self._workspace_id}.visitor.{self.name}"
        view = {
            "session_id": f"browser-{self.name}",
            "entry_point_id": self.entry_point_id,
            "url": url,
        }
        return _read_viewed(await self._answered(subject, view, {}))

    async def mode(self) -> str:
        """How the entry point shows itself to this visitor now."""
        return str((await self.ask("entry_point", entry_point_id=self.entry_point_id))["mode"])


class PresenceService(FrontEnd):
    """What watches over heartbeats, and may say that one has stopped; nobody else may."""

    kind = "service"

    def __init__(self, bus: NatsBus, workspace_id: str) -> None:
        super().__init__(bus, workspace_id, "presence")


class ChatBackEnd:
    """What carries the messages of conversations, and gives their text to whoever may ask."""

    def __init__(self, bus: NatsBus, workspace_id: str) -> None:
        self.texts: dict[str, str] = {}
        """By conversation."""
        self._bus = bus
        self._workspace_id = workspace_id

    async def subscribe(self) -> None:
        subject = f"fernamt.v1.transcript.{self._workspace_id}.*"
        await self._bus.subscribe(subject, self._on_request)

    def _on_request(self, message: Message) -> None:
        text = self.texts.get(message.subject.rpartition(".")[2], "")
        self._bus.publish(message.reply, msgspec.json.encode({"text": text}))


class LogReader:
    """A back end that follows the events of one workspace as they are published."""

    def __init__(self, bus: NatsBus, workspace_id: str) -> None:
        self.events: list[LoggedEvent] = []
        self._bus = bus
        self._workspace_id = workspace_id
        self._news = asyncio.Event()

    async def subscribe(self) -> None:
        await self._bus.subscribe(f"fernamt.v1.evt.{self._workspace_id}.>", self._on_message)

    async def up_to(self, position: int) -> None:
        """Wait until the event at ``position`` has come. Raises ``TimeoutError``."""
        await self._until(lambda event: event.position >= position, ANSWER_WITHIN_S)

    async def happens(self, name: str, after: int, **fields: object) -> LoggedEvent:
        """Wait for an event behind ``after`` with these fields. Raises ``TimeoutError``."""

        def is_it(event: LoggedEvent) -> bool:
            told = event.position > after and event.name == name
            return told and fields.items() <= event.fields.items()

        return await self._until(is_it, HAPPEN_WITHIN_S)

    async def _until(self, is_it: Callable[[LoggedEvent], bool], within_s: float) -> LoggedEvent:
        looked_at = 0
        async with asyncio.timeout(within_s):
            while True:
                for event in self.events[looked_at:]:
                    if is_it(event):
                        return event
                looked_at = len(self.events)
                self._news.clear()
                await self._news.wait()

    def _on_message(self, message: Message) -> None:
        position = int(message.headers["Nats-Msg-Id"].rpartition(":")[2])
        if self.events and position <= self.events[-1].position:
            return  # a relay that starts again may say something twice
        event = msgspec.json.decode(message.data)["data"]
        name = message.headers["Fernamt-Event"].partition(".")[0]
        self.events.append(LoggedEvent(position, name, event))
        self._news.set()


async def connect(url: str, name: str) -> NatsBus:
    """A connection for one client. Raises ``ConnectionError``."""
    return await NatsBus.connect(NatsSettings(url=url, name=name))
