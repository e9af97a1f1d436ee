"""One workspace on duty: its jobs in order, its state, and what to do when a commit is lost.

States: *loading* (jobs are kept), *on duty* (jobs are decided at once), *ended*. Whenever rows are
lost the state is void: it is dropped, read again from the log, and everything that was not
committed is decided again, in the order in which it came.

On duty, too, jobs are kept while something settled is fetched that the first of them names. One
that is about more than it names steps aside while that is searched for, and comes last then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Protocol

import structlog

from services.router.decider import Decider
from services.router.searching import Search, search_for
from services.router.units import Job, Unit
from shared.audit.past import SnapshotsGone
from shared.audit.snapshots import BadSnapshot
from shared.ports import LogCorrupt, StoreError
from shared.routing.commands import Refused
from shared.routing.ids import Position, WorkspaceId
from shared.wire.requests import CommandRequest

log = structlog.get_logger()

JOBS_MAX = 16_384
"""Jobs of one workspace that may wait for their answer; beyond it ``overloaded``, at once."""

FETCHED_FOR_MAX = 1_000
"""For so many jobs in the line at once it is looked what has to be fetched."""
RETRY_S = 0.2
"""Pause between two tries to read what is settled."""


class Outlet(Protocol):
    """Where units go: rows to the committer, and answers out once they may be given."""

    def commit(self, live: "LiveWorkspace", unit: Unit) -> None: ...

    def release(self, live: "LiveWorkspace", unit: Unit) -> None: ...

    def announce(self, live: "LiveWorkspace", position: Position) -> None: ...

    def refuse(self, job: Job, refused: Refused) -> None: ...

    def reload(self, live: "LiveWorkspace") -> None: ...


class LiveWorkspace:
    """Takes jobs and hands on units; ``committed`` and ``lost`` tell it what became of them."""

    def __init__(self, workspace_id: WorkspaceId, outlet: Outlet) -> None:
        self.workspace_id = workspace_id
        self.generation = 0
        """Raised with every reload; units of an earlier one are void."""
        self.trusts_snapshots = True
        self._outlet = outlet
        self._decider: Decider | None = None
        self.under_way: set[int] = set()
        """``id`` of each pending unit that the committer has sent to the store."""
        self._pending: deque[Unit] = deque()
        self._waiting: deque[Job] = deque()
        self._fetching = False
        self._searching: dict[int, Job] = {}
        """By ``id``, those that stepped aside."""
        self._found: dict[int, Search] = {}
        """By the ``id`` of its job, what was found for those that are back in the line."""

    @property
    def position(self) -> Position:
        """The speculative head; 0 while loading."""
        return self._decider.position if self._decider is not None else Position(0)

    @property
    def jobs(self) -> int:
        """Jobs that wait for their answer."""
        return len(self._pending) + len(self._waiting) + len(self._searching)

    def submit(self, job: Job) -> None:
        """Decide on the job now, or keep it until all that it needs is in memory."""
        if self.jobs >= JOBS_MAX:
            text = f"{JOBS_MAX} commands of this workspace are under way"
            self._outlet.refuse(job, Refused("overloaded", text))
        else:
            self._waiting.append(job)
            self._go_on()

    def due_in_ms(self) -> int | None:
        return self._decider.due_in_ms() if self._decider is not None else None

    def wake(self) -> None:
        """Apply the timers that are due."""
        if self._decider is None:
            return
        unit = self._decider.wake()
        if unit is not None:
            self._hand_on(unit)

    def note_presence(self, *, stale: bool) -> None:
        """See ``Decider.note_presence``. While loading it is not noted: say it again."""
        if self._decider is None:
            return
        unit = self._decider.note_presence(stale=stale)
        if unit is not None:
            self._hand_on(unit)

    # --- what became of it ------------------------------------------------------------------

    def grown(self, position: Position) -> None:
        """The log reaches up to ``position``: others hear that before any answer relies on it."""
        self._outlet.announce(self, position)

    def committed(self, unit: Unit) -> None:
        """The rows of the oldest pending unit are durable: what it says may be said.

        Units without rows that waited behind it are released with it.
        """
        assert self._pending
        assert self._pending[0] is unit
        self._pending.popleft()
        self._outlet.release(self, unit)
        while self._pending and not self._pending[0].rows:
            self._outlet.release(self, self._pending.popleft())

    def lost(self, why: str, *, in_doubt: bool = False) -> None:
        """What is pending was not written, or nobody knows: decide it again from the log.

        ``in_doubt``: what is under way may have been written, or may still be. A command with an
        id is found in the log then; one without would be carried out twice, so nobody answers it.
        """
        log.warning("state_dropped", workspace=self.workspace_id, why=why, units=len(self._pending))
        again = [unit for unit in self._pending if not (in_doubt and self._is_risky(unit))]
        self._drop([unit.job for unit in again if unit.job is not None])

    def _is_risky(self, unit: Unit) -> bool:
        """Whether it is under way and could not be told from a second one like it."""
        asked = unit.job.asked if unit.job is not None else None
        nameless = isinstance(asked, CommandRequest) and asked.command_id is None
        return nameless and id(unit) in self.under_way

    def _drop(self, jobs: list[Job]) -> None:
        self._waiting.extendleft(reversed([*jobs, *self._searching.values()]))
        self._void()
        self._outlet.reload(self)

    def _void(self) -> None:
        self.generation += 1
        if self._decider is not None:
            self._decider.settled.end()
        self._decider = None
        self._pending.clear()
        self._fetching = False
        self._searching.clear()
        self._found.clear()

    def loaded(self, decider: Decider) -> None:
        """The state as the log has it; everything that waited is decided on now."""
        self._decider = decider
        if decider.position:
            self.grown(decider.position)  # whoever wrote it may have died before saying so
        self.wake()
        self._go_on()

    def end(self) -> list[Job]:
        """Nothing is answered any more; the jobs that will not be."""
        jobs = [unit.job for unit in self._pending if unit.job is not None]
        jobs.extend((*self._searching.values(), *self._waiting))
        self._void()
        self._waiting.clear()
        return jobs

    # --- what is not in memory --------------------------------------------------------------

    def _go_on(self) -> None:
        """Decide on what waits, up to a job that needs what is not in memory."""
        while self._waiting and self._decider is not None and not self._fetching:
            decider, job = self._decider, self._waiting[0]
            if decider.settled.lacking(job.asked):
                self._fetching = True
                decider.settled.tasks.start(self._fetch(decider), f"fetch {self.workspace_id}")
                return
            self._waiting.popleft()
            search = self._found.pop(id(job), None)
            if search is not None and search.put_in():
                self._decide(decider, job)
                continue
            search = search_for(decider.settled, job.asked)
            if search is None:
                self._decide(decider, job)
            else:
                self._searching[id(job)] = job
                searching = self._search(decider, job, search)
                decider.settled.tasks.start(searching, f"search {self.workspace_id}")

    async def _fetch(self, decider: Decider) -> None:
        """Bring in what the jobs at the head of the line name, all at once."""
        asked = [job.asked for job in islice(self._waiting, FETCHED_FOR_MAX)]
        keys = {key: None for one in asked for key in decider.settled.lacking(one)}
        if await self._is_read(decider, lambda: decider.settled.fetch(list(keys))):
            self._fetching = False
            self._go_on()

    async def _search(self, decider: Decider, job: Job, search: Search) -> None:
        try:
            is_read = await self._is_read(decider, search.run)
        except LogCorrupt as error:
            log.error("log_corrupt", workspace=self.workspace_id, reason=str(error))
            if self._decider is decider:
                del self._searching[id(job)]
                self._outlet.refuse(job, Refused("unavailable", "the log could not be read"))
            return
        if is_read:
            del self._searching[id(job)]
            self._found[id(job)] = search
            self._waiting.append(job)
            self._go_on()

    async def _is_read(self, decider: Decider, read: Callable[[], Awaitable[None]]) -> bool:
        """Read until that succeeds; false if the state was dropped meanwhile, or has to be."""
        while self._decider is decider:
            try:
                await read()
            except (SnapshotsGone, BadSnapshot) as error:
                if self._decider is decider:
                    self.trusts_snapshots = isinstance(error, SnapshotsGone)
                    self.lost(str(error))
            except LogCorrupt:
                raise
            except StoreError as error:
                log.warning("settled_not_read", workspace=self.workspace_id, reason=str(error))
                await asyncio.sleep(RETRY_S)
            else:
                return self._decider is decider
        return False

    # --- deciding ---------------------------------------------------------------------------

    def _decide(self, decider: Decider, job: Job) -> None:
        try:
            unit = decider.take(job)
        except Exception:
            # A fault in the rules must not take the other workspaces down, nor be tried for ever:
            # the job is answered, the half-changed state dropped, the rest decided again.
            log.exception(
                "decision_failed", workspace=self.workspace_id, request=type(job.asked).__name__
            )
            text = "this could not be decided because of a fault in the router; it is in its log"
            self._outlet.refuse(job, Refused("unavailable", text))
            self.lost("a decision failed", in_doubt=True)
        else:
            self._hand_on(unit)

    def _hand_on(self, unit: Unit) -> None:
        if unit.rows:
            self._pending.append(unit)
            self._outlet.commit(self, unit)
        elif self._pending:
            self._pending.append(unit)
        else:
            self._outlet.release(self, unit)
