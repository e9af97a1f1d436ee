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


async def test_many_go_out_in_their_order_or_none_of_them(
    nats: NatsServer, connect: ConnectBus
) -> None:
    sender, reader = await connect(), await connect()
    got: list[tuple[str, bytes]] = []
    await reader.subscribe("news.>", lambda message: got.append((message.subject, message.data)))
    many = [(f"news.{number}", b"%d" % number) for number in range(MANY)]
    sender.publish_all([(*one, "") for one in many])
    sender.publish_all([])
    sender.publish("news.end", b"")
    with pytest.raises(ValueError, match="more than the server takes"):
        sender.publish_all([("news.small", b"", ""), ("news.large", b"x" * 2**21, "")])
    with pytest.raises(ValueError, match="not a subject"):
        sender.publish_all([("news.plain", b"", ""), ("news. blank", b"", "")])
    await sender.flush()
    await reader.flush()
    assert got == [*many, ("news.end", b"")]
    assert sender.counters.published == MANY + 1
    nats.kill()
    await _until_connection(sender, None)
    with pytest.raises(NotSent, match="lost"):
        sender.publish_all([("news.lost", b"", "")])


async def _until_connection(bus: NatsBus, number: int | None) -> None:
    async def look() -> bool:
        return bus.connection == number

    await until(f"the connection is {number}", look)
