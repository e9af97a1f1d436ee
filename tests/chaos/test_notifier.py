"""The notifier dies, stands still and is cut off, while people work and somebody listens to all.

The broker lives on unless it is what dies, so that the listener hears every message that is sent:
whatever it did not hear was lost.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from shared.adapters.open_store import open_store
from shared.routing.ids import WorkspaceId
from shared.routing.transaction import Recorded
from shared.runtime.failpoints import VARIABLE
from tests.chaos.ablated import ABLATIONS
from tests.chaos.caller import Caller
from tests.chaos.conftest import LEASE_MS
from tests.chaos.endurance import Nemesis
from tests.chaos.history import History
from tests.chaos.notifications import CalledFor, c8_notifications, called_for, missed
from tests.chaos.workload import Workload, set_up
from tests.servers.client import Client, Listening, connected
from tests.servers.engine import CLI
from tests.servers.nats import NatsServer
from tests.servers.office import read_log
from tests.servers.process import Process
from tests.servers.waiting import until

W = WorkspaceId("w")
KILLED = 137
MANY = 100_000
"""Commands; nobody gets so far."""
AFTERWARDS = 50
PLACES = ("before_feed", "after_feed", "before_progress", "after_progress")
PASSINGS = {"before_progress": 3, "after_progress": 3}
"""At which passing to die; a position is saved ten times a second, a message is one of hundreds."""
PASSING = 150
ABLATED = "tests.chaos.ablated"


class Floor:
    """A database, a broker, a router, notifiers, and somebody who listens to every feed."""

    def __init__(self, store_url: str, nats: NatsServer, directory: Path) -> None:
        self.store_url = store_url
        self.nats = nats
        self._directory = directory
        self._environment = {
            "FERNAMT_STORE_URL": store_url,
            "FERNAMT_NATS_URL": nats.url,
            "FERNAMT_LEASE_MS": str(LEASE_MS),
        }
        self.router = self.process("router")
        self.notifier = self.process("notifier")
        self._processes = [self.router, self.notifier]

    def process(self, service: str, *, module: str = CLI, ablation: str = "") -> Process:
        """Another process, which is ended with the rest."""
        place = self._directory / f"{service}-{random.randrange(10**9)}"
        place.mkdir()
        made = Process(service, place, self._environment | {"ABLATION": ablation}, module=module)
        if hasattr(self, "_processes"):
            self._processes.append(made)
        return made

    def end(self) -> None:
        for process in self._processes:
            process.kill()


@pytest.fixture
async def floor(postgres_url: str, nats: NatsServer, tmp_path: Path) -> AsyncIterator[Floor]:
    store = await open_store(postgres_url, migrate=True)
    await store.close()
    floor = Floor(postgres_url, nats, tmp_path)
    await asyncio.to_thread(floor.router.start)
    yield floor
    floor.end()


Disturb = Callable[[], Awaitable[None]]


async def _work(client: Client, seed: int, disturb: Disturb, moments: Sequence[int]) -> None:
    """People work until all that is to happen, at these numbers of commands, has happened."""
    history = History()
    caller = Caller(client, history, W, timeout_s=2)
    await set_up(caller)
    nemesis = Nemesis(moments, disturb, [history])
    workload = Workload([caller], seed, MANY)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(workload.run())
        await nemesis.run()
        workload.left = min(workload.left, AFTERWARDS)
        await working
    assert nemesis.strikes == len(moments)


async def _verdict(
    floor: Floor, client: Client, everything: Listening, *, listened_all_the_time: bool = True
) -> None:
    """Wait until all is sent that the log calls for, and judge."""
    log, expected = await _sent(floor)
    if listened_all_the_time:
        wanted = [one.body["id"] for one in expected if one.body["type"] != "queue_changed"]

        async def heard_all() -> bool:
            return set(wanted) <= {body["id"] for body in everything.bodies}

        # Whatever was lost never comes: the checker names it then.
        with contextlib.suppress(TimeoutError):
            await until("everything is heard", heard_all, within_s=5)
    heard = list(everything.messages)
    breaches = c8_notifications(
        heard,
        called_for(await read_log(floor.store_url, W), W),
        bound_to_be_heard=expected if listened_all_the_time else (),
    )
    breaches += await missed(client, W, expected, log[-1].position)
    assert not breaches, "\n".join(breaches[:40])


async def _sent(floor: Floor) -> tuple[Sequence[Recorded], list[CalledFor]]:
    """L2: the log comes to rest, and its end is what was saved as sent."""
    store = await open_store(floor.store_url)
    try:

        async def saved() -> bool:
            head = await store.events.head(W)
            return (await store.progress.load()).get(W) == head

        await until("the saved position is the log's end", saved)
    finally:
        await store.close()
    log = await read_log(floor.store_url, W)
    return log, called_for(log, W)


# --- one notifier ---------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
async def test_c8_l2_dying_at_any_place_loses_no_message(floor: Floor, place: str) -> None:
    passing = PASSINGS.get(place, PASSING)
    await asyncio.to_thread(floor.notifier.start, **{VARIABLE: f"{place}:{passing}"})

    async def begin_again() -> None:
        assert await asyncio.to_thread(floor.notifier.wait) == KILLED
        await asyncio.to_thread(floor.notifier.start)

    async with connected(floor.nats.url) as client:
        everything = await client.listen(f"fernamt.v1.feed.{W}.>")
        await _work(client, 1, begin_again, [100])
        await _verdict(floor, client, everything)


async def test_c8_killed_again_and_again_it_loses_no_message(floor: Floor) -> None:
    await asyncio.to_thread(floor.notifier.start)

    async def strike() -> None:
        floor.notifier.kill()
        await asyncio.to_thread(floor.notifier.start)

    async with connected(floor.nats.url) as client:
        everything = await client.listen(f"fernamt.v1.feed.{W}.>")
        await _work(client, 2, strike, [30, 60, 90, 120, 150])
        await _verdict(floor, client, everything)


async def test_c8_a_router_that_dies_after_its_commit_takes_no_message_with_it(
    floor: Floor,
) -> None:
    await asyncio.to_thread(floor.notifier.start)
    floor.router.kill()
    await asyncio.to_thread(floor.router.start, **{VARIABLE: "after_commit:60"})

    async def begin_again() -> None:
        assert await asyncio.to_thread(floor.router.wait) == KILLED
        await asyncio.to_thread(floor.router.start)

    async with connected(floor.nats.url) as client:
        everything = await client.listen(f"fernamt.v1.feed.{W}.>")
        await _work(client, 3, begin_again, [20])
        await _verdict(floor, client, everything)


async def test_c8_a_broker_that_dies_costs_nobody_a_message_who_asks(floor: Floor) -> None:
    """Whoever listens misses what is sent while he is cut off, and nothing comes out of turn."""
    await asyncio.to_thread(floor.notifier.start)

    async def strike() -> None:
        floor.nats.kill()
        floor.nats.start()

    async with connected(floor.nats.url) as client:
        everything = await client.listen(f"fernamt.v1.feed.{W}.>")
        await _work(client, 4, strike, [60, 120, 180])
        await _verdict(floor, client, everything, listened_all_the_time=False)


# --- two of them ----------------------------------------------------------------------------


async def test_c8_p7_a_second_one_goes_on_where_the_first_was(floor: Floor) -> None:
    """Stopped in its tracks for longer than its leases live, it wakes up and says nothing new."""
    await asyncio.to_thread(floor.notifier.start)
    second = floor.process("notifier")
    waiting = asyncio.create_task(asyncio.to_thread(second.start))

    async def stands_by() -> bool:
        return "waiting_for_leases" in second.stderr

    await until("the second one stands by", stands_by)

    async def strike() -> None:
        floor.notifier.pause()
        await waiting
        floor.notifier.resume()

    async with connected(floor.nats.url) as client:
        everything = await client.listen(f"fernamt.v1.feed.{W}.>")
        await _work(client, 5, strike, [80])
        await _verdict(floor, client, everything)

    async def knows() -> bool:
        return "duty_ended" in floor.notifier.stderr

    await until("the first one knows that it is off duty", knows)


# --- and without the safeguard --------------------------------------------------------------


async def test_c8_finds_what_is_lost_where_the_position_is_saved_before_the_sending(
    floor: Floor,
) -> None:
    assert "save_before_sending" in ABLATIONS
    notifier = floor.process("notifier", module=ABLATED, ablation="save_before_sending")
    await asyncio.to_thread(notifier.start, **{VARIABLE: f"before_feed:{PASSING}"})

    async def begin_again() -> None:
        assert await asyncio.to_thread(notifier.wait) == KILLED
        await asyncio.to_thread(floor.notifier.start)

    async with connected(floor.nats.url) as client:
        everything = await client.listen(f"fernamt.v1.feed.{W}.>")
        await _work(client, 1, begin_again, [100])
        with pytest.raises(AssertionError, match="nobody heard"):
            await _verdict(floor, client, everything)
