"""The bus under everything a broker can do to it: killed, paused, gone, rude, full, forbidding."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from shared.adapters.nats_bus import NatsBus, NotSent
from shared.adapters.nats_connection import NatsSettings, _ended
from shared.ports import Message, NoResponders
from tests.servers.nats import ConnectBus, NatsServer, connections, nats_server
from tests.servers.waiting import until

WITHIN_S = 20


def echo(bus: NatsBus) -> Callable[[Message], None]:
    return lambda message: bus.publish(message.reply, message.data)


def renewal(bus: NatsBus) -> Callable[[], Awaitable[None]]:
    """Returns a wait for the next renewed connection."""
    renewed = asyncio.Event()

    async def note() -> None:
        renewed.set()

    async def wait() -> None:
        async with asyncio.timeout(WITHIN_S):
            await renewed.wait()
        renewed.clear()

    bus.on_reconnect(note)
    return wait


def break_protocol(bus: NatsBus) -> None:
    """Make the server end the connection with an error after which nats-py gives up for good."""
    bus._connection.client.send(b"PUB too.large 99999999\r\n")


async def test_after_kill_9_of_the_server_everything_goes_on(
    nats: NatsServer, connect: ConnectBus
) -> None:
    server, client = await connect(), await connect()
    await server.subscribe("echo", echo(server))
    server_renewed, client_renewed = renewal(server), renewal(client)
    for number in range(3):
        nats.kill()
        nats.start()
        await server_renewed()
        await client_renewed()
        answer = await client.request("echo", b"%d" % number, timeout_s=WITHIN_S)
        assert answer.data == b"%d" % number
    assert server.counters.reconnected == 3
    assert server.counters.rebuilt == 0


async def test_on_reconnect_is_called_when_subscriptions_live_again(
    nats: NatsServer, connect: ConnectBus
) -> None:
    bus = await connect()
    answers: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
    for number in range(200):
        await bus.subscribe(f"echo.{number}", echo(bus))

    async def ask() -> None:
        answers.put_nowait(await bus.request("echo.199", b"back", timeout_s=WITHIN_S))

    async def fail() -> None:
        raise LookupError("a bug")

    bus.on_reconnect(fail)
    bus.on_reconnect(ask)
    nats.kill()
    nats.start()
    async with asyncio.timeout(WITHIN_S):
        assert (await answers.get()).data == b"back"


async def test_what_is_published_while_the_server_is_away_is_sent_later(
    nats: NatsServer, connect: ConnectBus
) -> None:
    bus = await connect()
    got: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
    await bus.subscribe("later", got.put_nowait)
    renewed = renewal(bus)
    nats.kill()
    with pytest.raises(TimeoutError):
        await bus.request("later.unheard", b"", timeout_s=0.1)
    assert not bus.connected
    bus.publish("later", b"kept")
    nats.start()
    await renewed()
    async with asyncio.timeout(WITHIN_S):
        assert (await got.get()).data == b"kept"


async def test_a_subscription_made_while_the_server_is_away_waits_for_it(
    nats: NatsServer, connect: ConnectBus
) -> None:
    bus = await connect()
    nats.kill()
    with pytest.raises(TimeoutError):
        await bus.request("nobody", b"", timeout_s=0.1)
    subscribing = asyncio.create_task(bus.subscribe("echo", echo(bus)))
    given_up = asyncio.create_task(bus.subscribe("given.up", echo(bus)))
    await asyncio.sleep(0)
    given_up.cancel()
    nats.start()
    async with asyncio.timeout(WITHIN_S):
        await subscribing
    assert (await bus.request("echo", b"here", timeout_s=WITHIN_S)).data == b"here"
    with pytest.raises(NoResponders):
        await bus.request("given.up", b"", timeout_s=WITHIN_S)


async def test_a_subscription_stopped_while_the_server_is_away_stays_stopped(
    nats: NatsServer, connect: ConnectBus
) -> None:
    bus = await connect()
    subscription = await bus.subscribe("echo", echo(bus))
    renewed = renewal(bus)
    nats.kill()
    with pytest.raises(TimeoutError):
        await bus.request("nobody", b"", timeout_s=0.1)
    await subscription.stop()
    nats.start()
    await renewed()
    with pytest.raises(NoResponders):
        await bus.request("echo", b"", timeout_s=WITHIN_S)


async def test_a_short_pause_of_the_server_costs_nothing_but_time(
    nats: NatsServer, connect: ConnectBus
) -> None:
    server, client = await connect(), await connect()
    await server.subscribe("echo", echo(server))
    nats.pause()
    with pytest.raises(TimeoutError):
        await client.request("echo", b"", timeout_s=0.2)
    nats.resume()
    assert (await client.request("echo", b"again", timeout_s=WITHIN_S)).data == b"again"
    assert client.counters.reconnected == server.counters.reconnected == 0


async def test_a_silent_server_is_left_for_another_one(nats: NatsServer) -> None:
    with nats_server() as other:
        settings = NatsSettings(
            url=f"{nats.url},{other.url}", name="test", ping_interval_s=0.1, outbox_max=64_000_000
        )
        bus = await NatsBus.connect(settings)
        renewed = renewal(bus)
        await bus.subscribe("echo", echo(bus))
        silent = nats if str(nats.port) in str(bus._connection.client.connected_url) else other
        silent.pause()
        for _ in range(20):  # more than the kernel takes, so that closing would wait for the peer
            bus.publish("unheard", bytes(1_000_000))
        await renewed()
        assert (await bus.request("echo", b"there", timeout_s=WITHIN_S)).data == b"there"
        await bus.close()


async def test_a_connection_closed_for_good_is_rebuilt_with_its_subscriptions(
    connect: ConnectBus,
) -> None:
    server, client = await connect(), await connect()
    await server.subscribe("echo", echo(server))
    await server.subscribe("echo.group", echo(server), queue="q")
    renewed = renewal(server)
    for number in range(3):
        break_protocol(server)
        await renewed()
        for subject in ("echo", "echo.group"):
            answer = await client.request(subject, b"%d" % number, timeout_s=WITHIN_S)
            assert answer.data == b"%d" % number
    assert server.counters.rebuilt == 3
    got: list[Message] = []
    await client.subscribe("once", got.append)
    server.publish("once", b"")
    await client.request("echo", b"", timeout_s=WITHIN_S)
    assert len(got) == 1


async def test_without_a_server_for_long_the_connection_is_rebuilt_when_it_comes(
    nats: NatsServer, connect: ConnectBus
) -> None:
    bus = await connect(rebuild_after_s=0.1, connect_within_s=0.5)
    await bus.subscribe("echo", echo(bus))
    renewed = renewal(bus)
    nats.kill()
    with pytest.raises(TimeoutError):
        await bus.request("echo", b"", timeout_s=3)
    nats.start()
    await renewed()
    assert (await bus.request("echo", b"", timeout_s=WITHIN_S)).data == b""
    assert bus.counters.rebuilt >= 1


async def test_messages_that_cannot_be_sent_are_kept_up_to_a_bound_and_then_refused(
    nats: NatsServer, connect: ConnectBus
) -> None:
    bus = await connect(outbox_max=1_000_000)
    nats.pause()

    async def publish_for_ever() -> None:
        while True:
            bus.publish("full", bytes(10_000))
            await asyncio.sleep(0)

    with pytest.raises(NotSent, match="bytes are waiting"):
        await publish_for_ever()
    assert bus.counters.refused == 1
    assert bus.counters.published > 90
    nats.resume()
    got: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
    await bus.subscribe("room", got.put_nowait)
    bus.publish("room", b"again")
    async with asyncio.timeout(WITHIN_S):
        assert (await got.get()).data == b"again"


async def test_a_message_larger_than_the_server_takes_is_refused_here(connect: ConnectBus) -> None:
    bus = await connect()
    with pytest.raises(ValueError, match="more than the server takes"):
        bus.publish("large", bytes(1024 * 1024 + 1))
    with pytest.raises(NoResponders):
        await bus.request("still.here", b"", timeout_s=WITHIN_S)


async def test_slow_handlers_are_reported(connect: ConnectBus) -> None:
    bus = await connect()

    def dawdle(_message: Message) -> None:
        threading.Event().wait(1.1)

    await bus.subscribe("slow", dawdle)
    bus.publish("slow", b"")
    with pytest.raises(NoResponders):
        await bus.request("nobody", b"", timeout_s=WITHIN_S)
    assert bus.counters.slow == 1


PERMISSIONS = """
authorization {
  users = [
    { user: someone, password: secret, permissions: {
        publish: { deny: ["closed.>"] }, subscribe: { deny: ["closed.>"] } } }
  ]
}
"""


async def test_a_denial_is_an_error_at_once_not_a_time_out() -> None:
    with nats_server(PERMISSIONS) as server:
        url = server.url.replace("//", "//someone:secret@")
        bus = await NatsBus.connect(NatsSettings(url=url, name="test"))
        with pytest.raises(PermissionError, match=r'Subscription to "closed\.Door"'):
            await bus.subscribe("closed.Door", lambda _: None)
        with pytest.raises(PermissionError, match=r'Publish to "closed\.Door"'):
            await bus.request("closed.Door", b"", timeout_s=60)
        bus.publish("closed.Door", b"")
        with pytest.raises(NoResponders):
            await bus.request("open", b"", timeout_s=WITHIN_S)
        assert bus.counters.denied == 3
        await bus.close()


async def test_a_refused_login_says_so_and_keeps_the_password_to_itself() -> None:
    with nats_server(PERMISSIONS) as server:
        url = server.url.replace("//", "//someone:mistaken@")
        with pytest.raises(ConnectionError, match="Authorization Violation") as caught:
            await NatsBus.connect(NatsSettings(url=url, name="test", connect_within_s=0.5))
        assert "mistaken" not in str(caught.value)


async def test_a_server_that_is_not_there_is_named(nats: NatsServer) -> None:
    nats.stop()
    with pytest.raises(ConnectionError, match=rf"127\.0\.0\.1:{nats.port} within 0\.3 s"):
        await NatsBus.connect(NatsSettings(url=nats.url, name="test", connect_within_s=0.3))


async def troubles(nats: NatsServer, connect: ConnectBus, chance: random.Random) -> None:
    """Kill, pause and offend the server in any order, under traffic; end with all as it was."""
    server, client = await connect(), await connect()
    await server.subscribe("echo", echo(server))
    answered = asyncio.Condition()
    under_way = True

    async def ask() -> None:
        while under_way:
            try:
                await client.request("echo", bytes(chance.choice([10, 100_000])), timeout_s=0.2)
            except (TimeoutError, NoResponders, NotSent):
                continue
            async with answered:
                answered.notify_all()

    async def come_and_go() -> None:
        while under_way:
            await (await server.subscribe(f"x.{chance.random()}", echo(server))).stop()

    tasks = [asyncio.create_task(work()) for work in [ask] * 10 + [come_and_go] * 3]
    async with asyncio.timeout(3 * WITHIN_S):
        for _ in range(12):
            await trouble(nats, chance.choice([server, client]), chance)
            async with answered:
                await answered.wait()
        under_way = False
        await asyncio.gather(*tasks)

    async def end() -> bytes:
        try:
            return (await client.request("echo", b"end", timeout_s=WITHIN_S)).data
        except NoResponders:  # the last trouble shows only now: what came after it was on its way
            return b""

    assert await until("somebody answers", end) == b"end"
    for bus in (server, client):
        carried = bus._connection.client
        assert len(bus._connection.listeners) == len(carried._subs) == len(carried._handlers)


async def trouble(nats: NatsServer, bus: NatsBus, chance: random.Random) -> None:
    match chance.choice(["kill", "pause", "offend"]):
        case "kill":
            nats.kill()
            await asyncio.sleep(0)
            nats.start()
        case "pause":
            nats.pause()
            with contextlib.suppress(TimeoutError, NotSent):
                await bus.request("echo", b"", timeout_s=chance.random() / 5)
            nats.resume()
        case _:
            break_protocol(bus)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_whatever_happens_in_any_order_the_bus_ends_as_it_began(
    nats: NatsServer, loop_factory: Callable[[], asyncio.AbstractEventLoop], seed: int
) -> None:
    async def run() -> None:
        async with connections(nats) as connect:
            await troubles(nats, connect, random.Random(seed))

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())


@pytest.mark.parametrize(
    "scenario",
    [
        test_after_kill_9_of_the_server_everything_goes_on,
        test_what_is_published_while_the_server_is_away_is_sent_later,
        test_a_subscription_made_while_the_server_is_away_waits_for_it,
        test_without_a_server_for_long_the_connection_is_rebuilt_when_it_comes,
        test_messages_that_cannot_be_sent_are_kept_up_to_a_bound_and_then_refused,
    ],
)
def test_the_same_holds_under_uvloop(
    nats: NatsServer, scenario: Callable[[NatsServer, ConnectBus], Awaitable[None]]
) -> None:
    """Its transports raise other errors, and it runs the engine."""

    async def run() -> None:
        async with connections(nats) as connect:
            await scenario(nats, connect)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def test_a_silent_server_is_left_under_uvloop_too(nats: NatsServer) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_a_silent_server_is_left_for_another_one(nats))


async def test_giving_up_a_connection_ends_what_swallows_a_cancellation() -> None:
    """As ``asyncio.wait_for`` does now and then; the next one is heard."""
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await _ended(task)
    assert (swallowed, task.cancelled()) == (1, True)
