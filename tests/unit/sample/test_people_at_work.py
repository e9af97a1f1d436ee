"""The people who play on: so many and no more, and gone when they are told."""

import asyncio
import random
from collections.abc import Sequence
from time import monotonic

import pytest

from services.cli.sample.front_ends import FrontEnds
from services.cli.sample.live_visitors import OPEN_MAX, OPENS_MS, WAITING_MAX, LiveVisitors
from services.cli.sample.playing import playing
from services.cli.sample.scene import Scene
from shared.adapters.clocks import SystemClock
from shared.routing.ids import UnixMs

NOWHERE = "nats://127.0.0.1:1"
NOW = UnixMs(1_773_222_067_000)


class Listened(FrontEnds):
    """Notes what was to be said by whom, and has no broker to say it to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, dict[str, object]]] = []

    async def visitor(self, visitor_id: str, entry: str, command: str, **fields: object) -> bool:
        self.calls.append((visitor_id, entry, command, fields))
        return True

    async def admin(self, command: str, **fields: object) -> bool:
        self.calls.append(("admin", "", command, fields))
        return True

    async def sees(self, visitor_id: str, entry: str, url: str) -> None:
        self.calls.append((visitor_id, entry, "sees", {"url": url}))

    def said(self, command: str) -> int:
        return sum(call[2] == command for call in self.calls)


def conversation(number: int, queued_at: int = NOW) -> dict[str, object]:
    return {
        "conversation_id": f"c-{number}",
        "visitor_id": f"v-{number}",
        "entry_point_id": "site",
        "queued_at": queued_at,
    }


def scene(now: int, *, waiting: Sequence[int] = (), assigned: Sequence[int] = ()) -> Scene:
    return Scene(
        UnixMs(now),
        {},
        [conversation(number) for number in waiting],
        [],
        [conversation(number) for number in assigned],
    )


@pytest.fixture
def listened() -> Listened:
    return Listened()


async def test_one_comes_every_few_seconds(listened: Listened) -> None:
    visitors = LiveVisitors(listened, random.Random(1), NOW)
    for second in range(120):
        await visitors.act(scene(NOW + second * 1_000))
    assert 120_000 / (OPENS_MS[1] + 1_000) <= listened.said("open") <= 120_000 / OPENS_MS[0]


@pytest.mark.parametrize(
    ("waiting", "assigned", "come"),
    [(WAITING_MAX - 1, 0, 1), (WAITING_MAX, 0, 0), (0, OPEN_MAX - 1, 1), (0, OPEN_MAX, 0)],
)
async def test_nobody_comes_while_enough_are_there(
    listened: Listened, waiting: int, assigned: int, come: int
) -> None:
    visitors = LiveVisitors(listened, random.Random(1), NOW)
    await visitors.act(scene(NOW, waiting=range(waiting), assigned=range(100, 100 + assigned)))
    assert listened.said("open") == come


async def test_nothing_waits_for_ever(listened: Listened) -> None:
    visitors = LiveVisitors(listened, random.Random(1), NOW)
    await visitors.act(scene(NOW + 899_000, waiting=range(3)))
    assert listened.said("close") == 0
    await visitors.act(scene(NOW + 901_000, waiting=range(3)))
    assert listened.said("close") == 3


async def test_whoever_finds_no_broker_goes_when_told() -> None:
    started = monotonic()
    async with asyncio.timeout(10), playing(NOWHERE, SystemClock()):
        await asyncio.sleep(0)
    assert monotonic() - started < 5
