"""Rounds against both sides in turn, each checked: what was not done right is not measured.

A round opens conversations, every one of which must be assigned, and closes them again at its end.
What rounds of one kind measure stands in a file of its own: ``closed_rounds``, ``open_rounds``,
``lives``, ``slow_commits``, ``peers`` and ``overload``.
"""

import gc
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from shared.routing.ids import WorkspaceId
from tests.bench.figures import Row, row
from tests.bench.lean_nats import LeanNats
from tests.bench.load import Judge, LoadResult, Make, Request, closed_loop, open_loop
from tests.bench.office import Said, Visitors
from tests.bench.sides import Servers, Side
from tests.servers.waiting import until

IN_FLIGHT = 1_024
_PUBLISHED_WITHIN_S = 120.0

T = TypeVar("T")


class Plan(NamedTuple):
    """How much is measured."""

    rounds: int
    warm_up: int
    """Conversations of the round before the first, which does not count."""
    conversations: int
    """Of each closed-loop round."""
    samples: int
    """Conversations of each open-loop round."""
    lives: int
    """Of each round of whole lives."""
    overload_s: float
    """How long each round sends more than can be done."""
    lasting_s: float = 0
    """How long the engine and plain SQL are measured on end; 0 leaves that out."""


class Contest:
    """Both sides, the visitors that come to each, and the steps that rounds are made of."""

    def __init__(self, servers: Servers, client: LeanNats, engine: Side, floor: Side) -> None:
        self.servers = servers
        self.client = client
        self.floor, self.engine = floor, engine
        self._visitors = {side: Visitors(seed=7) for side in (floor, engine)}

    async def in_turn(self, measure: Callable[[Side], Awaitable[T]]) -> tuple[T, T]:
        """Measure the floor and then the engine."""
        return await measure(self.floor), await measure(self.engine)

    def openings(self, side: Side, conversations: int) -> list[Said]:
        """So many visitors nobody has seen yet, each with a conversation to open."""
        return [self._visitors[side].opening() for _ in range(conversations)]

    def visitors(self, side: Side) -> Visitors:
        return self._visitors[side]

    async def closed_loop(
        self, side: Side, said: Sequence[Said], state: str, in_flight: int = IN_FLIGHT
    ) -> LoadResult:
        """Say everything with ``in_flight`` waiting; each answer must show this state."""
        make = requests(side, said)
        with undisturbed():
            result = await closed_loop(
                self.client, make, in_flight=in_flight, total=len(said), judge=shows(state)
            )
        assert (result.n, result.errors) == (len(said), 0), f"{side.name}: {result.errors} wrong"
        return result

    async def open_loop(
        self, side: Side, said: Sequence[Said], judge: Judge, *, rate: float, seed: int
    ) -> LoadResult:
        """Say everything at random moments, ``rate`` a second; each must be answered."""
        make, total = requests(side, said), len(said)
        with undisturbed():
            result = await open_loop(
                self.client, make, rate=rate, total=total, seed=seed, judge=judge
            )
        assert result.n == total, f"{side.name}: {result.n} answers to {total} requests"
        return result

    async def close(self, side: Side, openings: Sequence[Said]) -> None:
        """Close all, so that every round begins with everybody free, and let things settle."""
        rows = await side.rows()
        closings = [self._visitors[side].closing(said) for said in openings]
        await self.closed_loop(side, closings, "closed")
        await self.settled(side, rows + len(closings))

    async def settled(self, side: Side, rows: int) -> None:
        """Wait until all is published and told; the log must have exactly so many rows."""
        await self.published(side, rows)
        await side.feeds_sent()
        await has_rows(side, rows)

    async def published(self, side: Side, events: int) -> None:
        """Wait until the stream holds so many events of the side, and no more."""

        async def enough() -> int:
            found = await self.servers.published(side.workspace_id)
            return found if found >= events else 0

        found = await until(
            f"{side.name}: {events} events in the stream", enough, _PUBLISHED_WITHIN_S
        )
        assert found == events, f"{side.name}: {found} events in the stream instead of {events}"


async def has_rows(side: Side, rows: int) -> None:
    found = await side.rows()
    assert found == rows, f"{side.name}: {found} rows in the log instead of {rows}"


def requests(side: Side, said: Sequence[Said]) -> Make:
    """Everything that costs time is done before the first is sent."""
    return [request_of(side.workspace_id, one) for one in said].__getitem__


def request_of(workspace_id: WorkspaceId, said: Said) -> Request:
    message = said.message(workspace_id)
    return Request(message.subject, message.data, message.headers)


def shows(state: str) -> Judge:
    """An answer is right if it is ok and shows the conversation in this state."""
    wanted = f'"state":"{state}"'.encode()

    def judge(_number: int, _headers: bytes, data: bytes) -> bool:
        return data.startswith(b'{"ok":true,') and wanted in data

    return judge


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without the generator's own garbage collection in the latencies."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Column(NamedTuple):
    """What one place of every round's result means."""

    name: str
    unit: str
    goal: str = ""


def rows_of(
    columns: Sequence[Column], rounds: Sequence[tuple[Sequence[float], Sequence[float]]]
) -> Iterator[Row]:
    """A row for each column, from the floor's and the engine's result of every round."""
    for place, column in enumerate(columns):
        floor, engine = ([side[place] for side in sides] for sides in zip(*rounds, strict=True))
        yield row(column.name, column.unit, engine, floor, goal=column.goal)
