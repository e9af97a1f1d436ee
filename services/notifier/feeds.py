"""The feeds of one workspace on duty: folded from its log, planned, and handed on to be sent."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from services.notifier.catching_up import Remembered
from services.notifier.rendering import feed_subject, rendered
from services.notifier.sending import Message, Sending
from shared.adapters.open_store import Store
from shared.ports import OutboxRow
from shared.ports.tracing import Tracer
from shared.routing.events import Envelope
from shared.routing.following import Unfit
from shared.routing.ids import Position, WorkspaceId
from shared.routing.notify import Numbered, Recipient, Telling
from shared.routing.workspace import Workspace
from shared.runtime import spans
from shared.runtime.following import Following

SLICE_EVENTS = 64
"""Events between two turns for others."""
QUEUE_CHANGED = "queue_changed"
QUEUE_CHANGED_EVERY_S = 1.0

Events = Sequence[tuple[Position, Envelope]]
Plan = Callable[[Workspace, Position, Envelope, Sequence[Numbered]], Sequence[OutboxRow]]


class Outlet(NamedTuple):
    """Where things go that a workspace has to say."""

    store: Store
    sending: Sending
    plan: Plan
    planned: Callable[[Sequence[OutboxRow]], None]
    tracer: Tracer | None = None


class WorkspaceFeeds:
    """Takes the log in pieces. Nothing up to ``sent`` is sent or planned once more."""

    def __init__(self, workspace_id: WorkspaceId, sent: Position, outlet: Outlet) -> None:
        self.remembered = Remembered()
        self.position = Position(0)
        """Up to here everything was handed on."""
        self._workspace_id = workspace_id
        self._sent = sent
        self._outlet = outlet
        self._telling = Telling(Workspace(workspace_id=workspace_id))
        self._messages: list[Numbered] = []
        self._following = Following(outlet.tracer, spans.TELL, workspace_id)
        self._trace: str | None = None
        """Of the event that was read last."""
        self._last: tuple[Position, Envelope, list[Numbered]] | None = None
        """The event for which no rows are planned yet, and its messages so far."""
        self._rows: list[OutboxRow] = []
        """What is still to be handed on, also if the first try failed."""
        self._whole = Position(0)
        """Up to here everything was handed on, what whole groups say included."""
        self._before_group = Position(0)
        """Where the group ends before the one that is being read."""
        self._queue = _AtMostOften(QUEUE_CHANGED_EVERY_S, self._tell_queue)

    async def take(self, events: Events) -> None:
        """The next events; after ``StoreError`` the same ones again. Raises ``Unfit``."""
        try:
            await self._fold(events)
        except Unfit:
            await self._hand_on(self._before_group)
            raise
        if self._telling.at_rest:
            self._say(self._telling.feeds.settle())
            await self._hand_on(self._telling.workspace.position)
        else:
            await self._hand_on(self._before_group)

    def last(self, recipient: Recipient) -> int:
        """Number of the last message to somebody, 0 if there was none."""
        return self._telling.feeds.last(recipient)

    @property
    def workspace(self) -> Workspace:
        """As it is, for reading."""
        return self._telling.workspace

    def end(self) -> None:
        """Nothing is sent any more."""
        self._queue.end()

    async def _fold(self, events: Events) -> None:
        workspace = self._telling.workspace
        for number, (position, envelope) in enumerate(events, start=1):
            if position <= workspace.position:
                continue
            if envelope.first == position:
                self._before_group = workspace.position
                self._say(self._telling.begins(position, envelope))
            self._plan()
            self._trace = envelope.trace
            told = self._telling.feed(position, envelope)
            self._say(told)
            self._last = (position, envelope, told)
            if number % SLICE_EVENTS == 0:
                await asyncio.sleep(0)

    def _say(self, numbered: Sequence[Numbered]) -> None:
        """What an event tells, or what its whole group does: all of one position."""
        if not numbered:
            return
        self.remembered.keep(numbered)
        if numbered[0].position > self._sent:
            self._messages.extend(numbered)
            if self._trace is not None:
                for one in numbered:
                    self._following.take(one.position, self._trace)
        if self._last is not None:
            self._last[2].extend(numbered)

    def _plan(self) -> None:
        """Make the rows of the last event, now that all it says is known."""
        if self._last is not None and self._last[0] > self._sent:
            self._rows += self._outlet.plan(self._telling.workspace, *self._last)
        self._last = None

    async def _hand_on(self, whole: Position) -> None:
        """Rows first: once the position is saved, nobody makes them again."""
        self._plan()
        bodies = await rendered(self._outlet.store.vault, self._messages)
        if self._rows:
            await self._outlet.store.outbox.add(self._rows)
            self._outlet.planned(self._rows)
            self._rows = []
        await self._outlet.sending.room()
        sendable = list(self._sendable(bodies))
        self._following.end_all("messages")
        self._messages = []
        self.position = self._telling.workspace.position
        self._whole = whole
        self._outlet.sending.add(self._workspace_id, sendable, self._saveable())

    def _saveable(self) -> Position | None:
        """Where to begin after a death: before a message that is held back, or after everything."""
        held = self._queue.held
        upto = self._whole if held is None else Position(min(self._whole, held[0].position - 1))
        return upto if upto > self._sent else None

    def _sendable(self, bodies: Sequence[bytes]) -> Iterator[Message]:
        """All messages but a change of the queue that comes too soon after another."""
        workspace_id = self._workspace_id
        for message, body in zip(self._messages, bodies, strict=True):
            told = message.notification
            if told.type != QUEUE_CHANGED or self._queue.passes((message, body)):
                trace = self._following.traces.get(message.position, "")
                yield feed_subject(workspace_id, told.recipient), body, trace

    # --- changes of the queue, which come in floods ----------------------------------------------

    def _tell_queue(self, held: tuple[Numbered, bytes]) -> None:
        message, body = held
        subject = feed_subject(self._workspace_id, message.notification.recipient)
        self._outlet.sending.add(self._workspace_id, [(subject, body, "")], self._saveable())


class _AtMostOften:
    """Lets one message through, then holds the latest back until ``every_s`` is over."""

    def __init__(self, every_s: float, late: Callable[[tuple[Numbered, bytes]], None]) -> None:
        self.held: tuple[Numbered, bytes] | None = None
        self._every_s = every_s
        self._late = late
        self._pause: asyncio.TimerHandle | None = None

    def passes(self, message: tuple[Numbered, bytes]) -> bool:
        """Whether it may be sent now; if not, it or a later one is when the time has come."""
        if self._pause is not None:
            self.held = message
            return False
        self._begin_pause()
        return True

    def end(self) -> None:
        if self._pause is not None:
            self._pause.cancel()

    def _begin_pause(self) -> None:
        self._pause = asyncio.get_running_loop().call_later(self._every_s, self._over)

    def _over(self) -> None:
        self._pause = None
        held, self.held = self.held, None
        if held is not None:
            self._begin_pause()
            self._late(held)
