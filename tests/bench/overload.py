"""Three times as much as can be done: what is taken, how fast, what is refused, and what remains.

The engine alone, on one core. It must answer everything, and its log must hold what it took and
nothing of what it refused.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tests.bench.closed_rounds import capacity
from tests.bench.figures import Row, row
from tests.bench.load import LoadResult, quantile_ms
from tests.bench.rounds import Contest, Plan, has_rows, shows

TIMES = 3
NEAR = 0.9
"""Of what can be done: at the whole of it, chance alone makes a line that never ends."""
_REFUSED = b'{"ok":false,"error":{"code":"overloaded"'


class Pushed(NamedTuple):
    """Requests at a rate. Latencies are in milliseconds, from when each should have been sent."""

    taken: float
    """A second, as ``refused``."""
    refused: float
    taken_p99: float
    refused_p99: float
    late_p99: float
    """How late the load itself was, which is part of the others."""


class Overload(NamedTuple):
    """One round."""

    before: float
    near: Pushed
    over: Pushed
    after: float


async def rows(contest: Contest, plan: Plan) -> list[Row]:
    """Rounds of the engine, each with its own measure of what can be done."""
    found = [await _round(contest, plan, seed) for seed in range(plan.rounds)]
    before = [one.before for one in found]
    over = [one.over for one in found]
    near_p99 = [one.near.taken_p99 for one in found]
    return [
        row(
            f"taken of {TIMES} times what can be done (floor)",
            *("1/s", [one.taken for one in over], before),
        ),
        row("... refused as overloaded", "1/s", [one.refused for one in over]),
        row(
            f"... p99 of what is taken (floor: at {NEAR} times)",
            *("ms", [one.taken_p99 for one in over], near_p99),
        ),
        row("... p99 of what is refused", "ms", [one.refused_p99 for one in over]),
        row("... p99 of how late the load was", "ms", [one.late_p99 for one in over]),
        row("routed afterwards (floor: before)", "1/s", [one.after for one in found], before),
    ]


async def _round(contest: Contest, plan: Plan, seed: int) -> Overload:
    async def routed() -> float:
        return (await capacity(contest, contest.engine, plan.conversations)).routed

    before = await routed()
    near = await _pushed(contest, NEAR * before, plan.overload_s, seed)
    over = await _pushed(contest, TIMES * before, plan.overload_s, seed)
    return Overload(before, near, over, await routed())


async def _pushed(contest: Contest, rate: float, seconds: float, seed: int) -> Pushed:
    side = contest.engine
    openings = contest.openings(side, int(rate * seconds))
    answers: list[tuple[int, bool]] = []
    is_taken = shows("assigned")

    def judge(number: int, headers: bytes, data: bytes) -> bool:
        taken = is_taken(number, headers, data)
        answers.append((number, taken))
        return taken or data.startswith(_REFUSED)

    rows = await side.rows()
    with side.on_one_core():
        result = await contest.open_loop(side, openings, judge, rate=rate, seed=seed)
        await side.feeds_sent()
    assert not result.errors, f"{result.errors} answers are neither right nor `overloaded`"
    taken = [number for number, taken in answers if taken]
    await has_rows(side, rows + 2 * len(taken))
    await contest.close(side, [openings[number] for number in taken])
    return _summed_up(result, [taken for _, taken in answers])


def _summed_up(result: LoadResult, taken: Sequence[bool]) -> Pushed:
    def p99_ms(of_taken: bool) -> float:
        pairs = zip(result.seconds, taken, strict=True)
        return quantile_ms(sorted(second for second, one in pairs if one is of_taken), 0.99)

    share = sum(taken) / result.n
    return Pushed(
        result.rate * share,
        result.rate * (1 - share),
        p99_ms(of_taken=True),
        p99_ms(of_taken=False),
        result.late_p99_ms,
    )
