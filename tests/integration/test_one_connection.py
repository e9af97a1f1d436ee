"""Messages for one connection alone, and the barrier that tells what the server has seen."""

import asyncio

import pytest

from shared.adapters.nats_bus import NatsBus, NotSent
from shared.ports import Message
from tests.servers.nats import ConnectBus, NatsServer
from tests.servers.waiting import until

MANY = 20_000


async def test_after_a_flush_the_server_has_seen_everything(connect: ConnectBus) -> None:
    sender, reader = await connect(), await connect()
    got: list[Message] = []
    await reader.subscribe("news", got.append)
    for _ in range(MANY):
        sender.publish("news", b"", perishable=True)
    assert await sender.flush() == sender.connection == 1
    await reader.flush()
    assert len(got) == MANY


async def test_what_was_meant_for_a_lost_connection_never_comes_over_the_next(
    nats: NatsServer, connect: ConnectBus
) -> None:
    bus = await connect()
    got: asyncio.Queue[bytes] = asyncio.Queue()
    await bus.subscribe("news", lambda message: got.put_nowait(message.data))
    nats.kill()
    bus.publish("news", b"perishable", perishable=True)
    await _until_connection(bus, None)
    bus.publish("news", b"lasting")
    with pytest.raises(NotSent, match="lost"):
        bus.publish("news", b"perishable", perishable=True)
    with pytest.raises(ConnectionError):
        await bus.flush()
    nats.start()
    await _until_connection(bus, 2)
    bus.publish("news", b"again", perishable=True)
    await bus.flush()
    assert [got.get_nowait(), got.get_nowait()] == [b"lasting", b"again"]
    assert got.empty()


async def _until_connection(bus: NatsBus, number: int | None) -> None:
    async def look() -> bool:
        return bus.connection == number

    await until(f"the connection is {number}", look)
