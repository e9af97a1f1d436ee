"""``kill -9`` of PostgreSQL: what was acknowledged is there, and nobody has to restart us.

The page cache of the machine survives, so this says nothing about losing power.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from shared.adapters.open_store import Store, open_store
from shared.ports import CommitInDoubt, StoreError, StoreUnavailable
from shared.routing.ids import Position
from tests.contract.log_samples import NORTH, append, hold_everything, log_of, rows
from tests.servers.postgres import PostgresServer, postgres_server

LEASE_MS = 3_600_000  # these tests are not about leases running out
DEADLINE_S = 30.0


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that may be killed."""
    with postgres_server() as started:
        yield started


@pytest.fixture
async def store(server: PostgresServer) -> AsyncIterator[Store]:
    opened = await open_store(server.url, migrate=True, lease_ms=LEASE_MS)
    yield opened
    await opened.close()


async def test_the_store_heals_when_the_server_comes_back(
    server: PostgresServer, store: Store
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 2))], leases)
    assert await log_of(store, NORTH) == rows(1, 2)
    server.kill()
    for _ in range(3):
        with pytest.raises(StoreError):
            await store.events.append([append(NORTH, rows(3, 3))], leases)
        with pytest.raises(StoreUnavailable):
            await store.events.head(NORTH)
    server.start()
    assert await store.events.append([append(NORTH, rows(3, 4))], leases) == frozenset()
    assert await log_of(store, NORTH) == rows(1, 4)
    assert await hold_everything(store) == leases


async def test_what_was_acknowledged_survives(server: PostgresServer, store: Store) -> None:
    leases = await hold_everything(store)
    acknowledged = 0
    enough = asyncio.Event()

    async def write() -> None:
        nonlocal acknowledged
        while True:
            await store.events.append(
                [append(NORTH, rows(acknowledged + 1, acknowledged + 3))], leases
            )
            acknowledged += 3
            if acknowledged >= 150:
                enough.set()

    writing = asyncio.create_task(write())
    await enough.wait()
    server.kill()
    with pytest.raises(StoreError):
        await writing
    server.start()
    found = await log_of(store, NORTH)
    assert found == rows(1, len(found))
    assert len(found) - acknowledged in {0, 3}


async def test_a_commit_is_looked_for_until_the_server_is_back(
    server: PostgresServer, store: Store
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    batch = [append(NORTH, rows(2, 20_001))]
    appending = asyncio.create_task(store.events.append(batch, leases))
    await asyncio.sleep(0)
    server.kill()
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(DEADLINE_S):
        try:
            await appending
        except CommitInDoubt:
            expected = 1
        else:
            expected = 20_001
    assert await store.events.head(NORTH) == Position(expected)
