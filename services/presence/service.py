"""The presence service: it hears heartbeats, watches idleness and hours, and tells the router.

Any number of instances may run beside one another: each hears everything and reports what it finds
by the log, and a report that changes nothing writes nothing.
"""

import asyncio
import contextlib
from collections.abc import Iterable

import structlog

from services.presence.settings import Settings, settings_from
from services.presence.watching import Watching
from shared.ports import StoreError
from shared.runtime.figures import Figure
from shared.runtime.world import World

log = structlog.get_logger()

RETRY_S = 0.5


class Presence:
    """One presence process. ``run`` serves until ``stop`` is called; ``ready`` is set meanwhile."""

    def __init__(self, world: World, settings: Settings | None = None) -> None:
        self._world = world
        self._settings = settings_from() if settings is None else settings
        self._watching: Watching | None = None
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._stopping.set()

    async def figures(self) -> Iterable[Figure]:
        """What was heard since the store was last lost, if ever."""
        return self._watching.figures() if self._watching is not None else ()

    async def run(self) -> None:
        """Serve; begin anew after a fault of the store."""
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not self._stopping.is_set():
                await self._watch(stopping)
                await asyncio.wait({stopping}, timeout=RETRY_S)
        finally:
            stopping.cancel()

    async def _watch(self, stopping: "asyncio.Task[bool]") -> None:
        watching = self._watching = Watching(self._world, self._settings)
        serving = asyncio.create_task(watching.run(), name="watching")
        ready = asyncio.create_task(self._announce(watching))
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        except StoreError as error:
            log.warning("watching_ended", reason=error)
        finally:
            self.ready.clear()
            ready.cancel()
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError, StoreError):
                await serving

    async def _announce(self, watching: Watching) -> None:
        await watching.ready.wait()
        self.ready.set()
