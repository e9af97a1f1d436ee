"""The pulse over a real broker: what it proves, and what it takes for having been deaf."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from services.presence.pulse import Pulse
from services.presence.settings import LEASE_MS, VARIABLE, Settings, settings_from
from shared.adapters.nats_bus import NatsBus
from shared.ports import Message
from shared.wire.subjects import WATCH
from tests.servers.hand_clock import HandClock
from tests.servers.nats import NatsServer, connections, nats_server
from tests.servers.waiting import until

SETTINGS = Settings(1_500)


class Heart:
    """A pulse, and what it said."""

    def __init__(self, bus: NatsBus) -> None:
        self.bus = bus
        self.clock = HandClock()
        self.proofs: list[int] = []
        self.stalls = 0
        self.pulse = Pulse(bus, self.clock, SETTINGS, self.proofs.append, self._stalled)

    def _stalled(self) -> None:
        self.stalls += 1

    async def proves(self) -> None:
        """Wait for one more proof."""
        before = len(self.proofs)

        async def more() -> bool:
            return len(self.proofs) > before

        await until("another proof", more)

    async def stalls_at(self, number: int) -> None:
        async def so_many() -> bool:
            return self.stalls >= number

        await until(f"{number} stalls", so_many)


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    with nats_server() as server:
        yield server


@asynccontextmanager
async def beating(bus: NatsBus) -> AsyncIterator[Heart]:
    heart = Heart(bus)
    work = asyncio.create_task(heart.pulse.run())
    try:
        yield heart
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_st13_it_begins_as_deaf_and_then_proves_what_it_heard(nats: NatsServer) -> None:
    async with connections(nats) as connect, beating(await connect()) as heart:
        at_first = heart.pulse.steady
        await heart.stalls_at(1)
        await heart.proves()
        assert (at_first, heart.pulse.steady) == (False, True)
        heart.clock.now_ms += 10
        await heart.proves()
        await heart.proves()
        assert heart.proofs[-1] == heart.clock.now_ms
        assert heart.stalls == 1


async def test_st13_time_in_which_nothing_was_heard_is_a_stall(nats: NatsServer) -> None:
    async with connections(nats) as connect, beating(await connect()) as heart:
        await heart.proves()
        heart.clock.now_ms += SETTINGS.stall_ms + 1
        assert not heart.pulse.steady
        so_far = len(heart.proofs)
        await heart.stalls_at(2)
        assert len(heart.proofs) == so_far
        await heart.proves()


async def test_st13_a_connection_that_was_lost_is_a_stall_however_short(nats: NatsServer) -> None:
    async with connections(nats) as connect, beating(await connect()) as heart:
        await heart.proves()
        nats.kill()
        nats.start()
        await heart.stalls_at(2)
        await heart.proves()


async def test_st13_the_pulse_of_another_proves_nothing(nats: NatsServer) -> None:
    async with connections(nats) as connect:
        heart = Heart(await connect())
        heard: list[Message] = []
        await heart.bus.subscribe(WATCH, heard.append)
        await heart.bus.subscribe(WATCH, heart.pulse._on_message)
        async with beating(await connect()) as other:
            await other.proves()

        async def overheard() -> bool:
            return len(heard) > 1

        await until("the other one is heard", overheard)
        assert all(message.data == b"" for message in heard)
        assert heart.proofs == []
        assert heart.stalls == 0


def test_st03_everything_is_measured_against_the_lease() -> None:
    assert settings_from({}) == Settings(LEASE_MS)
    assert (Settings().pulse_ms, Settings().stall_ms, Settings().second_ms) == (1_000, 7_500, 1_000)
    quick = settings_from({VARIABLE: "4500"})
    assert (quick.pulse_ms, quick.stall_ms, quick.second_ms) == (300, 750, 100)
    for nonsense in ("0", "-5", "45 s", "9999999999"):
        with pytest.raises(ValueError, match=VARIABLE):
            settings_from({VARIABLE: nonsense})
