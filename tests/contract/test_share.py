"""Sharing on each kind of store: everybody gets a fair part, and nothing is held twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store
from shared.routing.partition import PARTITIONS
from shared.runtime.share import AT_ONCE, SEATS, Share
from shared.runtime.world import World
from tests.contract.log_samples import hold_everything
from tests.servers.nats import ConnectBus
from tests.servers.waiting import until

WITHIN_S = 20.0


class Worker:
    """Somebody who shares, and what was said of each partition."""

    def __init__(self, world: World, name: str, others: "list[Worker]") -> None:
        self.name = name
        self.share = Share(world, "router", name, self)
        self.held: set[int] = set()
        self.left: list[int] = []
        self._others = others
        others.append(self)

    def gained(self, partitions: Sequence[int]) -> None:
        for other in self._others:
            assert not other.held.intersection(partitions), f"{other.name} and {self.name}"
        self.held.update(partitions)

    async def leave(self, partition: int) -> None:
        assert partition in self.held
        await asyncio.sleep(0)
        self.left.append(partition)

    def lost(self, partitions: Sequence[int]) -> None:
        self.held.difference_update(partitions)


@asynccontextmanager
async def sharing(worker: Worker) -> AsyncIterator[None]:
    """Takes part for the length of a block, and then hands over."""
    running = asyncio.create_task(worker.share.run())
    try:
        yield
        assert not running.done(), running.exception()
        async with asyncio.timeout(WITHIN_S):
            await worker.share.give_up()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def world(store: Store, connect: ConnectBus) -> World:
    return World(store, await connect(), SystemClock())


async def _hold(workers: Sequence[Worker], *sizes: int) -> None:
    async def so() -> bool:
        return sorted(len(worker.held) for worker in workers) == sorted(sizes)

    await until(f"they hold {sizes}", so, WITHIN_S)
    for worker in workers:
        assert worker.held == worker.share.epochs.keys()


async def test_one_alone_holds_everything(world: World) -> None:
    alone = Worker(world, "a", [])
    async with sharing(alone):
        await _hold([alone], PARTITIONS)
        assert alone.share.is_fair.is_set()
        assert alone.share.holds()
    assert (alone.held, len(alone.left)) == (set(), PARTITIONS)


async def test_whoever_comes_gets_a_part_and_leaves_it_to_the_others(world: World) -> None:
    workers: list[Worker] = []
    a, b, c = (Worker(world, name, workers) for name in "abc")
    async with sharing(a):
        await _hold([a], 64)
        async with sharing(b):
            await _hold([a, b], 32, 32)
            async with sharing(c):
                await _hold([a, b, c], 22, 22, 20)
            await _hold([a, b], 32, 32)
        await _hold([a], 64)


async def test_nobody_gives_up_more_than_he_has_to(world: World) -> None:
    workers: list[Worker] = []
    a, b = (Worker(world, name, workers) for name in "ab")
    async with sharing(a):
        await _hold([a], 64)
        async with sharing(b):
            await _hold([a, b], 32, 32)
            assert (len(a.left), len(b.left)) == (32, 0)


async def test_many_at_once_come_to_even_parts(world: World) -> None:
    workers: list[Worker] = []
    async with contextlib.AsyncExitStack() as stack:
        for number in range(8):
            await stack.enter_async_context(sharing(Worker(world, f"w{number}", workers)))
        await _hold(workers, *[8] * 8)
        seats = {worker.share.seat for worker in workers}
        assert len(seats) == 8
        assert seats <= set(range(SEATS))


async def test_what_another_holds_without_a_seat_is_waited_for(store: Store, world: World) -> None:
    leases = await hold_everything(store, "somebody")
    alone = Worker(world, "a", [])
    async with sharing(alone):

        async def seated() -> bool:
            return alone.share.seat is not None

        await until("it has a seat", seated, WITHIN_S)
        assert not alone.held
        held = await store.leases.acquire("somebody", leases)
        await store.leases.release("somebody", held)
        await _hold([alone], PARTITIONS)


async def test_what_somebody_found_lost_is_taken_again_under_a_new_epoch(
    store: Store, world: World
) -> None:
    alone = Worker(world, "a", [])
    async with sharing(alone):
        await _hold([alone], PARTITIONS)
        epoch = alone.share.epochs[7]
        (lease,) = await store.leases.acquire("a", [7])
        await store.leases.release("a", [lease])
        alone.share.lose([7])
        assert 7 not in alone.held
        await _hold([alone], PARTITIONS)
        assert alone.share.epochs[7] > epoch


async def test_what_is_lost_while_others_are_handed_over_is_not_left_any_more(
    store: Store, world: World
) -> None:
    workers: list[Worker] = []
    a, b = (Worker(world, name, workers) for name in "ab")
    left_by_a = a.leave

    async def leave(partition: int) -> None:
        later = [other for other in a.held if other > partition + AT_ONCE]
        await store.leases.release("a", await store.leases.acquire("a", later))
        a.share.lose(later)
        await left_by_a(partition)  # which knows what it holds

    a.leave = leave  # type: ignore[method-assign]
    async with sharing(a):
        await _hold([a], 64)
        async with sharing(b):
            await _hold([a, b], 32, 32)


async def test_whoever_ends_without_handing_over_gives_everything_back(world: World) -> None:
    workers: list[Worker] = []
    a, b = (Worker(world, name, workers) for name in "ab")
    running = asyncio.create_task(a.share.run())
    await _hold([a], PARTITIONS)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (a.held, a.left) == (set(), [])
    async with sharing(b):
        await _hold([b], PARTITIONS)
