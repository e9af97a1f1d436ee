"""What nats-py gets wrong and our client sets right, each fault shown in nats-py beside it.

A test of nats-py that fails after an upgrade is good news: the remedy may go.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from nats import errors
from nats.aio.client import Client

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_client import BusClient, BusCounters
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.nats_wire import PING, PONG
from shared.ports import Message
from tests.servers.nats import ConnectBus, NatsServer

WITHIN_S = 10
INFO = b'INFO {"server_id":"S","version":"2.15.1","headers":true,"max_payload":1048576}\r\n'

MakeClient = Callable[[], Client]


def ours() -> Client:
    return BusClient(
        BusCounters(), on_denied=lambda _: None, on_lost=lambda _: None, on_closed=lambda _: None
    )


class ScriptedServer:
    """Speaks just enough of the protocol to be slow, deaf or rude at the right moment."""

    def __init__(self) -> None:
        self.said: list[list[bytes]] = []
        """The first words of all lines, by connection."""
        self.asked = asyncio.Event()
        """A PING came that is not answered yet."""
        self.may_answer = asyncio.Event()
        """Until set, no PING but the first of a connection is answered."""
        self.may_answer.set()
        self.deaf_after_greeting = False
        self.instead_of_pong = b""
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words: list[bytes] = []
        self.said.append(words)
        self._writers.append(writer)
        self._serving.append(asyncio.current_task())
        writer.write(INFO)
        while line := await reader.readline():
            words.append(line.split()[0] if line.split() else b"")
            if line != PING:
                continue
            if words.count(b"PING") > 1:
                self.asked.set()
                await self.may_answer.wait()
            writer.write(self.instead_of_pong or PONG)
            if self.deaf_after_greeting and len(self.said) == 1:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                return

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def end(self) -> None:
        self.hang_up()
        self.may_answer.set()
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*filter(None, self._serving), return_exceptions=True)


@asynccontextmanager
async def scripted_server() -> AsyncIterator[tuple[ScriptedServer, str]]:
    script = ScriptedServer()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield script, f"nats://127.0.0.1:{port}"
    finally:
        server.close()
        await script.end()
        await server.wait_closed()


async def ignore(_error: Exception) -> None: ...


@asynccontextmanager
async def connected(
    make: MakeClient, url: str, *, ping_interval: float = 60
) -> AsyncIterator[tuple[Client, asyncio.Event]]:
    """A client and the event that it has reconnected."""
    reconnected = asyncio.Event()

    async def note() -> None:
        reconnected.set()

    client = make()
    await client.connect(
        url,
        error_cb=ignore,
        reconnected_cb=note,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0,
        ping_interval=ping_interval,  # type: ignore[arg-type]
        pending_size=64_000_000,
    )
    try:
        yield client, reconnected
    finally:
        if client._transport is not None:
            client._transport._io_writer.transport.abort()  # type: ignore[attr-defined]
        with suppress(ConnectionError):
            await client.close()


async def fill_every_buffer(client: Client) -> None:
    """Queue more than kernel and transport hold, so that the client waits for its peer."""
    for _ in range(24):
        await client.publish("a", bytes(1_000_000))


@pytest.mark.parametrize(
    ("make", "order"), [(ours, [b"SUB", b"PING"]), (Client, [b"PING", b"SUB"])]
)
async def test_a_flush_goes_behind_what_was_queued_before_it(
    make: MakeClient, order: list[bytes]
) -> None:
    async with scripted_server() as (script, url), connected(make, url) as (client, _):
        await client.subscribe("a")
        await client.flush()
        assert script.said[0] == [b"CONNECT", b"PING", *order]


@pytest.mark.parametrize(("make", "reading_ends"), [(ours, False), (Client, True)])
async def test_a_flush_given_up_leaves_the_reading_alive(
    make: MakeClient, reading_ends: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with scripted_server() as (script, url), connected(make, url) as (client, _):
        script.may_answer.clear()
        with pytest.raises(errors.TimeoutError):
            await client.flush(timeout=0.05)  # type: ignore[arg-type]
        script.may_answer.set()
        if reading_ends:
            assert client._reading_task is not None
            async with asyncio.timeout(WITHIN_S):
                await client._reading_task
        else:
            await client.flush(timeout=WITHIN_S)
    assert ("InvalidStateError" in caplog.text) is reading_ends


@pytest.mark.parametrize(("make", "renewed"), [(ours, True), (Client, False)])
async def test_a_peer_that_takes_nothing_more_is_left_within_three_pings(
    make: MakeClient, renewed: bool
) -> None:
    async with scripted_server() as (script, url):
        script.deaf_after_greeting = True
        async with connected(make, url, ping_interval=0.1) as (client, reconnected):
            await fill_every_buffer(client)
            try:
                async with asyncio.timeout(WITHIN_S if renewed else 2):
                    await reconnected.wait()
            except TimeoutError:
                assert client.is_reconnecting  # and will be until the kernel gives up
            assert reconnected.is_set() is renewed


async def test_a_ping_of_a_lost_connection_is_not_sent_on_the_next() -> None:
    """Else its PONG would be taken for that of a later flush, which then is no barrier."""
    async with scripted_server() as (script, url):
        script.deaf_after_greeting = True
        async with connected(ours, url) as (client, reconnected):
            await fill_every_buffer(client)
            for _ in range(3):
                with pytest.raises(errors.TimeoutError):
                    await client.flush(timeout=0.01)  # type: ignore[arg-type]
            script.hang_up()
            async with asyncio.timeout(WITHIN_S):
                await reconnected.wait()
            greeting, of_the_reconnection = 1, 1
            assert script.said[1].count(b"PING") == greeting + of_the_reconnection


async def test_a_flush_ends_at_once_when_the_connection_is_lost() -> None:
    async with scripted_server() as (script, url), connected(ours, url) as (client, reconnected):
        script.may_answer.clear()
        flush = asyncio.create_task(client.flush(timeout=60))
        async with asyncio.timeout(WITHIN_S):
            await script.asked.wait()
            script.hang_up()
            with pytest.raises(ConnectionError):
                await flush
            script.may_answer.set()
            await reconnected.wait()


async def test_a_server_that_does_not_finish_its_greeting_is_no_connection() -> None:
    """nats-py returns from ``connect`` as if nothing were the matter."""
    async with scripted_server() as (script, url):
        script.instead_of_pong = PING
        with pytest.raises(ConnectionError, match=r"no usable NATS server at 127\.0\.0\.1:\d+"):
            await NatsBus.connect(NatsSettings(url=url, name="test", connect_within_s=0.2))
        async with connected(Client, url) as (client, _):
            assert not client.is_connected


HOSTILE = {
    "vertical_tab": b"PUB open.a\x0b%d 2\r\nhi\r\n",
    "vertical_tab_and_reply": b"PUB open.a\x0b%d\x0bother 2\r\nhi\r\n",
    "not_utf8": b"PUB open.\xff%d 2\r\nhi\r\n",
    "reply_not_utf8": b"PUB open.a \xff%d 2\r\nhi\r\n",
    "headers_cut_short": b"HPUB open.a%d 8 8\r\nNATS/1.0\r\n",
    "status_not_utf8": b"HPUB open.a%d 14 14\r\nNATS/1.0 \xff\xff\xff\r\n\r\n",
}
"""What anybody who may publish to ``open.>`` can send; the number is that of a subscription."""


async def publish_raw(server: NatsServer, command: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await reader.readline()
    writer.write(b'CONNECT {"verbose":false,"headers":true}\r\n' + command + PING)
    assert await reader.readline() == PONG
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("command", HOSTILE.values(), ids=HOSTILE.keys())
async def test_no_subject_or_header_misleads_or_ends_the_reading(
    nats: NatsServer, connect: ConnectBus, command: bytes
) -> None:
    bus = await connect()
    opened: list[Message] = []
    private: list[Message] = []
    await bus.subscribe("private", private.append)
    await bus.subscribe("open.>", opened.append)
    for number in range(1, 4):
        await publish_raw(nats, command % number)
    bus.publish("open.last", b"")
    await (await bus.subscribe("unused", opened.append)).stop()  # a barrier behind all of it
    assert private == []
    assert opened[-1].subject == "open.last"
    assert all(message.subject.startswith("open.") for message in opened)
    assert len(opened) - 1 + bus.counters.malformed == 3
    assert bus.counters.reconnected == 0


async def test_nats_py_hands_a_message_to_a_subscription_the_sender_chose(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    private: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
    async with connected(Client, nats.url) as (client, _):

        async def note(message: object) -> None:
            private.put_nowait(getattr(message, "data", b""))

        chosen = await client.subscribe("private", cb=note)
        await client.subscribe("open.>", cb=note)
        await client.flush()
        await publish_raw(nats, HOSTILE["vertical_tab"] % chosen._id)
        async with asyncio.timeout(WITHIN_S):
            assert await private.get() == b"hi"
    assert caplog.text == ""
