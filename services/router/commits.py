"""Group commit: whenever the store is free, everything that is waiting goes in one transaction.

There is no timer. A lone command is committed at once; under load the batch is whatever arrived
while the last commit was under way.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from services.router.live import LiveWorkspace
from services.router.spans import begun_in, end_all
from services.router.tally import Tally
from services.router.units import Unit
from shared.ports import Append, Clock, CommitInDoubt, EventStore, LeaseLost, StoreUnavailable
from shared.routing.ids import WorkspaceId
from shared.runtime.failpoints import FAILPOINTS

log = structlog.get_logger()

ROWS_MAX = 1_000
"""Rows in one transaction; a unit is never cut."""


class _Waiting(NamedTuple):
    live: LiveWorkspace
    generation: int
    unit: Unit

    def is_void(self) -> bool:
        """Whether its workspace was dropped since: the unit is being decided again."""
        return self.generation != self.live.generation


class Commits:
    """The line of units before the store. ``run`` serves it.

    ``lost`` is told of partitions that turn out to be held by others; it ends what is in them.
    ``tally`` counts what became of it, by the ``clock`` that a job's coming is noted by.
    """

    def __init__(
        self,
        store: EventStore,
        leases: Mapping[int, int],
        lost: Callable[[Sequence[int]], None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._leases = leases
        self._lost = lost
        self._clock = clock
        self._line: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self.tally = Tally()

    def add(self, live: LiveWorkspace, unit: Unit) -> None:
        self._line.append(_Waiting(live, live.generation, unit))
        self._wake.set()

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            batch = self._take()
            if batch:
                await self._commit(batch)
                continue
            self._wake.clear()
            await self._wake.wait()

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        rows = 0
        while self._line and rows < ROWS_MAX:
            waiting = self._line.popleft()
            if not waiting.is_void():
                batch.append(waiting)
                rows += len(waiting.unit.rows)
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        FAILPOINTS.passing("before_insert")
        for waiting in batch:
            waiting.live.under_way.add(id(waiting.unit))
        begun = begun_in([waiting.unit for waiting in batch])
        began = self._clock.elapsed_ms()
        try:
            lost = await self._append(_appends(batch))
        except LeaseLost as error:
            end_all(begun, "lease_lost")
            self.tally.failed["lease_lost"] += 1
            self._lost(error.partitions)
            self._line.extendleft(reversed(batch))
            return
        except (StoreUnavailable, CommitInDoubt) as error:
            log.warning("commit_failed", error=type(error).__name__, reason=error)
            in_doubt = isinstance(error, CommitInDoubt)
            why = "in_doubt" if in_doubt else "unavailable"
            end_all(begun, why)
            self.tally.failed[why] += 1
            for live in dict.fromkeys(waiting.live for waiting in batch):
                live.lost(error, in_doubt=in_doubt)
            return
        finally:
            for waiting in batch:
                waiting.live.under_way.discard(id(waiting.unit))
        FAILPOINTS.passing("after_commit")
        now = self._clock.elapsed_ms()
        self.tally.commits.add(now - began)
        self.tally.conflicts += len(lost)
        end_all(begun, "committed", lost)
        for live in dict.fromkeys(waiting.live for waiting in batch):
            if live.workspace_id in lost:
                live.lost("another writer took the position")
        for live, position in {each.live: each.unit.rows[-1].position for each in batch}.items():
            if live.workspace_id not in lost:
                live.grown(position)
        for waiting in batch:
            if not waiting.is_void():
                self.tally.committed(waiting.unit, now)
                waiting.live.committed(waiting.unit)
                FAILPOINTS.passing("mid_batch")

    async def _append(self, appends: Sequence[Append]) -> frozenset[WorkspaceId]:
        if FAILPOINTS.armed != "before_commit":
            return await self._store.append(appends, self._leases)
        sent = asyncio.ensure_future(self._store.append(appends, self._leases))
        await asyncio.sleep(0)  # the statement is on its way, its outcome unknown
        FAILPOINTS.passing("before_commit")
        return await sent


def _appends(batch: Sequence[_Waiting]) -> list[Append]:
    """All rows of a workspace in one append, in their order."""
    units: dict[WorkspaceId, list[Unit]] = {}
    for waiting in batch:
        units.setdefault(waiting.live.workspace_id, []).append(waiting.unit)
    return [
        Append(
            workspace_id,
            [row for unit in several for row in unit.rows],
            [row for unit in several for row in unit.vault],
            [erasure for unit in several for erasure in unit.erase],
        )
        for workspace_id, several in units.items()
    ]
