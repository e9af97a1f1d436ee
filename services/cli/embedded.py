"""The whole engine in one process: a broker as a child, a log in a directory, every service.

It is what ``fernamt up`` and the demo run. Nothing is authenticated: whoever reaches the broker's
port on loopback may speak as anybody.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from services.router.service import Router
from shared.adapters.clocks import ShiftedClock, SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.nats_server import EmbeddedNats, NatsServerError
from shared.adapters.open_store import Store, open_store
from shared.ports import Clock
from shared.runtime.duty import LEASE_MS
from shared.runtime.world import World

log = structlog.get_logger()

WATCH_EVERY_S = 0.5


class Embedded:
    """A running engine. ``url`` is where front ends connect."""

    def __init__(self, url: str, router: Router, work: asyncio.Task[None]) -> None:
        self.url = url
        self._router = router
        self._work = work

    async def ended(self) -> None:
        """Wait until the engine ends by itself, and raise what ended it."""
        await asyncio.shield(self._work)

    async def stop(self) -> None:
        """Drain and end."""
        self._router.stop()
        await self._work


@contextlib.asynccontextmanager
async def embedded(
    *,
    data: Path,
    store_url: str,
    nats_url: str = "",
    nats_port: int = 0,
    lease_ms: int = LEASE_MS,
    clock_offset_file: Path | None = None,
) -> AsyncIterator[Embedded]:
    """Start everything, yield once commands are accepted, drain and stop on leaving.

    ``clock_offset_file``: see ``ShiftedClock``; for a log in a directory only.
    Raises ``DirectoryInUse``, ``NatsServerError``, ``StoreError`` or ``ValueError`` with a message
    for people where something cannot be started.
    """
    async with contextlib.AsyncExitStack() as stack:
        shifted = None if clock_offset_file is None else ShiftedClock(clock_offset_file)
        store = await _store(stack, store_url, lease_ms, shifted)
        url = nats_url or await _broker(stack, data / "nats", nats_port)
        bus = await NatsBus.connect(NatsSettings(url=url, name="fernamt"))
        stack.push_async_callback(bus.close)
        router = Router(World(store, bus, shifted or SystemClock(), lease_ms))
        work = asyncio.create_task(router.run(), name="router")
        engine = Embedded(url, router, work)
        stack.push_async_callback(engine.stop)
        await _ready(router, work)
        yield engine


async def _store(
    stack: contextlib.AsyncExitStack, url: str, lease_ms: int, clock: Clock | None
) -> Store:
    store = await open_store(url, name="fernamt", migrate=True, lease_ms=lease_ms, clock=clock)
    stack.push_async_callback(store.close)
    return store


async def _broker(stack: contextlib.AsyncExitStack, directory: Path, port: int) -> str:
    server = EmbeddedNats(directory, port)
    url = server.start()
    stack.callback(server.stop)
    watch = asyncio.create_task(_keep_running(server), name="nats-server")
    stack.callback(watch.cancel)
    return url


async def _keep_running(server: EmbeddedNats) -> None:
    """Start the broker again should it die: it holds nothing that the log does not hold."""
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        if not server.running:
            log.error("nats_server_died")
            try:
                server.start()
            except NatsServerError as error:
                log.error("nats_server_not_started", reason=str(error))


async def _ready(router: Router, work: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(router.ready.wait())
    await asyncio.wait({ready, work}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if work.done():
        work.result()
