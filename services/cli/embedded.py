"""The whole engine in one process: a broker as a child, a log in a directory, every service.

It is what ``fernamt up`` and the demo run. Nothing is authenticated: whoever reaches the broker's
port on loopback may speak as anybody.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from services.cli.broker import broker
from services.cli.running import SERVICES, Running
from shared.adapters.clocks import ShiftedClock, SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.nats_identity import broker_settings
from shared.adapters.open_store import Store, open_store
from shared.ports import Clock
from shared.runtime.duty import LEASE_MS
from shared.runtime.tracing import tracer_for
from shared.runtime.world import World


class Embedded:
    """A running engine. ``url`` is where front ends connect."""

    def __init__(self, url: str, services: Running, watching: "asyncio.Task[None] | None") -> None:
        """``watching`` keeps the broker running, where that is ours."""
        self.url = url
        self._services = services
        self._watching = watching

    async def ended(self) -> None:
        """Wait until a part of it ends by itself, and raise what ended it."""
        parts = {asyncio.create_task(self._services.ended())}
        try:
            everything = parts if self._watching is None else {*parts, self._watching}
            done, _ = await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()


@contextlib.asynccontextmanager
async def embedded(
    *,
    data: Path,
    store_url: str,
    nats_url: str = "",
    nats_port: int = 0,
    lease_ms: int = LEASE_MS,
    clock_offset_file: Path | None = None,
    prepare: Callable[[Store, Clock], Awaitable[None]] | None = None,
) -> AsyncIterator[Embedded]:
    """Start everything, yield once all services are ready, drain and stop on leaving.

    ``clock_offset_file``: see ``ShiftedClock``; for a log in a directory only.
    ``prepare`` is given the store and the clock before anybody works with them.
    Raises ``DirectoryInUse``, ``NatsServerError``, ``StoreError`` or ``ValueError`` with a message
    for people where something cannot be started.
    """
    async with contextlib.AsyncExitStack() as stack:
        shifted = None if clock_offset_file is None else ShiftedClock(clock_offset_file)
        store = await _store(stack, store_url, lease_ms, shifted)
        clock = shifted or SystemClock()
        if prepare is not None:
            await prepare(store, clock)
        url, watching = nats_url, None
        if not url:
            url, watching = await stack.enter_async_context(broker(data / "nats", nats_port))
        mine = not nats_url  # which asks nobody who he is
        settings = (
            NatsSettings(url=url, name="fernamt") if mine else broker_settings(url, "fernamt")
        )
        tracer = tracer_for("fernamt", os.environ)
        if tracer is not None:
            stack.push_async_callback(tracer.close)
        bus = await NatsBus.connect(settings)
        stack.push_async_callback(bus.close)
        world = World(store, bus, clock, lease_ms, tracer=tracer)
        services = Running({name: make(world) for name, make in SERVICES.items()})
        stack.push_async_callback(services.stop)
        await services.ready()
        yield Embedded(url, services, watching)


async def _store(
    stack: contextlib.AsyncExitStack, url: str, lease_ms: int, clock: Clock | None
) -> Store:
    store = await open_store(url, name="fernamt", migrate=True, lease_ms=lease_ms, clock=clock)
    stack.push_async_callback(store.close)
    return store
