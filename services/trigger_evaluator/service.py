"""The trigger evaluator as a service: it hears page views and tells the router which rules fire.

Every instance follows the log and takes every view, so that it knows the visits; the one that holds
the leases judges, reports and answers. Another takes over when those run out.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, NamedTuple

import structlog

from services.trigger_evaluator.asking import Asking, Informed
from services.trigger_evaluator.compiling import compiled
from services.trigger_evaluator.desk import Desk, Report
from services.trigger_evaluator.knowledge import Compile
from services.trigger_evaluator.lane import VIEWS_MAX, Job
from services.trigger_evaluator.reminders import Reminders
from services.trigger_evaluator.reports import TRY_FOR_S, NotTold, Reports, Told
from services.trigger_evaluator.sighting import Now
from services.trigger_evaluator.visit import (
    BYTES_MAX,
    SESSION_MS,
    VISITS_MAX,
    Page,
    VisitKey,
    Visits,
)
from shared.adapters.log_follower import Events, LogFollower
from shared.adapters.nats_bus import NotSent
from shared.ports import Message, StoreUnavailable, Subscription
from shared.routing.commands import Refused
from shared.routing.ids import Position, RuleId, WorkspaceId
from shared.runtime import metrics
from shared.runtime.duty import Duty, new_owner
from shared.runtime.figures import Figure, new_outcomes, of_answers, of_follower
from shared.runtime.reporting import Reporting
from shared.runtime.tasks import Tasks
from shared.runtime.terms import serve_in_terms
from shared.runtime.world import World
from shared.wire.headers import ERROR
from shared.wire.replies import Reply, refused
from shared.wire.subjects import VIEWS, is_reply, parse_seen
from shared.wire.views import PageView, decode_view, seen_answer

log = structlog.get_logger()

LOOK_EVERY_S = 0.25
"""How often the clock is looked at: it may be set forward, or the machine have been suspended."""
SLACK_MS = 2_000
"""Beyond the life of a lease: how long whoever takes over may need for it."""
RETRY_S = 0.2
SWEEP_EVERY_MS = 1_000
REPORTS_AT_ONCE = 128
DRAIN_S = 8.0
"""How long stopping may take before what is left is abandoned."""


class Settings(NamedTuple):
    """What tests and small machines may want otherwise."""

    session_ms: int = SESSION_MS
    visits_max: int = VISITS_MAX
    bytes_max: int = BYTES_MAX
    views_max: int = VIEWS_MAX
    reports_at_once: int = REPORTS_AT_ONCE
    try_for_s: float = TRY_FOR_S
    compile_rule: Compile = compiled


DEFAULTS = Settings()


class Evaluator:
    """``run`` serves until ``stop`` is called. ``ready`` is set while it is on duty,
    ``listening`` while it takes views, be it on duty or not."""

    def __init__(
        self, world: World, *, settings: Settings = DEFAULTS, owner: str | None = None
    ) -> None:
        self._world = world
        self._owner = owner or new_owner()
        self._settings = settings
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()
        self.listening = asyncio.Event()
        self._duty: Duty | None = None
        self._desks: dict[WorkspaceId, Desk] = {}
        self._tasks = Tasks()
        self._follower = LogFollower(world.store.events, world.bus, self._on_events)
        reporting = Reporting(world.bus, world.tracer)
        self._reports = Reports(reporting, self.acting, try_for_s=settings.try_for_s)
        self._places = asyncio.Semaphore(settings.reports_at_once)
        self._reminders = Reminders()
        self._sooner = asyncio.Event()
        self._swept_ms = 0
        self._asked_on: dict[WorkspaceId, int] = {}
        """Of each workspace the connection since which its notices are heard."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._nonce = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self.refused = 0
        self._outcomes = new_outcomes()
        """How page views were answered whose sender waits."""
        self._asking: Asking | None = None
        self.visits = Visits(
            session_ms=settings.session_ms,
            visits_max=settings.visits_max,
            bytes_max=settings.bytes_max,
        )
        self.views_max = settings.views_max
        self.session_ms = settings.session_ms
        self.recent_ms = 2 * world.lease_ms + SLACK_MS
        self.compile_rule = settings.compile_rule

    def stop(self) -> None:
        """Ask ``run`` to end; it drains first."""
        self._stopping.set()

    async def figures(self) -> Iterable[Figure]:
        """What it has heard and reported, on duty or not."""
        asked = self._asking.outcomes if self._asking is not None else {}
        dropped = sum(desk.lane.dropped for desk in self._desks.values())
        return [
            *of_follower("evaluator", self._follower),
            *of_answers("evaluator", self._outcomes),
            *of_answers("evaluator", asked),
            Figure(metrics.VISITS, len(self.visits)),
            Figure(metrics.VIEWS_LOST, self.refused, ("refused",)),
            Figure(metrics.VIEWS_LOST, dropped, ("dropped",)),
            Figure(metrics.RULE_REPORTS, self._reports.sent, ("sent",)),
            Figure(metrics.RULE_REPORTS, self._reports.failed, ("failed",)),
        ]

    async def run(self) -> None:
        """Serve until told to stop. Raises what ended one of its background tasks."""
        try:
            await self._tasks.beside(self._run())
        finally:
            await self._tasks.stop()

    async def _run(self) -> None:
        self._tasks.start(self._follower.run(), "log")
        if not await self._caught_up():
            return
        informed = Informed(self._desks, self.visits, self.acting, self.now, self.reach)
        asking = self._asking = Asking(self._world.bus, self._tasks, informed, self._world.tracer)
        subscriptions: list[Subscription] = [
            await self._world.bus.subscribe(VIEWS, self._on_view),
            await asking.listen(),
        ]
        self.listening.set()
        self._tasks.start(self._watch_time(), "moments")
        try:
            await serve_in_terms(
                self._world, "evaluator", self._owner, self._stopping, self._on_duty
            )
        finally:
            self.listening.clear()
            await asyncio.gather(*(one.stop() for one in subscriptions))

    async def _caught_up(self) -> bool:
        """Wait for the log to be known; false if it was told to stop before."""
        known = asyncio.ensure_future(self._follower.caught_up())
        told = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({known, told}, return_when=asyncio.FIRST_COMPLETED)
            return known.done()
        finally:
            known.cancel()
            told.cancel()
            await asyncio.gather(known, told, return_exceptions=True)

    # --- duty -------------------------------------------------------------------------------

    def acting(self) -> bool:
        return self._duty is not None and self._duty.holds()

    async def _on_duty(self, duty: Duty) -> None:
        keeping = asyncio.ensure_future(duty.keep())
        told = asyncio.ensure_future(self._stopping.wait())
        self._duty = duty
        try:
            for desk in list(self._desks.values()):
                desk.take_over()
            log.info("on_duty", trade="evaluator", workspaces=len(self._desks))
            self.ready.set()
            await asyncio.wait({keeping, told}, return_when=asyncio.FIRST_COMPLETED)
            self.ready.clear()
            if keeping.done():
                keeping.result()
            await self._drain()
        finally:
            self.ready.clear()
            self._duty = None
            self._reminders.clear()
            keeping.cancel()
            told.cancel()
            await asyncio.gather(keeping, told, return_exceptions=True)

    async def _drain(self) -> None:
        """Answer what was taken; what comes from now on is the next one's."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._idle.wait()
        except TimeoutError:
            log.warning("drain_abandoned", after_s=DRAIN_S)

    # --- what comes in ----------------------------------------------------------------------

    def _desk(self, workspace_id: WorkspaceId) -> Desk:
        desk = self._desks.get(workspace_id)
        if desk is None:
            desk = self._desks[workspace_id] = Desk(workspace_id, self)
        return desk

    async def _on_events(self, workspace_id: WorkspaceId, events: Events) -> None:
        await self._desk(workspace_id).on_events(events)

    def _on_view(self, message: Message) -> None:
        if message.reply and not is_reply(message.reply):
            log.warning("reply_subject_refused", subject=message.subject)
            return
        seen = parse_seen(message.subject)
        view = seen if isinstance(seen, Refused) else decode_view(seen, message.data)
        if isinstance(seen, Refused) or isinstance(view, Refused):
            assert isinstance(view, Refused)
            self._refuse_view(message, view)
            return
        noticed = self._follower.noticed(seen.workspace_id)
        if noticed == 0:
            text = "there is no such workspace"
            self._refuse_view(message, Refused("unknown_workspace", text))
            return
        key = VisitKey(seen.workspace_id, seen.visitor_id, view.session_id)
        job = Job(key, self.now(), noticed, view, name=self._name(view, message.reply))
        job.reply = message.reply
        self._desk(seen.workspace_id).submit(job)

    def _name(self, view: PageView, reply: str) -> str:
        """Tells the view from all others, to every instance alike where that can be."""
        if view.view_id is not None:
            return f"view {view.view_id}"
        return f"request {reply}" if reply else f"{self._nonce} {next(self._numbers)}"

    def _refuse_view(self, message: Message, reason: Refused) -> None:
        self.refused += 1
        log.info("view_refused", subject=message.subject, code=reason.code)
        self.refuse(message.reply, reason)

    # --- what desks ask for (``Floor``) -----------------------------------------------------

    def now(self) -> Now:
        return Now(self._world.clock.wall_ms(), self._world.clock.elapsed_ms())

    def current(self, workspace_id: WorkspaceId) -> bool:
        return self._asked_on.get(workspace_id) == (self._world.bus.connection or 0)

    async def reach(self, workspace_id: WorkspaceId) -> None:
        """Notices are lost with a connection, so that on each new one the log is asked."""
        connection = self._world.bus.connection or 0
        head = self._follower.noticed(workspace_id)
        while self._asked_on.get(workspace_id) != connection:
            try:
                head = max(head, await self._world.store.events.head(workspace_id))
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
            else:
                self._asked_on[workspace_id] = connection
        await self._follower.reach(workspace_id, head)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.start(work, name)

    async def tell(self, desk: Desk, report: Report) -> Told:
        return await self._reports.tell(desk.workspace_id, report.command, report.command_id)

    def work(self, desk: Desk) -> None:
        self._tasks.start(self._counted(desk.run()), f"views {desk.workspace_id}")

    async def serve(self, desk: Desk, job: Job, page: Page, reports: Iterator[Report]) -> None:
        await self._places.acquire()
        work = self._in_its_place(desk.carry_out(job, page, reports))
        self._tasks.start(self._counted(work), "reports")

    async def _in_its_place(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._places.release()

    async def _counted(self, work: Coroutine[Any, Any, None]) -> None:
        """While it runs this is not idle."""
        self._under_way += 1
        self._idle.clear()
        try:
            await work
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    def answer(self, reply: str, position: Position, fired: tuple[RuleId, ...]) -> None:
        self._send(reply, seen_answer(position, fired))

    def refuse(self, reply: str, reason: Refused) -> None:
        """Whoever is not on duty leaves that to the one who is."""
        if reply and self.acting():
            self._send(reply, refused(reason))

    def _send(self, reply: str, sent: Reply) -> None:
        self._outcomes[sent.headers.get(ERROR, "answered")] += 1
        try:
            self._world.bus.publish(reply, sent.body, headers=sent.headers)
        except NotSent as error:
            log.warning("not_sent", subject=reply, reason=error)

    def remind(self, desk: Desk, key: VisitKey, page: Page, at_ms: int) -> None:
        self._reminders.set(desk, key, page, at_ms)
        self._sooner.set()

    # --- time -------------------------------------------------------------------------------

    async def _watch_time(self) -> None:
        while True:
            now_ms = self._world.clock.elapsed_ms()
            if self.acting():
                self._act(now_ms)
            if now_ms - self._swept_ms >= min(SWEEP_EVERY_MS, self.session_ms):
                self._swept_ms = now_ms
                self._sweep(now_ms)
            due_ms = self._reminders.next_ms
            wait_s = LOOK_EVERY_S
            if due_ms is not None:
                wait_s = min(wait_s, max(due_ms - self._world.clock.elapsed_ms(), 0) / 1_000)
            self._sooner.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), wait_s + 0.001)

    def _act(self, now_ms: int) -> None:
        """What is due, and what could not be done when the leases were renewed late."""
        for reminder in self._reminders.due(now_ms):
            reminder.desk.moment(reminder.key, reminder.page)
        for desk in self._desks.values():
            desk.resume()

    def _sweep(self, now_ms: int) -> None:
        self.visits.expire(now_ms)
        for desk in self._desks.values():
            over = desk.sweep()
            if over:
                self._tasks.start(self._end_sessions(desk, over), "sessions")

    async def _end_sessions(self, desk: Desk, over: list[Report]) -> None:
        """One after the other: nobody waits for it. What is not told now is tried again later."""
        for report in over:
            try:
                async with self._places:
                    await self.tell(desk, report)
            except NotTold:
                return
