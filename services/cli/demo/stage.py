"""One workspace and the people of a story, each at a front end of their own."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

from services.cli.demo.clients import (
    HAPPEN_WITHIN_S,
    AdminTool,
    Answer,
    ChatBackEnd,
    Desk,
    Fields,
    FrontEnd,
    LoggedEvent,
    LogReader,
    PresenceService,
    Viewed,
    Widget,
    connect,
)
from services.cli.demo.engine_clock import EngineClock
from services.cli.demo.post_office import Mail, PostOffice
from services.cli.demo.telling import Teller
from services.cli.serving import end_if_told
from shared.adapters.nats_bus import NatsBus


class StoryFailed(Exception):
    """A story did not come out as it is told; the message says what was expected."""


class Town(NamedTuple):
    """What all stories share: the engine's broker, its clock, and where its mails go."""

    url: str
    clock: EngineClock
    post: PostOffice


class Stage:
    """Where a story is played. Everything that happens on it is printed."""

    def __init__(self, town: Town, workspace_id: str, teller: Teller) -> None:
        self._town = town
        self._workspace_id = workspace_id
        self._teller = teller
        self.clock = town.clock
        self._connections = AsyncExitStack()
        self._front_ends: list[FrontEnd] = []
        self._told = 0
        """Events of the log that were printed or passed over."""
        self._played = 0
        """Where the log ended when somebody last did something."""
        self._heard: dict[FrontEnd, int] = {}
        self._mails = 0
        """Mails that were asked for before."""

    async def __aenter__(self) -> Self:
        self.admin = AdminTool(await self._connection("admin tool"), self._workspace_id, "admin")
        self._log = LogReader(await self._connection("log reader"), self._workspace_id)
        await self._log.subscribe()
        await self._done(self.admin, "create_workspace", name=self._workspace_id)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._connections.aclose()

    # --- setting up -------------------------------------------------------------------------

    async def arrange(self, words: str, *commands: tuple[str, Fields]) -> None:
        """Settings that the admin makes before the story begins; printed as one step."""
        self._teller.step(self.admin.name, words)
        for command, fields in commands:
            await self._done(self.admin, command, **fields)
        await self._skip_news()

    async def operator(self, operator_id: str, *groups: str, **settings: object) -> Desk:
        """Register an operator, with groups, and put him at a desk."""
        await self._done(self.admin, "register_operator", operator_id=operator_id, **settings)
        for group_id in groups:
            await self._done(self.admin, "join_group", operator_id=operator_id, group_id=group_id)
        desk = Desk(
            await self._connection(f"desk of {operator_id}"), self._workspace_id, operator_id
        )
        await self._seat(desk)
        return desk

    async def widget(self, visitor_id: str, entry_point_id: str) -> Widget:
        """A visitor's browser with the widget of an entry point in it."""
        bus = await self._connection(f"widget of {visitor_id}")
        widget = Widget(bus, self._workspace_id, visitor_id, entry_point_id)
        await self._seat(widget)
        return widget

    async def presence(self) -> PresenceService:
        """The one service whose word on who is there is taken."""
        bus = await self._connection("presence service")
        return PresenceService(bus, self._workspace_id)

    async def chat_back_end(self) -> ChatBackEnd:
        """What carries the messages themselves, and knows what was said."""
        back_end = ChatBackEnd(await self._connection("chat back end"), self._workspace_id)
        await back_end.subscribe()
        return back_end

    async def _seat(self, front_end: FrontEnd) -> None:
        """Subscribe first, then query, then apply what comes: nothing is missed."""
        await front_end.subscribe()
        await front_end.settle(await self.admin.position())
        self._front_ends.append(front_end)
        self._heard[front_end] = 0

    async def _connection(self, name: str) -> NatsBus:
        end_if_told()
        bus = await connect(self._town.url, f"fernamt demo: {name}")
        self._connections.push_async_callback(bus.close)
        return bus

    async def _done(self, who: FrontEnd, command: str, **fields: object) -> Answer:
        end_if_told()
        answer = await who.command(command, **fields)
        if answer.error is not None:
            raise StoryFailed(f"{who.name}: {command} was refused: {answer.error.message}")
        await self._log.up_to(answer.position)
        return answer

    # --- playing ----------------------------------------------------------------------------

    async def play(self, who: FrontEnd, words: str, command: str, **fields: object) -> Answer:
        """Somebody does something that is accepted; what follows from it is printed."""
        self._teller.step(who.name, words)
        answer = await self._done(who, command, **fields)
        self._played = answer.position
        warnings = answer.result.get("warnings")
        if warnings:
            self._teller.warned(warnings)
        await self._tell_news()
        return answer

    async def fail(
        self, who: FrontEnd, words: str, code: str, command: str, **fields: object
    ) -> Fields:
        """Somebody tries something that is refused with ``code``; the result is the detail."""
        self._teller.step(who.name, words)
        answer = await who.command(command, **fields)
        if answer.error is None:
            raise StoryFailed(f"{who.name}: {command} was accepted; expected: {code}")
        self._teller.refused(answer.error)
        self._expect(f"{command} is refused with {code}", answer.error.code, code)
        return answer.error.detail

    async def wait(self, who: FrontEnd, words: str, name: str, **fields: object) -> None:
        """Nobody does anything any more, until a timer of the engine's has led to this event."""
        self._teller.step(who.name, words)
        await self.until(name, **fields)

    async def until(self, name: str, **fields: object) -> LoggedEvent:
        """Go on once this event has followed from what was done last; print what there was."""
        end_if_told()
        try:
            event = await self._log.happens(name, self._played, **fields)
        except TimeoutError:
            raise StoryFailed(f"the log has no {name} {fields} in time") from None
        await self._log.up_to(await self.admin.position())
        await self._tell_news()
        return event

    async def let_it_be(self, moment: datetime, words: str) -> None:
        """The engine's clock is set forward, while nobody does anything."""
        self._teller.step("the clock", words)
        self._played = await self.admin.position()
        until_ms = self.clock.set_to(moment)
        async with asyncio.timeout(HAPPEN_WITHIN_S):
            while (await self.admin.look()).at < until_ms:
                end_if_told()
        await self._log.up_to(await self.admin.position())
        await self._tell_news()

    async def mails(self, number: int) -> Sequence[Mail]:
        """Wait until so many mails have come in all; those since the last time, by recipient."""
        try:
            await self._town.post.until(lambda mails: len(mails) >= number)
        except TimeoutError:
            came = [mail.subject for mail in self._town.post.mails]
            raise StoryFailed(f"{number} mails were expected; there came: {came}") from None
        mails = self._town.post.mails[self._mails :]
        self._mails = len(self._town.post.mails)
        return sorted(mails, key=lambda mail: mail.recipients)

    def show(self, mail: Mail) -> None:
        """Print a mail as its receiver reads it."""
        self._teller.mail(mail.recipients, mail.subject, mail.text)

    async def _tell_news(self) -> None:
        """Print what the log and the feeds have brought since the last step."""
        position = self._log.events[-1].position if self._log.events else 0
        for event in self._log.events[self._told :]:
            self._teller.event(event)
        self._told = len(self._log.events)
        news: dict[str, tuple[Fields, list[str]]] = {}
        for front_end in self._front_ends:
            await front_end.settle(position)
            for message in front_end.heard[self._heard[front_end] :]:
                news.setdefault(message["id"], (message, []))[1].append(front_end.name)
            self._heard[front_end] = len(front_end.heard)
        for message, names in sorted(news.values(), key=lambda told: told[0]["position"]):
            self._teller.heard(names, message)

    async def _skip_news(self) -> None:
        self._told = len(self._log.events)

    # --- looking ----------------------------------------------------------------------------

    async def show_mode(self, widget: Widget) -> str:
        """A widget asks how it is to show itself."""
        self._teller.step(widget.name, "asks how the entry point shows itself")
        mode = await widget.mode()
        self._teller.shown(mode)
        return mode

    async def conversation(self, conversation_id: str) -> Fields:
        """The conversation as the admin's tool sees it."""
        answer = await self.admin.ask("conversation", conversation_id=conversation_id)
        conversation: Fields = answer["conversation"]
        return conversation

    async def queue(self) -> list[tuple[str, str]]:
        """What waits, each with its reason, in the order in which it is served."""
        waiting = (await self.admin.ask("queue"))["waiting"]
        return [(entry["conversation_id"], entry["reason"]) for entry in waiting]

    async def roster(self) -> dict[str, Fields]:
        """Every operator's entry by id."""
        operators = (await self.admin.ask("roster"))["operators"]
        return {entry["operator_id"]: entry for entry in operators}

    async def tell_timeline(self, conversation_id: str) -> list[str]:
        """Print the conversation's timeline; the result are the names of its events."""
        answer = await self.admin.ask("conversation", conversation_id=conversation_id)
        self._teller.timeline(conversation_id, answer["timeline"])
        return [entry["event"]["type"].partition(".")[0] for entry in answer["timeline"]]

    def last_decision(self, name: str, conversation_id: str) -> Fields:
        """The newest event of this name about a conversation, as the log has it."""
        return self.last_event(name, conversation_id=conversation_id).fields

    def last_event(self, name: str, **fields: object) -> LoggedEvent:
        """The newest event of this name with these fields."""
        for event in reversed(self._log.events):
            if event.name == name and fields.items() <= event.fields.items():
                return event
        raise StoryFailed(f"the log holds no {name} with {fields}")

    async def sees(self, widget: Widget, words: str, url: str) -> Viewed:
        """A visitor looks at a page; what rules make of it is printed."""
        self._teller.step(widget.name, words)
        end_if_told()
        viewed = await widget.sees(url)
        if viewed.error is not None:
            raise StoryFailed(f"{widget.name}: {url}: {viewed.error.message}")
        self._teller.shown(f"fired: {', '.join(viewed.fired) or 'nothing'}")
        await self._log.up_to(viewed.position)
        await self._tell_news()
        return viewed

    # --- checking ---------------------------------------------------------------------------

    def check(self, claim: str, seen: Any, expected: Any) -> None:
        """Hold the story to what it claims, and say so."""
        self._expect(claim, seen, expected)
        self._teller.checked(claim)

    def _expect(self, claim: str, seen: Any, expected: Any) -> None:
        if seen != expected:
            raise StoryFailed(
                f"{self._workspace_id}: not as told: {claim}\n"
                f"  expected: {expected}\n  seen:     {seen}"
            )


def alerts(front_end: FrontEnd, *types: str) -> Sequence[tuple[str, str, bool]]:
    """What a feed has brought of these types: type, conversation, and whether it rang."""
    return [
        (message["type"], message["conversation_id"], message["alert"])
        for message in front_end.heard
        if message["type"] in types
    ]
