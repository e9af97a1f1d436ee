"""A router and evaluators in this process, on a real broker and store, and a clock to set."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.adapters.clocks import ShiftedClock
from shared.adapters.open_store import Store, open_store
from tests.integration.trigger_evaluator.site import Site
from tests.servers.nats import ConnectBus, NatsServer

_numbers = itertools.count(1)


@pytest.fixture
def clock(tmp_path: Path) -> ShiftedClock:
    """The clock of all services and of the store."""
    return ShiftedClock(tmp_path / "clock", look_every_ms=0)


@pytest.fixture
async def log(tmp_path: Path, clock: ShiftedClock) -> AsyncIterator[Store]:
    """An empty log in a directory."""
    store = await open_store(f"sqlite:///{tmp_path}/data", migrate=True, clock=clock)
    yield store
    await store.close()


@pytest.fixture
async def empty_site(
    log: Store, connect: ConnectBus, nats: NatsServer, clock: ShiftedClock, tmp_path: Path
) -> AsyncIterator[Site]:
    """Nothing runs yet."""
    site = Site(
        log,
        connect,
        url=nats.url,
        workspace=f"w{next(_numbers)}",
        clock=clock,
        clock_file=tmp_path / "clock",
    )
    try:
        yield site
    finally:
        await site.end()


@pytest.fixture
async def site(empty_site: Site) -> Site:
    """A router, an evaluator, and a workspace with ana and ben in ``support``, at ``site``."""
    await empty_site.start_router()
    await empty_site.start_evaluator()
    await empty_site.open_office("ana", "ben")
    return empty_site
