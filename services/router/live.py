"""One workspace on duty: its jobs in order, its state, and what to do when a commit is lost.

States: *loading* (jobs are kept), *on duty* (each is decided at its turn), *ended* (somebody else
is on duty, or nobody can be). Whenever rows are lost the state is void: it is dropped, read again
from the log, and everything that was not committed is decided again, in the order in which it came.

On duty, too, jobs are kept while something settled is fetched that the first of them names. One
that is about more than it names steps aside while that is searched for, and comes last then.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Protocol

import structlog

from services.router.crowd import Crowd
from services.router.decider import Decider
from services.router.searching import Search, search_for
from services.router.units import Job, Unit
from shared.audit.past import SnapshotsGone
from shared.audit.snapshots import BadSnapshot
from shared.ports import LogCorrupt, StoreError
from shared.routing.commands import Refused
from shared.routing.ids import Position, WorkspaceId
from shared.routing.workspace import Workspace
from shared.runtime import spans
from shared.wire.requests import CommandRequest

log = structlog.get_logger()

FETCHED_FOR_MAX = 1_000
"""For so many jobs in the line at once it is looked what has to be fetched."""
RETRY_S = 0.2
"""Pause between two tries to read what is settled."""


class Outlet(Protocol):
    """Where units go: rows to the committer, and answers out once they may be given.

    ``decide`` asks for a turn.
    """

    def decide(self, live: "LiveWorkspace") -> None: ...

    def commit(self, live: "LiveWorkspace", unit: Unit) -> None: ...

    def release(self, live: "LiveWorkspace", unit: Unit) -> None: ...

    def may_answer(self) -> bool: ...

    def announce(self, live: "LiveWorkspace", position: Position) -> None: ...

    def refuse(self, job: Job, refused: Refused) -> None: ...

    def reload(self, live: "LiveWorkspace") -> None: ...


class LiveWorkspace:
    """Takes jobs and hands on units; ``committed`` and ``lost`` tell it what became of them."""

    def __init__(self, workspace_id: WorkspaceId, outlet: Outlet, crowd: Crowd) -> None:
        self.workspace_id = workspace_id
        self.generation = 0
        """Raised with every reload; units of an earlier one are void."""
        self.trusts_snapshots = True
        self._outlet = outlet
        self._crowd = crowd
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
        self._settled: asyncio.Future[None] | None = None
        self.ended = False
        self._refusal: Refused | None = None

    @property
    def position(self) -> Position:
        """The speculative head; 0 while loading."""
        return self._decider.position if self._decider is not None else Position(0)

    @property
    def workspace(self) -> Workspace | None:
        """The speculative state; none while loading, or where it has ended."""
        return self._decider.workspace if self._decider is not None else None

    @property
    def jobs(self) -> int:
        """Jobs that wait for their answer, and timers' rows that wait for their commit."""
        return len(self._pending) + len(self._waiting) + len(self._searching)

    def refusal(self) -> Refused | None:
        """Why no other job may come in just now, if so."""
        return self._crowd.refusal(self._oldest_at())

    def _oldest_at(self) -> int | None:
        """When the oldest job came that waits for its answer; none where a timer is before it."""
        job = self._pending[0].job if self._pending else next(iter(self._waiting), None)
        return job.came_at if job is not None else None

    def submit(self, job: Job) -> None:
        """Keep the job until it is its turn."""
        if self.ended:
            if self._refusal is not None:
                self._outlet.refuse(job, self._refusal)
            return
        self._crowd.enter()
        self._waiting.append(job)
        self._ask_for_turn()

    def _ask_for_turn(self) -> None:
        if self._decider is not None and self._waiting and not self._fetching:
            self._outlet.decide(self)

    def take_turn(self) -> bool:
        """Decide on the job that has waited longest; whether there is another."""
        if self._decider is not None and self._waiting and not self._fetching:
            self._take(self._decider, self._waiting[0])
            self._look_whether_settled()
        return self._decider is not None and bool(self._waiting) and not self._fetching

    def due_in_ms(self) -> int | None:
        return self._decider.due_in_ms() if self._decider is not None else None

    def wake(self) -> None:
        """Apply the timers that are due."""
        self._do_unasked(lambda decider: decider.wake())

    def note_presence(self, *, stale: bool) -> None:
        """See ``Decider.note_presence``. While loading it is not noted: say it again."""
        self._do_unasked(lambda decider: decider.note_presence(stale=stale))

    def _do_unasked(self, do: Callable[[Decider], Unit | None]) -> None:
        if self._decider is None:
            return
        try:
            unit = do(self._decider)
        except Exception:
            # A fault in the rules, again. Nobody can be told, and it would come again with every
            # loading: so this workspace goes off duty, and no other does.
            log.exception("workspace_off_duty", workspace=self.workspace_id)
            text = "a fault in the router keeps the workspace off duty; it is in the router's log"
            self.end(Refused("unavailable", text))
            return
        if unit is not None:
            self._hand_on(unit)

    # --- what became of it ------------------------------------------------------------------

    def grown(self, position: Position) -> None:
        """The log reaches up to ``position``: others hear that before any answer relies on it."""
        if self.ended:
            return
        self._outlet.announce(self, position)

    def committed(self, unit: Unit) -> None:
        """The rows of the oldest pending unit are durable: what it says may be said.

        Units without rows that waited behind it are released with it. The commit shows that nobody
        else had written before it, so all of this is true however late it is said; what waits for
        no commit is said only while the leases last.
        """
        assert self._pending
        assert self._pending[0] is unit
        self._release(self._pending.popleft())
        while self._pending and not self._pending[0].rows:
            self._release(self._pending.popleft())
        self._look_whether_settled()

    def lost(self, why: str | Exception, *, in_doubt: bool = False) -> None:
        """What is pending was not written, or nobody knows: decide it again from the log.

        ``in_doubt``: what is under way may have been written, or may still be. A command with an
        id is found in the log then; one without would be carried out twice, so nobody answers it.
        """
        if self.ended:
            return
        log.warning("state_dropped", workspace=self.workspace_id, why=why, units=len(self._pending))
        again = [unit for unit in self._pending if not (in_doubt and self._is_risky(unit))]
        self._crowd.leave(len(self._pending) - len(again))
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
        """The state as the log has it; everything that waited has its turn now."""
        self._decider = decider
        if decider.position:
            self.grown(decider.position)  # whoever wrote it may have died before saying so
        self.wake()
        self._ask_for_turn()

    async def settled(self) -> None:
        """Wait until no job waits for its answer."""
        self._settled = asyncio.get_running_loop().create_future()
        self._look_whether_settled()
        await self._settled

    def _look_whether_settled(self) -> None:
        if self._settled is not None and not self._settled.done() and not self.jobs:
            self._settled.set_result(None)

    def end(self, refusal: Refused | None = None) -> None:
        """Nothing is answered any more, or with ``refusal`` everything is."""
        jobs = [unit.job for unit in self._pending if unit.job is not None]
        jobs.extend((*self._searching.values(), *self._waiting))
        self._crowd.leave(len(jobs))
        self.ended, self._refusal = True, refusal
        self._void()
        self._waiting.clear()
        for job in jobs:
            self.submit(job)
        self._look_whether_settled()

    # --- what is not in memory --------------------------------------------------------------

    def _take(self, decider: Decider, job: Job) -> None:
        """Decide on the first job in the line, or get what it needs."""
        if decider.settled.lacking(job.asked):
            self._fetching = True
            decider.settled.tasks.start(self._fetch(decider), f"fetch {self.workspace_id}")
            return
        self._waiting.popleft()
        search = self._found.pop(id(job), None)
        if search is None or not search.put_in():
            search = search_for(decider.settled, job.asked)
            if search is not None:
                self._searching[id(job)] = job
                searching = self._search(decider, job, search)
                decider.settled.tasks.start(searching, f"search {self.workspace_id}")
                return
        self._decide(decider, job)

    async def _fetch(self, decider: Decider) -> None:
        """Bring in what the jobs at the head of the line name, all at once."""
        asked = [job.asked for job in islice(self._waiting, FETCHED_FOR_MAX)]
        keys = {key: None for one in asked for key in decider.settled.lacking(one)}
        if await self._is_read(decider, lambda: decider.settled.fetch(list(keys))):
            self._fetching = False
            self._ask_for_turn()

    async def _search(self, decider: Decider, job: Job, search: Search) -> None:
        try:
            is_read = await self._is_read(decider, search.run)
        except LogCorrupt as error:
            log.error("log_corrupt", workspace=self.workspace_id, reason=error)
            if self._decider is decider:
                del self._searching[id(job)]
                self._refuse(job, "the log could not be read")
                self._look_whether_settled()
            return
        if is_read:
            del self._searching[id(job)]
            self._found[id(job)] = search
            self._waiting.append(job)
            self._ask_for_turn()

    async def _is_read(self, decider: Decider, read: Callable[[], Awaitable[None]]) -> bool:
        """Read until that succeeds; false if the state was dropped meanwhile, or has to be."""
        while self._decider is decider:
            try:
                await read()
            except (SnapshotsGone, BadSnapshot) as error:
                if self._decider is decider:
                    self.trusts_snapshots = isinstance(error, SnapshotsGone)
                    self.lost(error)
            except LogCorrupt:
                raise
            except StoreError as error:
                log.warning("settled_not_read", workspace=self.workspace_id, reason=error)
                await asyncio.sleep(RETRY_S)
            else:
                return self._decider is decider
        return False

    # --- deciding ---------------------------------------------------------------------------

    def _decide(self, decider: Decider, job: Job) -> None:
        span = job.span.child(spans.DECIDE) if job.span is not None else None
        try:
            unit = decider.take(job)
        except Exception:
            # A fault in the rules must not take the other workspaces down, nor be tried for ever:
            # the job is answered, the half-changed state dropped, the rest decided again.
            log.exception(
                "decision_failed", workspace=self.workspace_id, request=type(job.asked).__name__
            )
            if span is not None:
                span.end(outcome="fault")
            text = "this could not be decided because of a fault in the router; it is in its log"
            self._refuse(job, text)
            self.lost("a decision failed", in_doubt=True)
        else:
            if span is not None:
                span.end(events=len(unit.rows))
            self._hand_on(unit)

    def _hand_on(self, unit: Unit) -> None:
        if unit.rows:
            self._pending.append(unit)
            self._outlet.commit(self, unit)
        elif self._pending:
            self._pending.append(unit)
        else:
            self._release(unit, only_while_held=True)

    def _refuse(self, job: Job, why: str) -> None:
        self._crowd.leave()
        self._outlet.refuse(job, Refused("unavailable", why))

    def _release(self, unit: Unit, *, only_while_held: bool = False) -> None:
        if unit.job is not None:
            self._crowd.leave()
        if not only_while_held or self._outlet.may_answer():
            self._outlet.release(self, unit)
