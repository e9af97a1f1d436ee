"""Sends messages in their order, knows which of them the server has seen, and keeps how far it got.

What was sent over a connection that was lost may have been lost with it: everything since the last
barrier is then sent again over the next one, in the same order and before anything new.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, Progress, StoreError
from shared.routing.ids import Position, WorkspaceId
from shared.runtime.failpoints import FAILPOINTS

log = structlog.get_logger()

SAVE_EVERY_S = 0.1
"""Pause between two barriers, and so between two savings: what a death repeats is at most that."""
UNSEEN_MAX = 20_000
"""Messages that the server has not been seen to have; whoever brings more waits."""
PUBLISHED_AT_ONCE = 500
"""Messages that are queued for the socket together, or wait together: some 100 kB."""

Message = tuple[str, bytes, str]
"""Subject, body and trace parent, if any, of one message to one feed."""


class _Mark(NamedTuple):
    """Once so many messages were seen, the workspace is sent up to ``position``."""

    after: int
    workspace_id: WorkspaceId
    position: Position


class Sending:
    """The line of messages to all feeds. ``run`` serves it until cancelled."""

    def __init__(self, bus: Bus, progress: Progress, may_send: Callable[[], bool]) -> None:
        self._bus = bus
        self._progress = progress
        self._may_send = may_send
        self._unseen: list[Message] = []
        self._seen = 0
        """Messages that the server has, since the start."""
        self._handed_on = 0
        """Messages of the line that were given to the present connection."""
        self._connection: int | None = None
        self._marks: deque[_Mark] = deque()
        self._unsaved: dict[WorkspaceId, Position] = {}
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(
        self, workspace_id: WorkspaceId, messages: Sequence[Message], upto: Position | None
    ) -> None:
        """Send the messages after all before them; then the workspace is sent ``upto`` there."""
        self._unseen.extend(messages)
        if upto is not None:
            self._marks.append(_Mark(self._seen + len(self._unseen), workspace_id, upto))
        if len(self._unseen) >= UNSEEN_MAX:
            self._room.clear()
        self._idle.clear()
        self._work.set()
        self._hand_on()

    @property
    def unseen(self) -> int:
        """Messages that the server is not known to have."""
        return len(self._unseen)

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    async def drained(self) -> None:
        """Wait until everything is seen and saved."""
        await self._idle.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._work.wait()
            await self._barrier()
            await self._save()
            if not (self._unseen or self._marks or self._unsaved):
                self._work.clear()
                self._idle.set()
            await asyncio.sleep(SAVE_EVERY_S)

    def _hand_on(self) -> None:
        """Publish what the present connection did not get yet, as far as it takes it."""
        number = self._bus.connection
        if number is None or not self._may_send():
            return
        if number != self._connection:
            self._connection, self._handed_on = number, 0
        while some := self._unseen[self._handed_on : self._handed_on + PUBLISHED_AT_ONCE]:
            FAILPOINTS.passing("before_feed", len(some))
            try:
                self._bus.publish_all(some)
            except NotSent as error:
                log.info("feeds_wait", reason=error, unseen=len(self._unseen))
                return
            FAILPOINTS.passing("after_feed", len(some))
            self._handed_on += len(some)

    async def _barrier(self) -> None:
        """Find out what the server has seen."""
        self._hand_on()
        handed_on, connection = self._handed_on, self._connection
        if handed_on:
            try:
                if await self._bus.flush() != connection:
                    return
            except ConnectionError as error:
                log.info("feeds_wait", reason=error, unseen=len(self._unseen))
                return
            self._forget(handed_on)
        while self._marks and self._marks[0].after <= self._seen:
            _, workspace_id, position = self._marks.popleft()
            self._unsaved[workspace_id] = position

    def _forget(self, seen: int) -> None:
        del self._unseen[:seen]
        self._seen += seen
        self._handed_on -= seen
        if len(self._unseen) < UNSEEN_MAX:
            self._room.set()

    async def _save(self) -> None:
        """Keep how far each workspace was sent, now or, if the store is away, next time."""
        saving, self._unsaved = self._unsaved, {}
        if not saving:
            return
        FAILPOINTS.passing("before_progress")
        try:
            await self._progress.save(saving)
        except StoreError as error:
            log.warning("progress_not_saved", reason=error)
            self._unsaved = saving | self._unsaved
        else:
            FAILPOINTS.passing("after_progress")
