"""Duty on each kind of store: every trade has leases of its own, and terms follow one another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store
from shared.ports import Lease, LeaseLost, StoreUnavailable
from shared.routing.partition import PARTITIONS, partition_of
from shared.runtime.duty import FIRST_LEASE, Duty, Trade, new_owner
from shared.runtime.terms import serve_in_terms
from shared.runtime.world import World
from tests.contract.log_samples import NORTH, append, log_of, rows
from tests.servers.nats import ConnectBus

WITHIN_S = 20.0
EVERYTHING = range(PARTITIONS)


def duty(store: Store, trade: Trade, owner: str = "") -> Duty:
    return Duty(store.leases, SystemClock(), owner or new_owner(), trade)


async def test_each_trade_has_leases_of_its_own(store: Store) -> None:
    held = [duty(store, trade) for trade in FIRST_LEASE]
    for each in held:
        assert await each.take(EVERYTHING)
        assert each.holds()
        assert list(each.epochs) == list(EVERYTHING)
    numbers = {each.lease_on(partition).partition for each in held for partition in EVERYTHING}
    assert len(numbers) == len(FIRST_LEASE) * PARTITIONS


@pytest.mark.parametrize("trade", FIRST_LEASE)
async def test_one_at_a_time_holds_the_leases_of_a_trade(store: Store, trade: Trade) -> None:
    first, second = duty(store, trade, "first"), duty(store, trade, "second")
    assert await first.take(EVERYTHING)
    assert not await second.take(EVERYTHING)
    assert not second.holds()
    await first.give_up()
    assert await second.take(EVERYTHING)
    assert second.epochs[0] > 0
    assert not first.holds()


async def test_appends_are_fenced_by_the_routers_leases_alone(store: Store) -> None:
    router, notifier = duty(store, "router"), duty(store, "notifier")
    assert await notifier.take(EVERYTHING)
    with pytest.raises(LeaseLost):
        await store.events.append([append(NORTH, rows(1, 1))], notifier.epochs)
    assert await router.take(EVERYTHING)
    await notifier.give_up()
    await store.events.append([append(NORTH, rows(1, 1))], router.epochs)
    assert await log_of(store, NORTH) == rows(1, 1)


async def test_the_routers_leases_are_numbered_as_the_partitions(store: Store) -> None:
    router = duty(store, "router")
    assert await router.take(EVERYTHING)
    partition = partition_of(NORTH)
    assert router.lease_on(partition) == Lease(partition, router.epochs[partition])


class Worker:
    """Somebody who serves in terms, and what became of it."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self.on_duty = asyncio.Event()
        self.stopping = asyncio.Event()
        self.fails: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.terms = 0

    async def run(self) -> None:
        await serve_in_terms(self._world, "notifier", self._name, self.stopping, self._serve)

    async def _serve(self, held: Duty) -> None:
        assert held.holds()
        self.terms += 1
        self.on_duty.set()
        told = asyncio.create_task(self.stopping.wait())
        ends: list[asyncio.Future[Any]] = [told, self.fails]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self.fails.done():
                self.fails.result()
        finally:
            told.cancel()
            self.on_duty.clear()


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stopping.set()
        async with asyncio.timeout(WITHIN_S):
            await running


async def _soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(WITHIN_S):
        await event.wait()


@pytest.fixture
async def world(store: Store, connect: ConnectBus) -> World:
    return World(store, await connect(), SystemClock())


async def test_whoever_stands_by_takes_over(world: World) -> None:
    first, second = Worker(world, "first"), Worker(world, "second")
    async with working(second):
        await _soon(second.on_duty)
        async with working(first):
            second.stopping.set()
            await _soon(first.on_duty)
            assert (first.terms, second.terms) == (1, 1)
            assert not second.on_duty.is_set()


async def test_a_term_that_a_store_ended_is_followed_by_another(world: World) -> None:
    worker = Worker(world, "only")
    async with working(worker):
        await _soon(worker.on_duty)
        failed, worker.fails = worker.fails, asyncio.get_running_loop().create_future()
        worker.on_duty.clear()
        failed.set_exception(StoreUnavailable("away"))
        await _soon(worker.on_duty)
        assert worker.terms == 2


async def test_another_fault_comes_out_and_leaves_the_leases(world: World) -> None:
    worker = Worker(world, "faulty")
    running = asyncio.create_task(worker.run())
    await _soon(worker.on_duty)
    worker.fails.set_exception(ZeroDivisionError("a fault"))
    with pytest.raises(ZeroDivisionError):
        await running
    another = duty(world.store, "notifier", "another")
    assert await another.take(EVERYTHING)
