"""Rounds against both sides in turn, each checked: what was not done right is not measured.

A round opens conversations, every one of which must be assigned, and closes them again at its end.
"""

import asyncio
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.bench.figures import Row, row
from tests.bench.lean_nats import LeanNats
from tests.bench.load import Judge, LoadResult, Make, Request, closed_loop, open_loop
from tests.bench.office import CAPACITY, OPERATORS, Said, Visitors
from tests.bench.sides import Servers, Side
from tests.servers.waiting import until

IN_FLIGHT = 1_024
RATE = 500
_PUBLISHED_WITHIN_S = 60.0


class Plan(NamedTuple):
    """How much is measured."""

    rounds: int
    warm_up: int
    """Conversations of the round before the first, which does not count."""
    conversations: int
    """Of each closed-loop round."""
    seconds: int
    """Of each open-loop round."""


class Capacity(NamedTuple):
    """One closed-loop round."""

    routed: float
    """Conversations answered per second."""
    published: float
    """The same up to the moment when the last event was in the stream."""
    processor_us: float
    """Processor time of the side's processes for each of them, publishing included."""


class Latency(NamedTuple):
    """One open-loop round, in milliseconds."""

    p50: float
    p99: float


_CAPACITY = (
    ("routed and durable", "1/s"),
    ("... until all events are in the stream", "1/s"),
    ("... processor time of all processes", "µs"),
)
_LATENCY = ((f"p50 at {RATE} a second", "ms"), (f"p99 at {RATE} a second", "ms"))


class Contest:
    """Both sides, and the visitors that come to each."""

    def __init__(self, servers: Servers, client: LeanNats, engine: Side, floor: Side) -> None:
        self._servers = servers
        self._client = client
        self._floor, self._engine = floor, engine
        self._visitors = {side: Visitors(seed=7) for side in (floor, engine)}

    async def rows(self, plan: Plan) -> list[Row]:
        """Everything that is measured with servers."""
        assert max(plan.conversations, plan.seconds * RATE) < OPERATORS * CAPACITY
        for side in (self._floor, self._engine):
            await self._capacity(side, plan.warm_up)
        rounds = range(plan.rounds)
        capacities = [await self._capacities(plan) for _ in rounds]
        latencies = [await self._latencies(plan, number) for number in rounds]
        return [*_rows(_CAPACITY, capacities), *_rows(_LATENCY, latencies)]

    async def _capacities(self, plan: Plan) -> tuple[Capacity, Capacity]:
        floor = await self._capacity(self._floor, plan.conversations)
        return floor, await self._capacity(self._engine, plan.conversations)

    async def _latencies(self, plan: Plan, number: int) -> tuple[Latency, Latency]:
        floor = await self._latency(self._floor, plan.seconds * RATE, number)
        return floor, await self._latency(self._engine, plan.seconds * RATE, number)

    # --- one round --------------------------------------------------------------------------

    async def _capacity(self, side: Side, conversations: int) -> Capacity:
        openings = [self._visitors[side].opening() for _ in range(conversations)]
        rows, used_s = await side.rows(), side.processor_s()
        began = asyncio.get_running_loop().time()
        result = await self._closed_loop(side, openings, "assigned")
        await self._published(side, rows + 2 * conversations)
        published_s = asyncio.get_running_loop().time() - began
        await _told(side)
        used_s = side.processor_s() - used_s
        await _grown(side, rows, 2 * conversations)
        await self._close(side, openings)
        return Capacity(result.rate, conversations / published_s, used_s / conversations * 1e6)

    async def _latency(self, side: Side, conversations: int, seed: int) -> Latency:
        openings = [self._visitors[side].opening() for _ in range(conversations)]
        rows = await side.rows()
        with _undisturbed():
            result = await open_loop(
                self._client,
                _requests(side, openings),
                rate=RATE,
                total=conversations,
                seed=seed,
                judge=_shows("assigned"),
            )
        _expect_right(side, result, conversations)
        await _grown(side, rows, 2 * conversations)
        await _told(side)
        await self._close(side, openings)
        return Latency(result.p50_ms, result.p99_ms)

    async def _closed_loop(self, side: Side, said: Sequence[Said], state: str) -> LoadResult:
        make = _requests(side, said)
        with _undisturbed():
            result = await closed_loop(
                self._client, make, in_flight=IN_FLIGHT, total=len(said), judge=_shows(state)
            )
        _expect_right(side, result, len(said))
        return result

    async def _close(self, side: Side, openings: Sequence[Said]) -> None:
        """Close all, so that every round begins with everybody free, and let things settle."""
        rows = await side.rows()
        closings = [self._visitors[side].closing(said) for said in openings]
        await self._closed_loop(side, closings, "closed")
        await self._published(side, rows + len(closings))
        await _told(side)
        await _grown(side, rows, len(closings))

    async def _published(self, side: Side, events: int) -> None:
        """Wait until the stream holds so many events of the side, and no more."""

        async def enough() -> int:
            found = await self._servers.published(side.workspace_id)
            return found if found >= events else 0

        found = await until(
            f"{side.name}: {events} events in the stream", enough, _PUBLISHED_WITHIN_S
        )
        assert found == events, f"{side.name}: {found} events in the stream instead of {events}"


async def _told(side: Side) -> None:
    """Wait until the feeds are sent, so that the other side has the machine for itself."""
    rows = await side.rows()

    async def all_told() -> bool:
        return await side.told() >= rows

    await until(f"{side.name}: the feeds are sent", all_told, _PUBLISHED_WITHIN_S)


def _rows(
    names: Sequence[tuple[str, str]], rounds: Sequence[tuple[Sequence[float], ...]]
) -> Iterator[Row]:
    for place, (name, unit) in enumerate(names):
        floor, engine = ([side[place] for side in sides] for sides in zip(*rounds, strict=True))
        yield row(name, unit, engine, floor)


def _requests(side: Side, said: Sequence[Said]) -> Make:
    """Everything that costs time is done before the first is sent."""
    messages = [one.message(side.workspace_id) for one in said]
    requests = [Request(message.subject, message.data, message.headers) for message in messages]
    return requests.__getitem__


def _shows(state: str) -> Judge:
    """An answer is right if it is ok and shows the conversation in this state."""
    wanted = f'"state":"{state}"'.encode()

    def judge(_number: int, _headers: bytes, data: bytes) -> bool:
        return data.startswith(b'{"ok":true,') and wanted in data

    return judge


def _expect_right(side: Side, result: LoadResult, total: int) -> None:
    assert (result.n, result.errors) == (total, 0), f"{side.name}: {result}, of {total}"


async def _grown(side: Side, rows: int, by: int) -> None:
    found = await side.rows() - rows
    assert found == by, f"{side.name}: {found} new rows in the log instead of {by}"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the generator's own garbage collection in the latencies."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
