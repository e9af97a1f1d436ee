"""Leases run out by the database's clock. Embedded stores have none that do: their lock goes with
their process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from shared.adapters.open_store import Store, open_store
from shared.ports import Lease, LeaseLost
from shared.routing.partition import partition_of
from tests.contract.log_samples import NORTH, append, hold_everything, log_of, rows

DEADLINE_S = 20.0

OpenStore = Callable[[int], Awaitable[Store]]


@pytest.fixture
async def open_with(postgres_url: str) -> AsyncIterator[OpenStore]:
    """Opens stores on one database whose leases live so many milliseconds."""
    async with AsyncExitStack() as stack:

        async def opened(lease_ms: int) -> Store:
            store = await open_store(postgres_url, migrate=True, lease_ms=lease_ms)
            stack.push_async_callback(store.close)
            return store

        yield opened


async def test_an_expired_lease_goes_to_whoever_asks_first(open_with: OpenStore) -> None:
    first, second = await open_with(300), await open_with(60_000)
    (old,) = await first.leases.acquire("first", [1])
    assert await second.leases.acquire("second", [1]) == []
    taken: list[Lease] = []
    async with asyncio.timeout(DEADLINE_S):
        while not taken:
            taken = list(await second.leases.acquire("second", [1]))
    assert taken == [Lease(1, old.epoch + 1)]
    assert await first.leases.acquire("first", [1]) == []


async def test_an_expired_lease_writes_nothing_though_nobody_took_it(open_with: OpenStore) -> None:
    store = await open_with(0)
    leases = await hold_everything(store)
    with pytest.raises(LeaseLost, match=f"partition {partition_of(NORTH)} "):
        await store.events.append([append(NORTH, rows(1, 1))], leases)
    assert await log_of(store, NORTH) == []


async def test_an_expired_lease_cannot_be_renewed(open_with: OpenStore) -> None:
    store = await open_with(0)
    leases = await store.leases.acquire("first", [1, 2])
    assert await store.leases.renew("first", leases) == []


async def test_taking_again_after_expiry_raises_the_epoch(open_with: OpenStore) -> None:
    store = await open_with(0)
    epochs = [(await store.leases.acquire("first", [1]))[0].epoch for _ in range(3)]
    assert epochs == [1, 2, 3]


async def test_a_renewed_lease_lives_on(open_with: OpenStore) -> None:
    short, long = await open_with(2_000), await open_with(60_000)
    leases = await hold_everything(short)
    held = [Lease(*item) for item in leases.items()]
    assert await long.leases.renew("router", held) == held
    started = await short.events.clock_ms()
    async with asyncio.timeout(DEADLINE_S):
        while await short.events.clock_ms() < started + 2_100:
            pass
    assert await short.events.append([append(NORTH, rows(1, 1))], leases) == frozenset()


async def test_of_many_who_ask_at_once_one_gets_it(open_with: OpenStore) -> None:
    stores = [await open_with(60_000) for _ in range(5)]
    answers = await asyncio.gather(
        *(store.leases.acquire(f"owner {n}", range(64)) for n, store in enumerate(stores))
    )
    taken = [lease.partition for answer in answers for lease in answer]
    assert sorted(taken) == list(range(64))
