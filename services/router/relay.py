"""Brings committed events into the stream for back ends, in order and without a gap.

It follows the log, not the router: what it has not yet published it can always read again, so the
stream may lag, be wiped or be purged and is right again afterwards.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from shared.adapters.event_stream import EventStream, Overtaken, StreamUnavailable
from shared.ports import EventStore, StoredRow, StoreError
from shared.ports.tracing import Tracer
from shared.routing.ids import Position, WorkspaceId
from shared.runtime import spans
from shared.runtime.failpoints import FAILPOINTS
from shared.runtime.following import Following
from shared.wire.log_codec import trace_of

log = structlog.get_logger()

BUFFERED_MAX = 2_000
"""Rows kept in memory for each workspace; what is beyond is read from the log again."""
REST_S = 0.05
"""How long to let more come of a workspace that was published up to its end. An event alone costs
the relay as much as a dozen in a batch, and the server twice what it costs there."""
RETRY_S = 1.0
"""Pause after the stream or the store could not be reached."""
WORKERS = 64
"""Workspaces published side by side."""


class _Progress:
    """How far one workspace is published. ``sequence`` is unknown until the stream was asked."""

    def __init__(self) -> None:
        self.sequence: int | None = None
        self.published = Position(0)
        self.rows: deque[StoredRow] = deque()
        self.head = Position(0)
        self.queued = False
        """In the line, being published or resting: one worker at a time for each workspace."""
        self.rest: asyncio.TimerHandle | None = None
        self.settled: asyncio.Future[None] | None = None
        self.forgotten = False

    def look_whether_settled(self) -> None:
        """Tell whoever waits that there is nothing left to publish."""
        over = self.forgotten or self.published >= self.head
        if over and self.settled is not None and not self.settled.done():
            self.settled.set_result(None)

    def keep(self, rows: Sequence[StoredRow]) -> None:
        """Keep rows that follow on those kept, as long as there is room; others are read again."""
        follow = not self.rows or self.rows[-1].position + 1 == rows[0].position
        if follow and len(self.rows) + len(rows) <= BUFFERED_MAX:
            self.rows.extend(rows)

    def next_rows(self) -> list[StoredRow]:
        """Buffered rows that follow directly on what is published."""
        while self.rows and self.rows[0].position <= self.published:
            self.rows.popleft()
        follows = self.rows and self.rows[0].position == self.published + 1
        return list(self.rows) if follows else []


class Relay:
    """Publishes what it is offered. ``run`` works until cancelled."""

    def __init__(
        self, store: EventStore, stream: EventStream, tracer: Tracer | None = None
    ) -> None:
        self._store = store
        self._stream = stream
        self._tracer = tracer
        self._progress: dict[WorkspaceId, _Progress] = {}
        self._line: asyncio.Queue[tuple[WorkspaceId, _Progress]] = asyncio.Queue()
        self.published = 0

    def offer(self, workspace_id: WorkspaceId, rows: Sequence[StoredRow]) -> None:
        """Committed rows, in order; never waits and never refuses."""
        progress = self._progress.setdefault(workspace_id, _Progress())
        progress.head = rows[-1].position
        progress.keep(rows)
        self._enqueue(workspace_id, progress)

    def resume(self, workspace_id: WorkspaceId, head: Position) -> None:
        """Look where the stream stands and publish what it lacks, up to ``head``."""
        progress = self._progress.setdefault(workspace_id, _Progress())
        progress.head = head
        self._enqueue(workspace_id, progress)

    def _enqueue(self, workspace_id: WorkspaceId, progress: _Progress) -> None:
        if not progress.queued:
            progress.queued = True
            self._line.put_nowait((workspace_id, progress))

    @property
    def lag(self) -> int:
        """Committed events that are not in the stream yet."""
        return sum(progress.head - progress.published for progress in self._progress.values())

    async def settled(self, workspace_id: WorkspaceId) -> None:
        """Wait until everything that was offered of this workspace is published."""
        progress = self._progress.get(workspace_id)
        if progress is not None:
            progress.settled = asyncio.get_running_loop().create_future()
            progress.look_whether_settled()
            if progress.rest is not None:
                self._rested(workspace_id, progress)
            await progress.settled

    def forget(self, workspace_id: WorkspaceId) -> None:
        """Somebody else publishes it from here on."""
        progress = self._progress.pop(workspace_id, None)
        if progress is not None:
            progress.forgotten = True
            progress.look_whether_settled()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while True:
            workspace_id, progress = await self._line.get()
            try:
                await self._publish(workspace_id, progress)
            except Overtaken as error:
                log.info("relay_overtaken", workspace=workspace_id, reason=error)
                progress.sequence = None
            except (StreamUnavailable, StoreError, TimeoutError) as error:
                log.warning("relay_waits", workspace=workspace_id, reason=error)
                progress.sequence = None
                await asyncio.sleep(RETRY_S)
            progress.look_whether_settled()
            self._rest(workspace_id, progress)

    def _rest(self, workspace_id: WorkspaceId, progress: _Progress) -> None:
        """Unless somebody waits for the rest, let more come."""
        if progress.settled is not None:
            self._rested(workspace_id, progress)
            return
        loop = asyncio.get_running_loop()
        progress.rest = loop.call_later(REST_S, self._rested, workspace_id, progress)

    def _rested(self, workspace_id: WorkspaceId, progress: _Progress) -> None:
        if progress.rest is not None:
            progress.rest.cancel()
        progress.rest, progress.queued = None, False
        if progress.published < progress.head and not progress.forgotten:
            self._enqueue(workspace_id, progress)

    async def _publish(self, workspace_id: WorkspaceId, progress: _Progress) -> None:
        if progress.sequence is None:
            await self._find_place(workspace_id, progress)
        while progress.published < progress.head and progress.sequence is not None:
            if progress.forgotten:
                return
            rows = progress.next_rows()
            if rows:
                await self._push(workspace_id, progress, rows)
                continue
            async for chunk in self._store.read(workspace_id, progress.published, progress.head):
                await self._push(workspace_id, progress, chunk)

    async def _push(
        self, workspace_id: WorkspaceId, progress: _Progress, rows: Sequence[StoredRow]
    ) -> None:
        assert progress.sequence is not None
        FAILPOINTS.passing("before_publish")
        told = Following(self._tracer, spans.PUBLISH, workspace_id)
        for row in rows if self._tracer is not None else ():
            told.take(row.position, trace_of(row.state))
        progress.sequence = await self._stream.publish(
            workspace_id, rows, progress.sequence, told.traces
        )
        told.end_all("events")
        progress.published = rows[-1].position
        self.published += len(rows)

    async def _find_place(self, workspace_id: WorkspaceId, progress: _Progress) -> None:
        """Go on behind the stream's last event if the log has the same one, else start over."""
        await self._stream.ensure()
        last = await self._stream.last(workspace_id)
        if last is None:
            progress.sequence, progress.published = 0, Position(0)
            return
        if await self._is_ours(workspace_id, last.position, last.state):
            progress.sequence, progress.published = last.sequence, last.position
            return
        log.warning("stream_disagrees_with_log", workspace=workspace_id, position=last.position)
        await self._stream.purge(workspace_id)
        progress.sequence, progress.published = 0, Position(0)

    async def _is_ours(self, workspace_id: WorkspaceId, position: Position, state: bytes) -> bool:
        if position < 1:
            return False
        before = Position(position - 1)
        async for rows in self._store.read(workspace_id, before, position):
            return rows[0].state == state
        return False
