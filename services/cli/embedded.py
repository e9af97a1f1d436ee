"""The whole engine in one process: a broker as a child, a log in a directory, every service.

It is what ``fernamt up`` and the demo run. Nothing is authenticated: whoever reaches the broker's
port on loopback may speak as anybody.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from services.notifier.channels import outside
from services.notifier.service import Notifier
from services.router.service import Router
from services.trigger_evaluator.service import Evaluator
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


class Service(Protocol):
    """One of the services. ``run`` serves until ``stop``; ``ready`` is set meanwhile."""

    ready: asyncio.Event

    async def run(self) -> None: ...

    def stop(self) -> None: ...


class Embedded:
    """A running engine. ``url`` is where front ends connect."""

    def __init__(self, url: str, services: Sequence[Service]) -> None:
        """Starts the services; they are stopped in the same order, one after the other."""
        self.url = url
        self._work = {
            service: asyncio.create_task(service.run(), name=type(service).__name__)
            for service in services
        }

    async def ready(self) -> None:
        """Wait until all serve; raises what ended one of them."""
        waiting = [asyncio.ensure_future(service.ready.wait()) for service in self._work]
        try:
            for ready in waiting:
                everybody = {ready, *self._work.values()}
                await asyncio.wait(everybody, return_when=asyncio.FIRST_COMPLETED)
                self._check()
        finally:
            for ready in waiting:
                ready.cancel()

    async def ended(self) -> None:
        """Wait until a service ends by itself, and raise what ended it."""
        await asyncio.wait(self._work.values(), return_when=asyncio.FIRST_COMPLETED)
        self._check()

    async def stop(self) -> None:
        """Drain and end: whoever speaks to the router first, whoever tells what it wrote last."""
        for service, work in self._work.items():
            service.stop()
            await work

    def _check(self) -> None:
        for work in self._work.values():
            if work.done():
                work.result()


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
        world = World(store, bus, shifted or SystemClock(), lease_ms)
        notifier = Notifier(world, channels=outside(world, os.environ))
        engine = Embedded(url, [Evaluator(world), Router(world), notifier])
        stack.push_async_callback(engine.stop)
        await engine.ready()
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
