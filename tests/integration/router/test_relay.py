"""The relay between a real log and a real stream, without the rest of the router."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from services.router import relay as relay_module
from services.router.relay import Relay
from shared.adapters.event_stream import EventStream
from shared.adapters.nats_bus import NatsBus
from shared.adapters.open_store import Store
from shared.ports import Append, StoredRow
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of
from tests.servers.client import Client
from tests.servers.nats import ConnectBus
from tests.servers.streams import events_of_stream
from tests.servers.waiting import until

W = WorkspaceId("w-1")
EVENTS = 40


@pytest.fixture
async def bus(connect: ConnectBus) -> NatsBus:
    return await connect()


@pytest.fixture
async def rows(store: Store) -> Sequence[StoredRow]:
    """What the log holds."""
    written = [
        StoredRow(Position(position), "visitor_wrote.v1", b'{"position":%d}' % position)
        for position in range(1, EVENTS + 1)
    ]
    (lease,) = await store.leases.acquire("test", [partition_of(W)])
    assert not await store.events.append([Append(W, written)], {lease.partition: lease.epoch})
    return written


async def test_what_another_writer_wrote_in_between_is_not_passed_over(
    bus: NatsBus, store: Store, rows: Sequence[StoredRow]
) -> None:
    relay = Relay(store.events, EventStream(bus))
    relay.offer(W, rows[:10])
    relay.offer(W, rows[11:])
    await _published(relay, bus)


async def test_what_did_not_fit_into_the_buffer_is_not_passed_over(
    bus: NatsBus,
    store: Store,
    rows: Sequence[StoredRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "BUFFERED_MAX", 12)
    relay = Relay(store.events, EventStream(bus))
    relay.offer(W, rows[:10])
    relay.offer(W, rows[10:20])
    relay.offer(W, rows[20:22])
    relay.offer(W, rows[22:])
    await _published(relay, bus)


async def test_what_comes_while_it_rests_goes_together(
    bus: NatsBus, store: Store, rows: Sequence[StoredRow]
) -> None:
    relay = Relay(store.events, EventStream(bus))
    async with _running(relay):
        relay.offer(W, rows[:1])
        await until("the first is published at once", _has(relay, 1))
        for row in rows[1:]:
            relay.offer(W, [row])
            await asyncio.sleep(0)
        await until("the others are as well", _has(relay, EVENTS))
    stream = await events_of_stream(Client(bus), W, upto=EVENTS)
    batches = [event.batch for event in stream]
    assert batches[0] is None
    assert batches[1] is not None
    assert len(set(batches[1:])) == 1


async def test_nobody_waits_for_its_rest(
    bus: NatsBus,
    store: Store,
    rows: Sequence[StoredRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "REST_S", 3_600)
    relay = Relay(store.events, EventStream(bus))
    async with _running(relay):
        relay.offer(W, rows[:1])
        await until("the first is published", _has(relay, 1))
        relay.offer(W, rows[1:])
        async with asyncio.timeout(10):
            await relay.settled(W)
    assert relay.published == EVENTS


def _has(relay: Relay, events: int) -> Callable[[], Awaitable[bool]]:
    async def published() -> bool:
        return relay.published == events

    return published


async def _published(relay: Relay, bus: NatsBus) -> None:
    """Everything is, without a gap."""
    async with _running(relay):
        await relay.settled(W)
    stream = await events_of_stream(Client(bus), W, upto=EVENTS)
    assert [event.position for event in stream] == list(range(1, EVENTS + 1))


@contextlib.asynccontextmanager
async def _running(relay: Relay) -> AsyncIterator[None]:
    work = asyncio.create_task(relay.run())
    try:
        yield
        assert not work.done()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
