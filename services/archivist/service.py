"""The archivist as a service: it follows every log, takes snapshots of it and seals it.

Snapshots are a cache: without them the past is folded from the beginning. Two that take the same
one write the same.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping

import structlog

from services.archivist.keeping import DEFAULTS, Keeping, Settings
from services.archivist.sealing import Sealing, seal_key
from shared.adapters.log_follower import Events, LogFollower
from shared.audit.seals import SealKey
from shared.ports import CommitInDoubt, StoreError, StoreUnavailable
from shared.ports.archive import Archive
from shared.routing.ids import Position, WorkspaceId
from shared.runtime import metrics
from shared.runtime.duty import Duty, new_owner
from shared.runtime.figures import Figure, of_follower
from shared.runtime.tasks import Tasks
from shared.runtime.terms import serve_in_terms
from shared.runtime.world import World

log = structlog.get_logger()

DRAIN_S = 8.0
"""How long stopping may take before what is left is left to the next."""
RETRY_S = 1.0
REST_S = 0.1
"""Between two readings of a log: nobody waits for what is kept of it."""


class Archivist:
    """``run`` serves until ``stop`` is called. ``ready`` is set while it is on duty."""

    def __init__(
        self,
        world: World,
        *,
        settings: Settings = DEFAULTS,
        environment: Mapping[str, str] = os.environ,
        owner: str | None = None,
    ) -> None:
        """``environment`` may name the file of the key to seal with."""
        self._world = world
        self._environment = environment
        self._settings = settings
        self._owner = owner or new_owner()
        self._term: Term | None = None
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._stopping.set()

    async def figures(self) -> Iterable[Figure]:
        """Of the present term of duty; none while it stands by."""
        return self._term.figures() if self._term is not None else ()

    async def run(self) -> None:
        """Serve, one term of duty after the other, until told to stop.

        Raises ``ValueError`` or ``OSError`` where the file of the key cannot be used.
        """
        await serve_in_terms(self._world, "archivist", self._owner, self._stopping, self._serve)

    async def _serve(self, duty: Duty) -> None:
        try:
            key = await seal_key(self._environment, self._world.store.vault)
            self._term = Term(self._world, duty, self._settings, key)
            await self._term.serve(self.ready, self._stopping)
        finally:
            self._term = None
            self.ready.clear()


class Term:
    """One term of duty: from taking the leases to losing them or giving them up."""

    def __init__(self, world: World, duty: Duty, settings: Settings, key: SealKey) -> None:
        self._world = world
        self._duty = duty
        self._settings = settings
        self._tasks = Tasks()
        self._keepings: dict[WorkspaceId, Keeping] = {}
        self._follower = LogFollower(
            world.store.events, world.bus, self._on_events, begin=self._begin, rest_s=REST_S
        )
        store = world.store
        self._archive = Archive(store.events, store.snapshots, store.seals)
        self._sealing = Sealing(store.events, store.seals, key, world.lease_clock)

    def figures(self) -> Iterator[Figure]:
        """How far behind it is, and what it has kept."""
        yield from of_follower("archivist", self._follower)
        yield Figure(metrics.UNSEALED, self._sealing.unsealed)
        yield Figure(metrics.SEAL_FAULTS, self._sealing.faults)
        yield Figure(metrics.SNAPSHOTS, sum(one.taken for one in self._keepings.values()))

    async def serve(self, ready: asyncio.Event, stopping: asyncio.Event) -> None:
        """Raises ``LeaseLost``, or whatever else ended one of the background tasks."""
        self._tasks.start(self._duty.keep(), "leases")
        try:
            await self._tasks.beside(self._serve(ready, stopping))
        finally:
            await self._tasks.stop()

    async def _serve(self, ready: asyncio.Event, stopping: asyncio.Event) -> None:
        # It serves nobody that would have to wait until it has caught up.
        self._tasks.start(self._follower.run(), "follower")
        self._tasks.start(self._sealing.run(), "sealing")
        self._tasks.start(self._clear_away(), "clearing")
        log.info("archivist_on_duty")
        ready.set()
        await stopping.wait()
        ready.clear()
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._follower.catch_up()
                await self._sealing.seal_all()
        except (TimeoutError, StoreError) as error:
            log.warning("drain_abandoned", reason=error)

    # --- workspaces -------------------------------------------------------------------------

    async def _begin(self, workspace_id: WorkspaceId) -> Position:
        snapshots = self._world.store.snapshots
        keeping = Keeping(self._archive, snapshots, workspace_id, self._settings)
        begun = await keeping.begin()
        self._keepings[workspace_id] = keeping
        self._sealing.heard(workspace_id, begun)
        return begun

    async def _on_events(self, workspace_id: WorkspaceId, events: Events) -> None:
        self._sealing.heard(workspace_id, events[-1][0])
        await self._keepings[workspace_id].take(events)

    async def _clear_away(self) -> None:
        """Once there are snapshots of this release, those of others are of no use."""
        await self._follower.caught_up()
        for keeping in list(self._keepings.values()):
            while self._duty.holds():
                try:
                    await keeping.drop_others()
                    break
                except (StoreUnavailable, CommitInDoubt):
                    await asyncio.sleep(RETRY_S)
