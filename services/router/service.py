"""The router as a service: take the leases, load, listen, serve, and stop in the right order."""

import asyncio

import structlog

from services.router.commits import Commits
from services.router.intake import Intake
from services.router.live import LiveWorkspace
from services.router.loading import load
from services.router.publishing import Publishing
from services.router.relay import Relay
from services.router.units import Job, Unit
from services.router.watch import Watch
from shared.adapters.event_stream import EventStream
from shared.ports import LogCorrupt, StoreError, Subscription
from shared.routing.commands import Refused
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of
from shared.runtime.duty import Duty, new_owner
from shared.runtime.tasks import Tasks
from shared.runtime.terms import serve_in_terms
from shared.runtime.world import World

log = structlog.get_logger()

RETRY_S = 0.2
"""Pause between two tries to read a log that could not be read."""
LOOK_AT_CLOCK_S = 0.5
CLOCK_JUMP_MS = 200
"""By so much wall time may run ahead of the timers before they are set again."""
DRAIN_S = 10.0
"""How long stopping may take before what is left is abandoned."""


class Router:
    """One router process. ``run`` serves until ``stop`` is called; ``ready`` is set meanwhile."""

    def __init__(self, world: World, *, owner: str | None = None) -> None:
        self._world = world
        self._owner = owner or new_owner()
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Ask ``run`` to end; it drains first."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve, one term of duty after the other, until told to stop."""
        await serve_in_terms(self._world, "router", self._owner, self._stopping, self._serve)

    async def _serve(self, duty: Duty) -> None:
        try:
            await Term(self._world, duty).serve(self.ready, self._stopping)
        finally:
            self.ready.clear()


class Term:
    """One term of duty: from taking the leases to losing them or giving them up."""

    def __init__(self, world: World, duty: Duty) -> None:
        self._world = world
        self._duty = duty
        self._tasks = Tasks()
        self._commits = Commits(world.store.events, duty.epochs)
        self._relay = Relay(world.store.events, EventStream(world.bus))
        self._publishing = Publishing(world.bus, world.store, duty, self._tasks)
        self._intake = Intake(world.bus, self._publishing)
        self._watch = Watch(world.bus, world.lease_clock, self._note_presence)
        self._live: dict[WorkspaceId, LiveWorkspace] = {}
        self._subscriptions: list[Subscription] = []
        self._timers: dict[WorkspaceId, asyncio.TimerHandle] = {}

    async def serve(self, ready: asyncio.Event, stopping: asyncio.Event) -> None:
        """Raises ``LeaseLost``, or whatever else ended one of the background tasks."""
        self._tasks.start(self._duty.keep(), "leases")
        self._tasks.start(self._commits.run(), "commits")
        self._tasks.start(self._relay.run(), "relay")
        self._tasks.start(self._watch_clock(), "clock")
        try:
            await self._tasks.beside(self._serve(ready, stopping))
        finally:
            await self._end()

    async def _serve(self, ready: asyncio.Event, stopping: asyncio.Event) -> None:
        self._intake.hash_key = await self._world.store.vault.key("request_hashes")
        for workspace_id in await self._world.store.events.workspaces():
            await self._go_on_duty(workspace_id)
        self._subscriptions.append(await self._intake.listen_for_creation(self._create))
        self._subscriptions.append(await self._watch.listen())
        self._tasks.start(self._watch.run(), "presence watch")
        log.info("on_duty", workspaces=len(self._live))
        ready.set()
        await stopping.wait()
        ready.clear()
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._stop_listening()
                await self._commits.drained()
                await self._relay.drained()
        except TimeoutError:
            log.warning("drain_abandoned", after_s=DRAIN_S, relay_lag=self._relay.lag)

    async def _stop_listening(self) -> None:
        subscriptions, self._subscriptions = self._subscriptions, []
        await asyncio.gather(*(subscription.stop() for subscription in subscriptions))

    async def _end(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for live in self._live.values():
            live.end()
        await self._tasks.stop()
        await self._stop_listening()

    # --- workspaces -------------------------------------------------------------------------

    async def _go_on_duty(self, workspace_id: WorkspaceId) -> LiveWorkspace:
        live = self._live[workspace_id] = LiveWorkspace(workspace_id, self)
        await self._load(live)
        self._subscriptions.extend(await self._intake.listen(live))
        return live

    async def _load(self, live: LiveWorkspace) -> None:
        """Read the log until that succeeds; a corrupt one leaves the workspace off duty."""
        workspace_id = live.workspace_id
        epoch = self._duty.epochs[partition_of(workspace_id)]
        while True:
            try:
                decider = await load(self._world.store, live, self._world.clock, epoch, self._tasks)
            except LogCorrupt as error:
                log.error("log_corrupt", workspace=workspace_id, reason=str(error))
                for job in live.end():
                    self.refuse(job, Refused("unavailable", "the log of the workspace is corrupt"))
                return
            except StoreError as error:
                log.warning("log_not_read", workspace=workspace_id, reason=str(error))
                await asyncio.sleep(RETRY_S)
            else:
                self._relay.resume(workspace_id, decider.position)
                live.loaded(decider)
                self._arm(live)
                return

    def _create(self, workspace_id: WorkspaceId, job: Job) -> None:
        """A workspace is to be created; it may exist, and then says so itself."""
        live = self._live.get(workspace_id)
        if live is not None:
            live.submit(job)
        else:
            self._live[workspace_id] = live = LiveWorkspace(workspace_id, self)
            live.submit(job)
            self._tasks.start(self._register(live), f"register {workspace_id}")

    async def _register(self, live: LiveWorkspace) -> None:
        """Enter the workspace in the register and listen to it before its creation is decided."""
        while True:
            try:
                at = self._world.clock.wall_ms()
                await self._world.store.events.register_workspace(live.workspace_id, at)
                break
            except StoreError as error:
                log.warning("workspace_not_registered", reason=str(error))
                await asyncio.sleep(RETRY_S)
        self._subscriptions.extend(await self._intake.listen(live))
        await self._load(live)

    # --- what live workspaces ask for (``Outlet``) ------------------------------------------

    def commit(self, live: LiveWorkspace, unit: Unit) -> None:
        self._commits.add(live, unit)
        self._arm(live)

    def release(self, live: LiveWorkspace, unit: Unit) -> None:
        if not self._duty.holds():
            return
        self._publishing.release(live.workspace_id, unit)
        if unit.rows:
            self._relay.offer(live.workspace_id, unit.rows)

    def announce(self, live: LiveWorkspace, position: Position) -> None:
        if self._duty.holds():
            self._publishing.announce(live.workspace_id, position)

    def refuse(self, job: Job, refused: Refused) -> None:
        self._publishing.refuse(job, refused)

    def reload(self, live: LiveWorkspace) -> None:
        self._tasks.start(self._load(live), f"load {live.workspace_id}")

    # --- presence ---------------------------------------------------------------------------

    def _note_presence(self, *, stale: bool) -> None:
        for live in self._live.values():
            live.note_presence(stale=stale)

    # --- timers -----------------------------------------------------------------------------

    def _arm(self, live: LiveWorkspace) -> None:
        """Wake the workspace when its next timer is due, unless a command does so before."""
        timer = self._timers.pop(live.workspace_id, None)
        if timer is not None:
            timer.cancel()
        due_in_ms = live.due_in_ms()
        if due_in_ms is not None:
            loop = asyncio.get_running_loop()
            self._timers[live.workspace_id] = loop.call_later(due_in_ms / 1_000, self._wake, live)

    async def _watch_clock(self) -> None:
        """Set the timers again whenever the clock was set forward, or the machine suspended.

        The loop sleeps by a clock that knows of neither.
        """
        ahead = self._ahead_ms()
        while True:
            await asyncio.sleep(LOOK_AT_CLOCK_S)
            now = self._ahead_ms()
            if now > ahead + CLOCK_JUMP_MS:
                log.info("clock_jumped", by_ms=now - ahead)
                for live in self._live.values():
                    self._arm(live)
                ahead = now
            ahead = min(ahead, now)

    def _ahead_ms(self) -> int:
        return self._world.clock.wall_ms() - int(asyncio.get_running_loop().time() * 1_000)

    def _wake(self, live: LiveWorkspace) -> None:
        live.wake()
        self._arm(live)
