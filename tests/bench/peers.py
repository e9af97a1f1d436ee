"""The engine beside what a team would have without it, on the same database server, in turn.

Two peers assign the same number of operators with the same places: one with the ``eventsourcing``
library (``peer_library``), one in plain SQL (``peer_sql``). They do less than the engine, which
works through the broker, tells everybody and keeps its reasons; each of their files says what it
leaves out. First each is measured as it is fastest, the engine with as many in flight as in its
other rounds; then all three with eight at once, where there is little to commit together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Literal, NamedTuple
from uuid import UUID, uuid4

from tests.bench import lasting, peer_sql
from tests.bench.figures import Row, row
from tests.bench.office import CAPACITY, OPERATORS
from tests.bench.peer_library import THREADS_MAX, LibraryPeer
from tests.bench.rounds import IN_FLIGHT, Contest, Plan

AT_ONCE = 8
_TRIES = 3
_THREADS = (1, 2, 4, THREADS_MAX)
_CONNECTIONS = (2, 4, 8, 16)
"""More gain nothing: 24, 32 and 44 were as fast as 16, and the server takes 50 in all."""


class Round(NamedTuple):
    """One round of all three: conversations a second of the engine, the library and plain SQL."""

    engine: float
    library: float
    sql: float


class Peers:
    """The engine and both peers, each with a database of its own, to be measured one by one.

    A round is so many ``conversations``: a fifth of them for the library, and for the engine where
    only eight are in flight.
    """

    def __init__(
        self, contest: Contest, library: LibraryPeer, sql_url: str, conversations: int
    ) -> None:
        self._contest = contest
        self._library = library
        self._sql_url = sql_url
        self._conversations = conversations

    async def round(self, in_flight: int, threads: int, connections: int) -> Round:
        """Each with so many at once."""
        return Round(
            await self.engine(in_flight), await self.library(threads), await self.sql(connections)
        )

    async def engine(self, in_flight: int) -> float:
        side, share = self._contest.engine, 1 if in_flight > AT_ONCE else 5
        openings = self._contest.openings(side, self._conversations // share)
        rows = await side.rows()
        result = await self._contest.closed_loop(side, openings, "assigned", in_flight)
        await self._contest.settled(side, rows + 2 * len(openings))
        await self._contest.close(side, openings)
        return result.rate

    async def library(self, threads: int) -> float:
        conversations = _new(self._conversations // 5)
        return await asyncio.to_thread(self._library.assign, conversations, threads)

    async def sql(self, connections: int) -> float:
        conversations = _new(self._conversations)
        await peer_sql.set_up(self._sql_url, OPERATORS, CAPACITY)
        rate = await peer_sql.assign(self._sql_url, conversations, connections)
        await peer_sql.check(self._sql_url, assigned=len(conversations), held=len(conversations))
        return rate


async def rows(contest: Contest, plan: Plan) -> list[Row]:
    """Everything that is measured beside the engine."""
    sql_url = await contest.servers.database("peer_sql")
    library_url = await contest.servers.database("peer_library")
    with LibraryPeer(library_url, OPERATORS, CAPACITY) as library:
        trial = Peers(contest, library, sql_url, plan.conversations // 4)
        threads = await _best(_THREADS, trial.library)
        connections = await _best(_CONNECTIONS, trial.sql)
        peers = Peers(contest, library, sql_url, plan.conversations // 2)
        fastest, equals = [], []
        for _ in range(plan.rounds):
            fastest.append(await peers.round(IN_FLIGHT, threads, connections))
            equals.append(await peers.round(AT_ONCE, AT_ONCE, AT_ONCE))
    found = [
        _row(f"assigned (floor: library, {threads} at once)", fastest, "library", ">= 20"),
        _row(f"assigned (floor: plain SQL, {connections} at once)", fastest, "sql", ">= 3"),
        _row(f"assigned, all {AT_ONCE} at once (floor: library)", equals, "library"),
        _row(f"assigned, all {AT_ONCE} at once (floor: plain SQL)", equals, "sql"),
    ]
    if plan.lasting_s:
        found += await lasting.rows(contest, sql_url, connections, plan.lasting_s)
    return found


async def _best(counts: Sequence[int], measure: Callable[[int], Awaitable[float]]) -> int:
    """How many at once are fastest, by the median of a few tries, which take turns."""
    tries = [[await measure(count) for count in counts] for _ in range(_TRIES)]
    medians = [median(rates) for rates in zip(*tries, strict=True)]
    return counts[medians.index(max(medians))]


def _row(
    name: str, rounds: Sequence[Round], peer: Literal["library", "sql"], goal: str = ""
) -> Row:
    theirs = [getattr(one, peer) for one in rounds]
    return row(name, "1/s", [one.engine for one in rounds], theirs, goal=goal)


def _new(conversations: int) -> list[UUID]:
    return [uuid4() for _ in range(conversations)]
