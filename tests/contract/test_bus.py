"""What every ``Bus`` promises. A fake may stand in for NATS in tests only if it passes, too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.adapters.nats_bus import NatsBus, NotSent
from shared.adapters.nats_connection import NatsSettings
from shared.ports import Bus, Message, NoResponders
from tests.servers.nats import NatsServer

WITHIN_S = 10

Join = Callable[[], Awaitable[Bus]]


@pytest.fixture
async def join(nats: NatsServer) -> AsyncIterator[Join]:
    """Connections of their own to one and the same bus."""
    opened: list[Bus] = []

    async def connect() -> Bus:
        opened.append(await NatsBus.connect(NatsSettings(url=nats.url, name="contract")))
        return opened[-1]

    yield connect
    for bus in opened:
        await bus.close()


def echo(bus: Bus) -> Callable[[Message], None]:
    return lambda message: bus.publish(message.reply, message.data)


async def passed(receiver: Bus, *senders: Bus) -> None:
    """Return when all that these have published so far has reached ``receiver``."""
    for number, sender in enumerate(senders or (receiver,)):
        arrived: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        subscription = await receiver.subscribe(f"mark.{number}", arrived.put_nowait)
        sender.publish(f"mark.{number}", b"")
        async with asyncio.timeout(WITHIN_S):
            await arrived.get()
        await subscription.stop()


async def test_a_request_right_after_subscribe_is_never_lost(join: Join) -> None:
    server, client = await join(), await join()
    for number in range(500):
        await server.subscribe(f"round.{number}", echo(server))
        answer = await client.request(f"round.{number}", b"%d" % number, timeout_s=WITHIN_S)
        assert answer.data == b"%d" % number


async def test_a_request_nobody_serves_raises_at_once(join: Join) -> None:
    bus = await join()
    with pytest.raises(NoResponders, match=r"nobody\.here"):
        await bus.request("nobody.here", b"", timeout_s=60)


async def test_a_request_to_a_stopped_subscription_raises_at_once(join: Join) -> None:
    server, client = await join(), await join()
    subscription = await server.subscribe("once", echo(server))
    await client.request("once", b"", timeout_s=WITHIN_S)
    await subscription.stop()
    with pytest.raises(NoResponders):
        await client.request("once", b"", timeout_s=60)


async def test_a_request_without_an_answer_times_out(join: Join) -> None:
    bus = await join()
    await bus.subscribe("silent", lambda _: None)
    with pytest.raises(TimeoutError):
        await bus.request("silent", b"", timeout_s=0.02)


async def test_answers_find_their_requests(join: Join) -> None:
    server, client = await join(), await join()
    held: list[Message] = []

    def answer_backwards(message: Message) -> None:
        held.append(message)
        if len(held) == 100:
            for one in reversed(held):
                server.publish(one.reply, one.data)

    await server.subscribe("many", answer_backwards)
    numbers = [b"%d" % number for number in range(100)]
    answers = await asyncio.gather(
        *[client.request("many", number, timeout_s=WITHIN_S) for number in numbers]
    )
    assert [answer.data for answer in answers] == numbers


async def test_messages_of_one_sender_arrive_in_order_and_one_at_a_time(join: Join) -> None:
    sender, receiver = await join(), await join()
    got: list[bytes] = []
    inside = False

    def handle(message: Message) -> None:
        nonlocal inside
        assert not inside
        inside = True
        got.append(message.data)
        receiver.publish("elsewhere", message.data)
        inside = False

    await receiver.subscribe("ordered", handle)
    sent = [b"%d" % number for number in range(20_000)]
    for data in sent:
        sender.publish("ordered", data)
    await passed(receiver, sender)
    assert got == sent


async def test_stopping_a_subscription_under_traffic_loses_nothing(join: Join) -> None:
    """Members of a queue group come and go; whatever was published reached one of them."""
    sender, receiver = await join(), await join()
    got: list[bytes] = []
    await receiver.subscribe("work", lambda message: got.append(message.data), queue="workers")
    member = await join()
    ours = 0

    def handle(message: Message) -> None:
        nonlocal ours
        ours += 1
        got.append(message.data)

    number = 0
    for _ in range(50):
        subscription = await member.subscribe("work", handle, queue="workers")
        stopping = None
        for turn in range(20):
            for _ in range(37):
                sender.publish("work", b"%d" % number)
                number += 1
            if turn == 10:
                stopping = asyncio.create_task(subscription.stop())
            await asyncio.sleep(0)
        assert stopping is not None
        await stopping
    await passed(receiver, sender)
    assert len(got) == number
    assert sorted(map(int, got)) == list(range(number))
    assert ours > 0


async def test_a_queue_group_gets_each_message_once_and_others_get_it_too(join: Join) -> None:
    sender, receiver = await join(), await join()
    in_group: list[bytes] = []
    alone: list[bytes] = []
    for _ in range(3):
        await receiver.subscribe("x.*", lambda message: in_group.append(message.data), queue="q")
    await receiver.subscribe("x.>", lambda message: alone.append(message.data))
    for number in range(100):
        sender.publish("x.y", b"%d" % number)
    await passed(receiver, sender)
    assert len(in_group) == len(alone) == 100


async def test_subject_reply_headers_and_body_arrive_as_they_were_sent(join: Join) -> None:
    bus = await join()
    got: list[Message] = []
    await bus.subscribe("whole.>", got.append)
    headers = {"Fernamt-Command-Id": "c-1", "traceparent": "00-ab", "Name": "Jörg: a:b"}
    bus.publish("whole.message", b"\r\n\x00MSG a 1 1", reply="back.here", headers=headers)
    bus.publish("whole.empty", b"")
    bus.publish("whole.headers_only", b"", headers=headers)
    await passed(bus)
    assert got == [
        Message("whole.message", "back.here", headers, b"\r\n\x00MSG a 1 1"),
        Message("whole.empty", "", {}, b""),
        Message("whole.headers_only", "", headers, b""),
    ]


async def test_an_answer_carries_only_the_headers_it_was_given(join: Join) -> None:
    bus = await join()
    await bus.subscribe("plain", echo(bus))
    answer = await bus.request("plain", b"", headers={"Secret": "of the caller"}, timeout_s=5)
    assert answer.headers == {}


async def test_a_handler_that_raises_stops_nobody(join: Join) -> None:
    bus = await join()
    got: list[bytes] = []

    def handle(message: Message) -> None:
        if message.data == b"bad":
            raise LookupError("a bug")
        got.append(message.data)

    await bus.subscribe("shaky", handle)
    for data in (b"1", b"bad", b"2"):
        bus.publish("shaky", data)
    await passed(bus)
    assert got == [b"1", b"2"]


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB b 0\r\n", "a\tb", "ü"])
async def test_what_is_no_subject_is_refused(join: Join, subject: str) -> None:
    bus = await join()
    with pytest.raises(ValueError, match="not a subject"):
        bus.publish(subject, b"")
    if subject:
        with pytest.raises(ValueError, match="not a subject"):
            bus.publish("fine", b"", reply=subject)


async def test_a_header_of_two_lines_is_refused(join: Join) -> None:
    bus = await join()
    with pytest.raises(ValueError, match="more than one line"):
        bus.publish("fine", b"", headers={"A": "b\r\nForged: yes"})


async def test_close_sends_what_is_queued(join: Join) -> None:
    sender, receiver = await join(), await join()
    got: list[Message] = []
    await receiver.subscribe("late", got.append)
    for _ in range(1_000):
        sender.publish("late", bytes(1_000))
    await sender.close()
    await passed(receiver)
    assert len(got) == 1_000


async def test_a_closed_bus_takes_nothing(join: Join) -> None:
    bus = await join()
    await bus.subscribe("silent", lambda _: None)
    waiting = asyncio.create_task(bus.request("silent", b"", timeout_s=60))
    await asyncio.sleep(0)
    await bus.close()
    await bus.close()
    with pytest.raises(TimeoutError):
        await waiting
    with pytest.raises(NotSent):
        bus.publish("any", b"")
    with pytest.raises(NotSent):
        await bus.request("any", b"", timeout_s=1)
    with pytest.raises(ConnectionError):
        await bus.subscribe("any", lambda _: None)
