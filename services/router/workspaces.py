"""The workspaces of all partitions that this router holds, from their loading to their end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence

import structlog

from services.router.alarms import Alarms
from services.router.commits import Commits
from services.router.crowd import Crowd
from services.router.decider import Decider
from services.router.intake import Intake
from services.router.live import LiveWorkspace
from services.router.loading import load
from services.router.publishing import Publishing
from services.router.relay import Relay
from services.router.survey import survey
from services.router.turns import Turns
from services.router.turnstile import Turnstile
from services.router.units import Job, Unit
from shared.adapters.event_stream import EventStream
from shared.ports import LogCorrupt, StoreError, Subscription
from shared.routing.commands import Refused
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of
from shared.runtime import metrics
from shared.runtime.figures import Figure, of_answers
from shared.runtime.share import Share
from shared.runtime.tasks import Tasks
from shared.runtime.throttle import Throttle
from shared.runtime.world import World

log = structlog.get_logger()

RETRY_S = 0.2
"""Pause between two tries to read what could not be read."""
LOADS = 8
"""Workspaces loaded side by side."""
STATES = ("on_duty", "loading", "off_duty")


class Workspaces:
    """Live workspaces by id. ``share`` says which partitions are held (``Holder``)."""

    def __init__(self, world: World, owner: str, throttle: Throttle, tasks: Tasks) -> None:
        self._world = world
        self._tasks = tasks
        self.share = Share(world, "router", owner, self)
        self._commits = Commits(
            world.store.events, self.share.epochs, self.share.lose, world.lease_clock
        )
        self._relay = Relay(world.store.events, EventStream(world.bus), world.tracer)
        self._publishing = Publishing(world.bus, world.store, tasks)
        self._crowd = Crowd(world.lease_clock)
        self._turnstile = Turnstile(world.bus, throttle, tasks)
        self._intake = Intake(
            world.bus,
            self._publishing,
            self._crowd,
            self._turnstile,
            create=self.create,
            tasks=tasks,
            tracer=world.tracer,
        )
        self._alarms = Alarms(world.clock)
        self._turns = Turns(self._alarms.arm)
        self._live: dict[WorkspaceId, LiveWorkspace] = {}
        self._listening: dict[int, list[Subscription]] = {}
        """By partition."""
        self._leaving: set[int] = set()
        self._beginning = asyncio.Semaphore(LOADS)
        self._loading = 0
        self.loaded = asyncio.Event()
        """Set while everything that is held is on duty."""
        self.loaded.set()

    def start(self) -> None:
        """Begin to take partitions, and to serve what is in them."""
        self._tasks.start(self._commits.run(), "commits")
        self._tasks.start(self._turns.run(), "turns")
        self._tasks.start(self._relay.run(), "relay")
        self._tasks.start(self._alarms.run(), "alarms")
        self._tasks.start(self.share.run(), "share")

    def end(self) -> None:
        """Say nothing more."""
        for live in self._live.values():
            self._alarms.disarm(live.workspace_id)
            live.end()

    async def listen_for_creation(self) -> Subscription:
        """Hear, with all other routers, that workspaces are to be created."""
        return await self._intake.listen_for_creation()

    def note_presence(self, *, stale: bool) -> None:
        """See ``Decider.note_presence``."""
        for live in self._live.values():
            live.note_presence(stale=stale)
            self._alarms.arm(live)

    # --- figures ----------------------------------------------------------------------------

    async def figures(self) -> Sequence[Figure]:
        """What this router has done, and what waits in it now."""
        lives = list(self._live.values())
        waiting = await survey(lives, self._world.clock.wall_ms())
        states = Counter(_state(live) for live in lives)
        return [
            *self._commits.tally.figures(),
            *of_answers("router", self._publishing.outcomes),
            *waiting.figures(),
            *(Figure(metrics.WORKSPACES, states[state], (state,)) for state in STATES),
            Figure(metrics.LOG_EVENTS, sum(live.position for live in lives)),
            Figure(metrics.PARTITIONS_HELD, len(self.share.epochs)),
            Figure(metrics.UNDER_WAY, self._crowd.jobs),
            Figure(metrics.RELAY_LAG, self._relay.lag),
        ]

    # --- partitions (``Holder``) ------------------------------------------------------------

    def gained(self, partitions: Sequence[int]) -> None:
        self._loading += 1
        self.loaded.clear()
        self._leaving.difference_update(partitions)
        self._tasks.start(self._go_on_duty(partitions), f"partitions {partitions}")

    async def leave(self, partition: int) -> None:
        """Hear nothing more, answer what was heard, and publish what was written."""
        self._leaving.add(partition)
        await _stop(self._listening.pop(partition, []))
        for live in self._those_of([partition]):
            await live.settled()
            await self._relay.settled(live.workspace_id)

    def lost(self, partitions: Sequence[int]) -> None:
        for live in self._those_of(partitions):
            del self._live[live.workspace_id]
            self._alarms.disarm(live.workspace_id)
            self._relay.forget(live.workspace_id)
            live.end()
        for partition in partitions:
            self._leaving.discard(partition)
            if subscriptions := self._listening.pop(partition, []):
                self._tasks.start(_stop(subscriptions), f"silence {partition}")

    def _those_of(self, partitions: Sequence[int]) -> list[LiveWorkspace]:
        return [
            live
            for workspace_id, live in self._live.items()
            if partition_of(workspace_id) in partitions
        ]

    async def _listen(self, partition: int, listening: Awaitable[Sequence[Subscription]]) -> None:
        """Subscribe, unless the partition is lost or left meanwhile."""
        epoch = self.share.epochs.get(partition)
        subscriptions = await listening
        held = epoch is not None and self.share.epochs.get(partition) == epoch
        if held and partition not in self._leaving:
            self._listening.setdefault(partition, []).extend(subscriptions)
        else:
            await _stop(subscriptions)

    async def _go_on_duty(self, partitions: Sequence[int]) -> None:
        try:
            for partition in partitions:
                await self._listen(partition, self._intake.listen_for_handed_on(partition))
            registered = await self._registered(partitions)
            await asyncio.gather(*(self._begin(workspace_id) for workspace_id in registered))
        finally:
            self._loading -= 1
            if not self._loading:
                self.loaded.set()

    async def _registered(self, partitions: Sequence[int]) -> Sequence[WorkspaceId]:
        """Those workspaces that belong to these partitions."""
        while True:
            try:
                if not self._intake.hash_key:
                    self._intake.hash_key = await self._world.store.vault.key("request_hashes")
                known = await self._world.store.events.workspaces()
            except StoreError as error:
                log.warning("workspaces_not_read", reason=error)
                await asyncio.sleep(RETRY_S)
            else:
                return [one for one in known if partition_of(one) in partitions]

    # --- workspaces -------------------------------------------------------------------------

    async def _begin(self, workspace_id: WorkspaceId) -> None:
        async with self._beginning:
            held = partition_of(workspace_id) in self.share.epochs
            if held and workspace_id not in self._live:
                live = self._live[workspace_id] = LiveWorkspace(workspace_id, self, self._crowd)
                await self._load(live)
                await self._listen_to(live)

    async def _listen_to(self, live: LiveWorkspace) -> None:
        await self._listen(partition_of(live.workspace_id), self._intake.listen(live))

    async def _load(self, live: LiveWorkspace) -> None:
        """Read the log until that succeeds; a corrupt one leaves the workspace off duty."""
        workspace_id, clock = live.workspace_id, self._world.clock
        while not live.ended:
            epoch = self.share.epochs[partition_of(workspace_id)]
            try:
                decider = await load(self._world.store, live, clock, epoch, self._tasks)
            except LogCorrupt as error:
                log.error("log_corrupt", workspace=workspace_id, reason=error)
                live.end(Refused("unavailable", "the log of the workspace is corrupt"))
            except StoreError as error:
                log.warning("log_not_read", workspace=workspace_id, reason=error)
                await asyncio.sleep(RETRY_S)
            else:
                self._put_on_duty(live, decider)
                return

    def _put_on_duty(self, live: LiveWorkspace, decider: Decider) -> None:
        if live.ended:  # the partition was lost meanwhile
            decider.settled.end()
            return
        self._relay.resume(live.workspace_id, decider.position)
        live.loaded(decider)
        self._alarms.arm(live)

    def create(self, workspace_id: WorkspaceId, job: Job) -> bool:
        """A workspace is to be created; it may exist, and then says so itself.

        False where somebody else holds its partition, or soon will.
        """
        partition = partition_of(workspace_id)
        if partition not in self.share.epochs or partition in self._leaving:
            return False
        live = self._live.get(workspace_id)
        if live is not None:
            live.submit(job)
            return True
        self._live[workspace_id] = live = LiveWorkspace(workspace_id, self, self._crowd)
        live.submit(job)
        self._tasks.start(self._register(live), f"register {workspace_id}")
        return True

    async def _register(self, live: LiveWorkspace) -> None:
        """Enter the workspace in the register and listen to it before its creation is decided."""
        while not live.ended:
            try:
                at = self._world.clock.wall_ms()
                await self._world.store.events.register_workspace(live.workspace_id, at)
                break
            except StoreError as error:
                log.warning("workspace_not_registered", reason=error)
                await asyncio.sleep(RETRY_S)
        await self._listen_to(live)
        await self._load(live)

    # --- what live workspaces ask for (``Outlet``) ------------------------------------------

    def decide(self, live: LiveWorkspace) -> None:
        self._turns.join(live)

    def commit(self, live: LiveWorkspace, unit: Unit) -> None:
        self._commits.add(live, unit)

    def release(self, live: LiveWorkspace, unit: Unit) -> None:
        self._publishing.release(live.workspace_id, unit)
        if unit.rows:
            self._relay.offer(live.workspace_id, unit.rows)

    def may_answer(self) -> bool:
        return self.share.holds()

    def announce(self, live: LiveWorkspace, position: Position) -> None:
        self._publishing.announce(live.workspace_id, position)

    def refuse(self, job: Job, refused: Refused) -> None:
        self._publishing.refuse(job, refused)

    def reload(self, live: LiveWorkspace) -> None:
        self._tasks.start(self._load(live), f"load {live.workspace_id}")


def _state(live: LiveWorkspace) -> str:
    if live.ended:
        return "off_duty"
    return "loading" if live.workspace is None else "on_duty"


async def _stop(subscriptions: Sequence[Subscription]) -> None:
    await asyncio.gather(*(subscription.stop() for subscription in subscriptions))
