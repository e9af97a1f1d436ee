"""A router notes that nobody watches over presence, once, and only if it would have heard."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.router.watch import LOOK_EVERY_S, STALE_AFTER_MS, STALL_MS, Watch
from shared.adapters.nats_bus import NatsBus
from shared.adapters.open_store import open_store
from shared.routing.events import ConversationAssigned, PresenceFresh, PresenceStale
from shared.wire.subjects import WATCH
from tests.servers.client import Client
from tests.servers.hand_clock import HandClock
from tests.servers.nats import ConnectBus, NatsServer
from tests.servers.office import Office, read_log
from tests.servers.process import Process
from tests.servers.waiting import until

LOOK_MS = int(LOOK_EVERY_S * 1_000)


class Watched:
    """A watch over a real broker, looked after by hand; ``noted`` is what it said."""

    def __init__(self, bus: NatsBus) -> None:
        self.noted: list[bool] = []
        self.clock = HandClock()
        self.watch = Watch(bus, self.clock, self._note)

    def _note(self, *, stale: bool) -> None:
        self.noted.append(stale)

    def pass_ms(self, milliseconds: int) -> None:
        """Let time pass, with a look every second."""
        for _ in range(milliseconds // LOOK_MS):
            self.clock.now_ms += LOOK_MS
            self.watch.look()

    async def hear(self, bus: NatsBus) -> None:
        """Let somebody else say that he is there."""
        before = len(self.noted)
        bus.publish(WATCH, b"")

        async def heard() -> bool:
            return len(self.noted) > before

        await until("the watch is heard", heard)


@pytest.fixture
async def bus(connect: ConnectBus) -> NatsBus:
    return await connect()


@pytest.fixture
async def watched(bus: NatsBus) -> Watched:
    """It has looked once, and so knows its connection."""
    watched = Watched(bus)
    await watched.watch.listen()
    watched.pass_ms(LOOK_MS)
    return watched


async def test_silence_is_noted_after_ten_seconds(watched: Watched) -> None:
    watched.pass_ms(STALE_AFTER_MS - LOOK_MS)
    assert watched.noted == []
    assert not watched.watch.stale
    watched.pass_ms(LOOK_MS)
    assert watched.noted == [True]
    assert watched.watch.stale


async def test_a_watch_that_is_heard_again_is_noted_at_once(
    watched: Watched, connect: ConnectBus
) -> None:
    watched.pass_ms(STALE_AFTER_MS)
    assert watched.noted == [True]
    await watched.hear(await connect())
    assert watched.noted == [True, False]
    assert not watched.watch.stale
    watched.pass_ms(STALE_AFTER_MS - LOOK_MS)
    assert True not in watched.noted[2:]


async def test_what_was_noted_is_said_again_to_those_who_could_not_hear(watched: Watched) -> None:
    watched.pass_ms(STALE_AFTER_MS + 3 * LOOK_MS)
    assert watched.noted == [True] * 4


async def test_a_pause_of_the_router_itself_is_not_held_against_anybody(watched: Watched) -> None:
    watched.pass_ms(STALE_AFTER_MS - LOOK_MS)
    watched.clock.now_ms += STALL_MS + 1
    watched.watch.look()
    assert watched.noted == []
    watched.pass_ms(STALE_AFTER_MS - LOOK_MS)
    assert watched.noted == []
    watched.pass_ms(LOOK_MS)
    assert watched.noted == [True]


async def test_a_broker_that_was_away_is_not_held_against_anybody(
    watched: Watched, bus: NatsBus, nats: NatsServer
) -> None:
    watched.pass_ms(STALE_AFTER_MS - LOOK_MS)
    nats.kill()

    async def lost() -> bool:
        return bus.connection is None

    async def back() -> bool:
        return bus.connection is not None

    await until("the connection is lost", lost)
    watched.pass_ms(3 * STALE_AFTER_MS)
    nats.start()
    await until("the connection is back", back)
    watched.pass_ms(STALE_AFTER_MS)
    assert watched.noted == []
    watched.pass_ms(LOOK_MS)
    assert watched.noted == [True]


async def test_a_broker_that_was_away_between_two_looks_is_noticed(
    watched: Watched, bus: NatsBus, nats: NatsServer
) -> None:
    watched.pass_ms(STALE_AFTER_MS - LOOK_MS)
    connection = bus.connection
    nats.kill()
    nats.start()

    async def another() -> bool:
        return bus.connection not in (None, connection)

    await until("the connection is another", another)
    watched.pass_ms(STALE_AFTER_MS)
    assert watched.noted == []


# --- whole processes --------------------------------------------------------------------------


@contextmanager
def process(service: str, nats: NatsServer, store_url: str, directory: Path) -> Iterator[None]:
    """``fernamt run SERVICE`` for the length of a block, ready when it begins."""
    servers = {"FERNAMT_NATS_URL": nats.url, "FERNAMT_STORE_URL": store_url}
    running = Process(service, directory, servers)
    running.start()
    try:
        yield
    finally:
        running.kill()


async def test_st13_p09_a_router_without_presence_says_so_once_and_takes_it_back(
    connect: ConnectBus, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    await (await open_store(postgres_url, migrate=True)).close()
    with process("router", nats, postgres_url, tmp_path):
        office = Office(Client(await connect()), "w1")
        await office.set_up("ana")
        await office.come_online("ana")

        async def noted() -> list[type]:
            kinds = [type(one.envelope.data) for one in await read_log(postgres_url, "w1")]
            return [kind for kind in kinds if kind in (PresenceStale, PresenceFresh)]

        async def decided_while_stale(conversation_id: str) -> bool:
            (assigned,) = [
                one.envelope.data
                for one in await read_log(postgres_url, "w1")
                if isinstance(one.envelope.data, ConversationAssigned)
                and one.envelope.data.conversation_id == conversation_id
            ]
            return assigned.presence_stale

        await until("stale presence is noted", noted)
        await office.open("vera", "c1")
        assert await noted() == [PresenceStale]
        assert await decided_while_stale("c1")
        with process("presence", nats, postgres_url, tmp_path):

            async def fresh() -> bool:
                return await noted() == [PresenceStale, PresenceFresh]

            await until("presence is fresh again", fresh)
            await office.open("vito", "c2")
            assert not await decided_while_stale("c2")
