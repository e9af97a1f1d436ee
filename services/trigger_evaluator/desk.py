"""One workspace: its views in their order, judged, reported, answered.

Whoever is not on duty takes views all the same, so that it knows the visits when its turn comes,
but judges none and says nothing.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Coroutine, Iterator
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple, Protocol

import structlog

from services.trigger_evaluator.judging import Firing, Judge, still_matters, would_change
from services.trigger_evaluator.knowledge import Compile, Knowledge
from services.trigger_evaluator.lane import Job, Lane
from services.trigger_evaluator.reports import NotTold, Told
from services.trigger_evaluator.sighting import Now
from services.trigger_evaluator.visit import Page, VisitKey, Visits
from shared.adapters.log_follower import Events, Stopped
from shared.routing.commands import Command, EndVisitorSession, Refused, SeeVisitor
from shared.routing.ids import (
    CommandId,
    Position,
    RuleId,
    SessionId,
    UnixMs,
    VisitorId,
    WorkspaceId,
)
from shared.routing.state import Visitor

log = structlog.get_logger()

JUDGED_AGAIN_MAX = 3
"""How often a view is judged again because a rule was changed while it was reported."""
NOWHERE = Position(0)
REMINDED_AT_ONCE = 100
LEARNT_LATE_MAX_MS = 60_000
"""A rule counts from when it was saved; what is learnt later than this counts from now on."""
RECENT_MAX = 8_192
"""Views that whoever takes over looks at again."""


class Report(NamedTuple):
    command: Command
    command_id: CommandId
    firing: Firing | None = None


class Floor(Protocol):
    """What all desks share."""

    visits: Visits
    views_max: int
    session_ms: int
    recent_ms: int
    compile_rule: Compile

    def now(self) -> Now: ...

    def acting(self) -> bool:
        """Whether this process may judge, report and answer at this moment."""
        ...

    async def reach(self, workspace_id: WorkspaceId) -> None:
        """Wait until all of the log that was heard of is known here. Raises ``Stopped``."""
        ...

    async def tell(self, desk: "Desk", report: Report) -> Told:
        """Report to the router. Raises ``NotTold``."""
        ...

    def current(self, workspace_id: WorkspaceId) -> bool:
        """Whether nothing was said of the log that could not be heard here."""
        ...

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do it beside everything else."""
        ...

    def work(self, desk: "Desk") -> None:
        """See to it that ``desk.run`` runs."""
        ...

    async def serve(self, desk: "Desk", job: Job, page: Page, reports: Iterator[Report]) -> None:
        """Have ``desk.carry_out`` run beside others, once there is a place for it."""
        ...

    def answer(self, reply: str, position: Position, fired: tuple[RuleId, ...]) -> None: ...

    def refuse(self, reply: str, refused: Refused) -> None: ...

    def remind(self, desk: "Desk", key: VisitKey, page: Page, at_ms: int) -> None:
        """Call ``desk.moment`` when it is that time."""
        ...


class Desk:
    """Takes views by ``submit`` and the log by ``on_events``."""

    def __init__(self, workspace_id: WorkspaceId, floor: Floor) -> None:
        self.workspace_id = workspace_id
        self.known = Knowledge(workspace_id, floor.compile_rule)
        self.judge = Judge(self.known)
        self.lane = Lane(views_max=floor.views_max)
        self.working = False
        self._floor = floor
        self._reminding = 0
        """How often a look at every visit was asked for since one began."""
        self._remind_since: Now | None = None
        """From when on the moments matter that it looks for."""
        self._recent: deque[Job] = deque(maxlen=RECENT_MAX)
        """Views taken while somebody else was on duty, or not reported before duty ended."""
        self._arranged: OrderedDict[VisitorId, int] = OrderedDict()
        """Visitors for whom rules arranged something, and when a page of theirs was seen last."""

    # --- what comes in ----------------------------------------------------------------------

    async def on_events(self, events: Events) -> None:
        for position, envelope in events:
            self.known.feed(position, envelope)
        self.known.rest()
        now_ms = self._floor.now().elapsed_ms
        for visitor_id in self.known.take_arranged():
            self._see_arranged(visitor_id, now_ms)
        changed_at = self.known.take_rules_changed()
        if changed_at is not None:
            self._remind_all(changed_at)

    def submit(self, job: Job) -> None:
        if not self.lane.add(job):
            if job.reply:
                text = "too many page views of this workspace wait to be judged"
                self._floor.refuse(job.reply, Refused("overloaded", text))
            elif self.lane.dropped & (self.lane.dropped - 1) == 0:
                log.warning("views_dropped", workspace=self.workspace_id, so_far=self.lane.dropped)
        elif not self.working:
            self.working = True
            self._floor.work(self)

    def moment(self, key: VisitKey, page: Page) -> None:
        """Time went by, and some rule may hold for the page now."""
        visit = self._floor.visits.get(key)
        if visit is not None and visit.page is page and self._floor.acting():
            now = self._floor.now()
            self.submit(Job(key, now, self.known.workspace.position, page=page))

    def take_over(self) -> None:
        """This process is on duty from now on."""
        self.resume()
        self._remind_all()

    def resume(self) -> None:
        """Judge again what nobody may have judged."""
        if not self._recent:
            return
        recent, self._recent = self._recent, deque(maxlen=RECENT_MAX)
        since_ms = self._floor.now().elapsed_ms - self._floor.recent_ms
        for job in recent:
            if job.received.elapsed_ms >= since_ms:
                job.again = True
                self.submit(job)

    def _remind_all(self, changed_at: UnixMs | None = None) -> None:
        """Look at every visit anew: which moments matter has changed, now or a little while ago."""
        if self._floor.acting() and self.known.rules().timed:
            self._reminding += 1
            since = self._floor.now()
            if changed_at is not None:
                ago_ms = min(max(since.wall_ms - changed_at, 0), LEARNT_LATE_MAX_MS)
                since = Now(UnixMs(since.wall_ms - ago_ms), since.elapsed_ms - ago_ms)
            if self._remind_since is None or since.elapsed_ms < self._remind_since.elapsed_ms:
                self._remind_since = since
            if self._reminding == 1:
                self._floor.start(self._remind_each(), f"moments {self.workspace_id}")

    async def _remind_each(self) -> None:
        """A few at a time, and once more if it was asked for meanwhile."""
        while self._reminding:
            asked_for = self._reminding
            since, self._remind_since = self._remind_since, None
            for number, visit in enumerate(self._floor.visits.of(self.workspace_id), start=1):
                self._remind(visit.key, visit.page, since)
                if number % REMINDED_AT_ONCE == 0:
                    await asyncio.sleep(0)
            self._reminding = 0 if self._reminding == asked_for else 1

    def sweep(self) -> list[Report]:
        """The sessions that are over and for which rules arranged something."""
        now = self._floor.now()
        over: list[Report] = []
        while self._arranged:
            visitor_id, seen_ms = next(iter(self._arranged.items()))
            if now.elapsed_ms - seen_ms < self._floor.session_ms:
                break
            del self._arranged[visitor_id]
            ended = self._end_of(visitor_id, now)
            if ended is not None:
                self._see_arranged(visitor_id, now.elapsed_ms)  # until the log says it is over
                over.append(ended)
        return over if self._floor.acting() else []

    def _see_arranged(self, visitor_id: VisitorId, now_ms: int) -> None:
        self._arranged[visitor_id] = now_ms
        self._arranged.move_to_end(visitor_id)

    def _end_of(self, visitor_id: VisitorId, now: Now) -> Report | None:
        visitor = self.known.workspace.visitors.get(visitor_id)
        if visitor is None or visitor.session is None:
            return None
        command = EndVisitorSession(visitor_id=visitor_id, session_id=visitor.session)
        if not would_change(self.known, command, now):
            return None
        position = self.known.workspace.position
        return Report(command, _command_id("ended", visitor_id, visitor.session, str(position)))

    # --- one job after the other ------------------------------------------------------------

    async def run(self) -> None:
        """Judge what waits; ends when nothing does."""
        while (job := self.lane.take()) is not None:
            try:
                behind = self.known.workspace.position < job.noticed
                if behind or not self._floor.current(self.workspace_id):
                    await self._floor.reach(self.workspace_id)
            except Stopped as stopped:
                text = "the log of the workspace cannot be read"
                self._floor.refuse(job.reply, Refused("unavailable", text))
                log.warning("view_not_judged", workspace=self.workspace_id, reason=stopped)
                continue
            page, reports = self._look(job)
            first = next(reports, None)
            if first is None or page is None:
                self._finish(job, page)
            else:
                self.lane.serve(job.key.visitor_id)
                await self._floor.serve(self, job, page, chain((first,), reports))
        self.working = False

    async def carry_out(self, job: Job, page: Page, reports: Iterator[Report]) -> None:
        """Report, then go on with what came of the same visitor meanwhile."""
        visitor_id = job.key.visitor_id
        waiting: Job | None = job
        at: Page | None = page
        while waiting is not None:
            try:
                position = await self._report(waiting, at, reports)
            except (NotTold, Stopped):
                text = "the router does not answer just now"
                self._floor.refuse(waiting.reply, Refused("unavailable", text))
                if not self._floor.acting():
                    self._recent.append(waiting)
            else:
                self._finish(waiting, at, position)
            waiting = self.lane.next_of(visitor_id)
            if waiting is not None:
                at, reports = self._look(waiting)

    async def _report(self, job: Job, page: Page | None, reports: Iterator[Report]) -> Position:
        position = Position(0)
        for _ in range(JUDGED_AGAIN_MAX):
            changed = False
            for report in reports:
                told = await self._floor.tell(self, report)
                position = max(position, told.position)
                if report.firing is not None and page is not None:
                    changed |= _note(page, report.firing, told)
            if not changed or page is None:
                break
            await self._floor.reach(self.workspace_id)
            reports = self._firings(job, page)
        return position

    def _look(self, job: Job) -> tuple[Page | None, Iterator[Report]]:
        """The page, and what to tell the router; for a view that was judged already nothing."""
        if job.view is None:
            return job.page, self._firings(job, job.page) if job.page is not None else iter(())
        point = job.view.entry_point_id
        if point not in self.known.workspace.entry_points:
            text = f"there is no entry point {point}"
            self._floor.refuse(
                job.reply, Refused("unknown_entry_point", text, {"entry_point_id": point})
            )
            return None, iter(())
        page = self._track(job)
        if not self._floor.acting():
            self._recent.append(job)
            return None, iter(())
        if page.judged:
            return page, iter(())
        return page, chain(self._signs(job), self._firings(job, page))

    def _track(self, job: Job) -> Page:
        assert job.view is not None
        now = job.received
        visitor = self.known.workspace.visitors.get(job.key.visitor_id)
        ago_ms = 0 if job.view.at is None else now.wall_ms - job.view.at
        visit, page, _ = self._floor.visits.track(
            job.key,
            job.view,
            job.name,
            now.elapsed_ms,
            known=_was_here(visitor, job.key.session_id),
            going_on=visitor.session if visitor is not None else None,
            ago_ms=ago_ms,
        )
        arranged = visitor is not None and visitor.session == visit.session_id
        if arranged and job.key.visitor_id in self._arranged:
            self._see_arranged(job.key.visitor_id, now.elapsed_ms)
        return page

    def _signs(self, job: Job) -> Iterator[Report]:
        """A page view is a sign of the visitor, where it matters to somebody."""
        command = SeeVisitor(visitor_id=job.key.visitor_id)
        if would_change(self.known, command, self._floor.now()):
            yield Report(command, _command_id("seen", job.key.visitor_id, job.name))

    def _firings(self, job: Job, page: Page) -> Iterator[Report]:
        now, timed = self._floor.now(), job.view is None
        visit = self._floor.visits.get(job.key)
        visitor = self.known.workspace.visitors.get(job.key.visitor_id)
        if visit is None or (timed and visitor is not None and visitor.away):
            return
        since_ms = job.received.wall_ms if job.again else 0
        if timed:  # whoever was on duty when the page was turned to may have fired the rule for it
            since_ms = now.wall_ms - (now.elapsed_ms - page.since_ms)
        key = VisitKey(self.workspace_id, job.key.visitor_id, visit.session_id)
        for firing in self.judge.firings(key, page, now, timed=timed, since_ms=since_ms):
            yield Report(firing.command, firing.command_id, firing)

    def _finish(self, job: Job, page: Page | None, position: Position = NOWHERE) -> None:
        """Answer, and look for the next moment at which something may fire."""
        if page is None:
            return
        page.judged = True
        if job.reply and self._floor.acting():
            position = max(position, self.known.workspace.position, *page.fired.values())
            self._floor.answer(job.reply, position, tuple(page.fired))
        self._remind(job.key, page)

    def _remind(self, key: VisitKey, page: Page, since: Now | None = None) -> None:
        visit = self._floor.visits.get(key)
        if visit is None or visit.page is not page or not still_matters(self.known.rules(), page):
            return
        at_ms = self.judge.next_moment(page, since or self._floor.now())
        if at_ms is not None:
            self._floor.remind(self, key, page, at_ms)


def _note(page: Page, firing: Firing, told: Told) -> bool:
    """What became of a firing; true if the rule is another one by now."""
    rule_id = firing.command.rule_id
    if told.refused is not None:
        return False
    if told.why_not is None:
        page.fired[rule_id] = told.position
        page.settled[rule_id] = None
        return False
    if told.why_not in {"other_version", "unknown_rule"}:
        return True
    page.passed[rule_id] = told.why_not
    if told.why_not == "so_already":
        page.settled[rule_id] = None
    return False


def _was_here(visitor: Visitor | None, session_id: SessionId) -> bool:
    """Whether the log knows of the visitor from before this session."""
    if visitor is None:
        return False
    sessions = chain.from_iterable(visitor.fired.values())
    return visitor.last_operator is not None or any(one != session_id for one in sessions)


def _command_id(*parts: str) -> CommandId:
    return CommandId(blake2b("\n".join(parts).encode(), digest_size=24).hexdigest())
