"""The router as a service: several may run, each for a share of the workspaces."""

import asyncio
from collections.abc import Sequence

import structlog

from services.router.watch import Watch
from services.router.workspaces import Workspaces
from shared.ports import StoreError
from shared.runtime import metrics
from shared.runtime.duty import new_owner
from shared.runtime.figures import Figure
from shared.runtime.tasks import Tasks
from shared.runtime.throttle import Allowances, Throttle, allowances_from
from shared.runtime.world import World

log = structlog.get_logger()


class Router:
    """One router process. ``run`` serves until ``stop`` is called; ``ready`` is set meanwhile."""

    def __init__(
        self, world: World, *, owner: str | None = None, allowances: Allowances | None = None
    ) -> None:
        """Allowances come from the environment unless given. Raises ``ValueError``."""
        self._world = world
        self._owner = owner or new_owner()
        may = allowances_from() if allowances is None else allowances
        self._throttle = Throttle(world.lease_clock, may)
        self._stopping = asyncio.Event()
        self._workspaces: Workspaces | None = None
        self._watch: Watch | None = None
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Ask ``run`` to end; it hands everything over first."""
        self._stopping.set()

    async def figures(self) -> Sequence[Figure]:
        """What it has done, and what waits in it now; nothing before it runs."""
        if self._workspaces is None:
            return ()
        stale = self._watch is not None and self._watch.stale
        return [*await self._workspaces.figures(), Figure(metrics.PRESENCE_STALE, stale)]

    async def run(self) -> None:
        """Serve until told to stop. Raises what ended one of the background tasks."""
        tasks = Tasks()
        workspaces = self._workspaces = Workspaces(self._world, self._owner, self._throttle, tasks)
        workspaces.start()
        tasks.start(self._tell_readiness(workspaces), "readiness")
        try:
            await tasks.beside(self._serve(workspaces, tasks))
        finally:
            self.ready.clear()
            workspaces.end()
            await tasks.stop()

    async def _serve(self, workspaces: Workspaces, tasks: Tasks) -> None:
        watch = Watch(self._world.bus, self._world.lease_clock, workspaces.note_presence)
        self._watch = watch
        subscriptions = [await workspaces.listen_for_creation(), await watch.listen()]
        tasks.start(watch.run(), "presence watch")
        try:
            await self._stopping.wait()
        finally:
            for subscription in subscriptions:
                await subscription.stop()
        try:
            await workspaces.share.give_up()
        except StoreError as error:  # they run out by themselves
            log.warning("leases_not_given_back", reason=error)

    async def _tell_readiness(self, workspaces: Workspaces) -> None:
        while True:
            await workspaces.share.is_fair.wait()
            await workspaces.loaded.wait()
            self.ready.set()
            await workspaces.share.is_off.wait()
            self.ready.clear()
