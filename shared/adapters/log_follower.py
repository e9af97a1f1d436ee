"""Following the log of every workspace as it grows, for services that read and never append.

Notices of new heads wake it; a look at all heads once a second makes good for those that were
lost. What is handed over comes from the log alone, by position.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import structlog

from shared.ports import (
    Bus,
    CommitInDoubt,
    LogCorrupt,
    LogReader,
    Message,
    StoredRow,
    StoreError,
    StoreUnavailable,
)
from shared.routing.commands import Refused
from shared.routing.events import Envelope
from shared.routing.following import Unfit
from shared.routing.ids import Position, WorkspaceId
from shared.wire.log_codec import UndecodableEvent, decode_event
from shared.wire.notices import read_position
from shared.wire.subjects import HEADS, parse_head

log = structlog.get_logger()

Events = Sequence[tuple[Position, Envelope]]
T = TypeVar("T")

POLL_S = 1.0
"""How often all heads are looked at."""
HEADS_AT_ONCE = 256
"""Workspaces in one question for heads; the questions are spread over ``POLL_S``."""
READS = 8
"""Workspaces read side by side: the store has others to serve."""
CHUNK_EVENTS = 256
"""Handed over at once: a few milliseconds, after which others get their turn. Whole groups, so
that it may be more."""
PAUSE_S = 0.1
PAUSE_MAX_S = 2.0
"""Between two tries while the store is away, each pause twice the last."""
BEHIND_PAUSE_S = 0.01
BEHIND_TRIES = 8
"""How often to look for what a notice speaks of, each pause twice the last: 2.5 s in all."""


class Stopped(Exception):
    """The workspace is not followed any further; the message says why."""


class _Progress:
    """How far one workspace was handed over, and how far it is said to reach.

    Whoever is not ``following`` it has handed over all that was noticed, or has ``stopped``.
    """

    def __init__(self) -> None:
        self.position = Position(0)
        self.noticed = Position(0)
        self.begun = False
        self.following = False
        self.stopped: Stopped | None = None


class LogFollower:
    """Hands over the events of every workspace, each once and in order. ``run`` does the work.

    ``on_events`` is awaited for one chunk of a workspace after the other, and for several
    workspaces side by side. Where it raises ``StoreUnavailable`` or ``CommitInDoubt`` it gets the
    same chunk again. ``LogCorrupt``, ``Unfit`` and any fault in it stop that workspace alone;
    another ``StoreError`` ends everything.
    """

    def __init__(
        self,
        reader: LogReader,
        bus: Bus,
        on_events: Callable[[WorkspaceId, Events], Awaitable[None]],
        *,
        begin: Callable[[WorkspaceId], Awaitable[Position]] | None = None,
        passed_over: frozenset[str] = frozenset(),
        poll_s: float = POLL_S,
        chunk_events: int = CHUNK_EVENTS,
        rest_s: float = 0.0,
    ) -> None:
        """``begin`` says after which position a workspace is to be handed over, at the end of a
        group of events; it is asked once, or until it raises nothing. Without it: from the first.

        ``passed_over``: topics of events that are not even decoded, but for the last of a chunk.
        ``rest_s``: how long to let more come of a workspace once it was read to its end, for who
        is in no hurry: a reading costs as much as a hundred events.
        """
        self._reader = reader
        self._bus = bus
        self._on_events = on_events
        self._begin = begin
        self._passed_over = passed_over
        self._poll_s = poll_s
        self._chunk_events = chunk_events
        self._rest_s = rest_s
        self._progress: dict[WorkspaceId, _Progress] = {}
        self._waiting: dict[WorkspaceId, dict[asyncio.Future[None], Position]] = {}
        self._heads_at_start: dict[WorkspaceId, Position] = {}
        self._started = asyncio.Event()
        self._outage = _Outage()
        self._reading = asyncio.Semaphore(READS)
        self._running: set[asyncio.Task[None]] | None = None
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- what its owner may ask -------------------------------------------------------------

    def noticed(self, workspace_id: WorkspaceId) -> Position:
        """The highest head that was heard of; 0 for a workspace of which nobody spoke."""
        progress = self._progress.get(workspace_id)
        return progress.noticed if progress is not None else Position(0)

    def handed_over(self, workspace_id: WorkspaceId) -> Position:
        """The last position that was handed over; 0 if none was."""
        progress = self._progress.get(workspace_id)
        return progress.position if progress is not None else Position(0)

    @property
    def lag(self) -> int:
        """Events that were heard of and are not handed over, of all that are still followed."""
        followed = [one for one in self._progress.values() if one.stopped is None]
        return sum(one.noticed - one.position for one in followed)

    @property
    def unfollowed(self) -> int:
        """Workspaces that are followed no further."""
        return sum(one.stopped is not None for one in self._progress.values())

    async def reach(self, workspace_id: WorkspaceId, position: Position) -> None:
        """Wait until this position was handed over, for as long as the caller likes.

        Raises ``Stopped`` if it never will be.
        """
        progress = self._progress.get(workspace_id)
        if progress is not None and progress.position >= position:
            return
        if progress is not None and progress.stopped is not None:
            raise Stopped(str(progress.stopped))
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(workspace_id, {})
        waiting[reached] = position
        try:
            await reached
        finally:
            del waiting[reached]
            if not waiting:
                del self._waiting[workspace_id]

    async def caught_up(self) -> None:
        """Wait until each workspace that was there at the start was handed over up to then."""
        await self._started.wait()
        await self._reach_all(self._heads_at_start)

    async def catch_up(self) -> None:
        """Look at all heads now, and wait until everything up to them was handed over.

        Raises ``StoreError`` if they cannot be looked at.
        """
        await self._reach_all(await self._look(0.0))

    async def _reach_all(self, heads: Mapping[WorkspaceId, Position]) -> None:
        for workspace_id, head in heads.items():
            with contextlib.suppress(Stopped):
                await self.reach(workspace_id, head)

    # --- hearing ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow until cancelled. Raises the ``StoreError`` that ended it, if one did."""
        self._running = set()
        subscription = await self._bus.subscribe(HEADS, self._on_notice)
        watching = asyncio.create_task(self._watch(), name="heads")
        try:
            ended: set[asyncio.Future[None]] = {watching, self._failure}
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            for one in ended:
                if one.done():
                    one.result()
        finally:
            tasks, self._running = [watching, *self._running], None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await subscription.stop()

    async def _watch(self) -> None:
        """Look at all heads, at once for a start and then again and again."""
        over_s = 0.0
        while True:
            try:
                heads = await self._look(over_s)
            except StoreError as error:
                await self._outage.pause(error)
                continue
            self._outage.over()
            if not self._started.is_set():
                self._heads_at_start = heads
                self._started.set()
            over_s = self._poll_s

    async def _look(self, over_s: float) -> dict[WorkspaceId, Position]:
        """One look at every head, spread over this time."""
        heads: dict[WorkspaceId, Position] = {}
        workspaces = await self._reader.workspaces()
        starts = range(0, len(workspaces), HEADS_AT_ONCE) or range(1)
        for start in starts:
            await asyncio.sleep(over_s / len(starts))
            some = await self._reader.heads(workspaces[start : start + HEADS_AT_ONCE])
            for workspace_id, head in some.items():
                self._hear(workspace_id, head)
            heads.update(some)
        return heads

    def _on_notice(self, message: Message) -> None:
        head, position = parse_head(message.subject), read_position(message.data)
        if isinstance(head, Refused) or position is None:
            log.warning("notice_refused", subject=message.subject)
        else:
            self._hear(head.workspace_id, position)

    def _hear(self, workspace_id: WorkspaceId, head: Position) -> None:
        if head == 0 or self._running is None:
            return
        progress = self._progress.get(workspace_id)
        if progress is None:
            progress = self._progress[workspace_id] = _Progress()
        if head <= progress.noticed:
            return
        progress.noticed = head
        if not progress.following and progress.stopped is None:
            progress.following = True
            task = asyncio.create_task(self._follow(workspace_id, progress))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    # --- reading ----------------------------------------------------------------------------

    async def _follow(self, workspace_id: WorkspaceId, progress: _Progress) -> None:
        """Hand over what was noticed, then end. Nothing that is raised here gets lost."""
        try:
            await self._catch_up(workspace_id, progress)
        except (LogCorrupt, UndecodableEvent, Unfit) as error:
            log.error("following_stopped", workspace=workspace_id, reason=error)
            self._stop(workspace_id, progress, str(error))
        except StoreError as error:
            if not self._failure.done():
                self._failure.set_exception(error)
        except Exception as error:
            # A fault in what one workspace's events are put to must not keep others waiting.
            log.exception("following_failed", workspace=workspace_id, after=progress.position)
            self._stop(workspace_id, progress, repr(error))
        finally:
            progress.following = False

    async def _catch_up(self, workspace_id: WorkspaceId, progress: _Progress) -> None:
        if self._begin is not None and not progress.begun:
            begin = partial(self._begin, workspace_id)
            self._came_to(workspace_id, progress, await self._insist(begin))
        progress.begun = True
        tries = 0
        while progress.position < progress.noticed:
            events = await self._read(workspace_id, progress.position)
            if events:
                await self._hand_over(workspace_id, progress, events)
                tries = 0
                if self._rest_s and progress.position >= progress.noticed:
                    await asyncio.sleep(self._rest_s)
            elif tries < BEHIND_TRIES:  # the notice was faster than the store, or is not true
                await asyncio.sleep(BEHIND_PAUSE_S * 2**tries)
                tries += 1
            else:
                log.warning("notice_not_true", workspace=workspace_id, noticed=progress.noticed)
                progress.noticed = progress.position
        if progress.position == 0:
            del self._progress[workspace_id]

    async def _read(self, workspace_id: WorkspaceId, after: Position) -> Events:
        """The next events, in whole groups: whoever is handed them finds the log at rest.

        Where the log ends for now, a group does: it is committed as a whole. Elsewhere one event
        more is read, to see whether it begins another.
        """
        at_most = self._chunk_events
        while True:
            rows = await self._rows(workspace_id, after, Position(after + at_most + 1))
            whole = rows if len(rows) <= at_most else _whole_groups(rows)
            if whole or not rows:
                return _decoded(whole, self._passed_over)
            at_most *= 2

    async def _rows(
        self, workspace_id: WorkspaceId, after: Position, upto: Position
    ) -> Sequence[StoredRow]:
        """The next rows. A gap behind some of them is met when it comes first."""
        async with self._reading:
            while True:
                rows: list[StoredRow] = []
                try:
                    async for some in self._reader.read(workspace_id, after, upto):
                        rows.extend(some)
                except LogCorrupt:
                    if not rows:
                        raise
                except StoreUnavailable as error:
                    await self._outage.pause(error)
                    continue
                self._outage.over()
                return rows

    async def _hand_over(
        self, workspace_id: WorkspaceId, progress: _Progress, events: Events
    ) -> None:
        await self._insist(partial(self._on_events, workspace_id, events))
        self._came_to(workspace_id, progress, events[-1][0])
        await asyncio.sleep(0)

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until the store is there."""
        while True:
            try:
                answer = await call()
            except (StoreUnavailable, CommitInDoubt) as error:
                await self._outage.pause(error)
            else:
                self._outage.over()
                return answer

    def _came_to(self, workspace_id: WorkspaceId, progress: _Progress, position: Position) -> None:
        progress.position = position
        progress.noticed = max(progress.noticed, position)
        for reached, wanted in self._waiting.get(workspace_id, {}).items():
            if wanted <= position and not reached.done():
                reached.set_result(None)

    def _stop(self, workspace_id: WorkspaceId, progress: _Progress, why: str) -> None:
        progress.stopped = Stopped(f"{workspace_id} after position {progress.position}: {why}")
        for reached in self._waiting.get(workspace_id, {}):
            if not reached.done():
                reached.set_exception(Stopped(str(progress.stopped)))


class _Outage:
    """Whether the store is away: told once when it goes and once when it is back."""

    def __init__(self) -> None:
        self._failures = 0

    async def pause(self, error: StoreError) -> None:
        if self._failures == 0:
            log.warning("log_not_read", reason=error)
        self._failures += 1
        await asyncio.sleep(min(PAUSE_S * 2 ** min(self._failures, 10), PAUSE_MAX_S))

    def over(self) -> None:
        if self._failures:
            log.info("log_read_again", after_tries=self._failures)
            self._failures = 0


def _whole_groups(rows: Sequence[StoredRow]) -> Sequence[StoredRow]:
    """Without the last event, nor others of its group; all of them if that cannot be read."""
    last = rows[-1]
    try:
        first = decode_event(last.topic, last.state).first
    except UndecodableEvent:
        return rows
    return rows[: max(first - rows[0].position, 0)]


def _decoded(rows: Sequence[StoredRow], passed_over: frozenset[str]) -> Events:
    """The events before the first that cannot be read; raises ``UndecodableEvent`` if none are."""
    events: list[tuple[Position, Envelope]] = []
    last = len(rows) - 1
    for number, row in enumerate(rows):
        if row.topic in passed_over and number < last:
            continue
        try:
            events.append((row.position, decode_event(row.topic, row.state)))
        except UndecodableEvent:
            if number == 0:
                raise
            return _decoded(rows[:number], passed_over)
    return events
