"""A minute on end: conversations are opened, and for each of them the oldest is closed.

Rounds are short, and each begins on a clean table. What grows, or is changed in place again and
again, shows only after a while: so the rate of the first ten seconds stands beside that of the last
ten, the engine's and that of the peer in plain SQL, one after the other. Both hold as many
conversations all the time. Closings are not counted; each costs either of them a commit of its own.
"""

from collections import deque
from collections.abc import Sequence
from time import perf_counter

from tests.bench import peer_sql
from tests.bench.figures import Row, row
from tests.bench.load import Request, lasting_loop
from tests.bench.office import CAPACITY, OPERATORS, Said
from tests.bench.rounds import IN_FLIGHT, Contest, request_of, shows

HELD = 10_000
"""Conversations that somebody has at any time: ten for each operator."""
_END_S = 10
_assigned, _closed = shows("assigned"), shows("closed")


async def rows(contest: Contest, url: str, connections: int, seconds: float) -> list[Row]:
    """Measure the engine and then plain SQL in the database at ``url``, so long each."""
    ours = await Turnover(contest).moments(seconds)
    await peer_sql.set_up(url, OPERATORS, CAPACITY)
    theirs = await peer_sql.keep_on(url, connections, seconds=seconds, held=HELD)
    await peer_sql.check(url, assigned=HELD + len(theirs), held=HELD)
    return [
        row(
            f"assigned, {name} {_END_S} of {seconds:g} s (floor: plain SQL)",
            "1/s",
            [_rate(ours, since)],
            [_rate(theirs, since)],
        )
        for name, since in (("first", 0.0), ("last", seconds - _END_S))
    ]


class Turnover:
    """Opens and closes by turns at the engine, and notes when each was assigned."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._engine = contest.engine
        self._visitors = contest.visitors(contest.engine)
        self._held: deque[Said] = deque()
        self._moments: list[float] = []
        self._began = 0.0

    async def moments(self, seconds: float) -> Sequence[float]:
        """When each was assigned, in seconds from the beginning; everybody is free afterwards."""
        rows = await self._engine.rows()
        self._held.extend(self._contest.openings(self._engine, HELD))
        await self._contest.closed_loop(self._engine, list(self._held), "assigned")
        self._began = perf_counter()
        result = await lasting_loop(
            self._contest.client,
            self._next,
            in_flight=IN_FLIGHT,
            seconds=seconds,
            judge=self._judge,
        )
        assert not result.errors, f"{self._engine.name}: {result.errors} wrong"
        closed = len(self._moments) + HELD - len(self._held)
        await self._contest.settled(self._engine, rows + 2 * (HELD + len(self._moments)) + closed)
        await self._contest.close(self._engine, self._held)
        return self._moments

    def _next(self, number: int) -> Request:
        return request_of(self._engine.workspace_id, self._close() if number % 2 else self._open())

    def _open(self) -> Said:
        self._held.append(self._visitors.opening())
        return self._held[-1]

    def _close(self) -> Said:
        """The oldest, which was answered long ago: far more are held than are in flight."""
        return self._visitors.closing(self._held.popleft())

    def _judge(self, number: int, headers: bytes, data: bytes) -> bool:
        if number % 2:
            return _closed(number, headers, data)
        self._moments.append(perf_counter() - self._began)
        return _assigned(number, headers, data)


def _rate(moments: Sequence[float], since: float) -> float:
    """So many a second in the ten seconds from ``since`` on."""
    return sum(since <= moment < since + _END_S for moment in moments) / _END_S
