"""Three times as much as can be done: what is taken, how fast, what is refused, and what remains.

The engine alone, on one core.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tests.bench.closed_rounds import capacity
from tests.bench.figures import Row, row
from tests.bench.load import quantile_ms
from tests.bench.open_rounds import Pushed, pushed
from tests.bench.rounds import Contest, Plan

TIMES = 3
NEAR = 0.9
"""Of what can be done: at the whole of it, chance alone makes a line that never ends."""


class Overload(NamedTuple):
    """One round: what can be done, then requests near that rate, far beyond it, and again."""

    before: float
    near: Pushed
    over: Pushed
    after: float


async def rows(contest: Contest, plan: Plan) -> list[Row]:
    """Rounds of the engine, each with its own measure of what can be done."""
    found = [await _round(contest, plan, seed) for seed in range(plan.rounds)]
    before = [one.before for one in found]
    over = [one.over for one in found]
    shares = [sum(one.taken) / one.result.n for one in over]
    rates = [one.result.rate for one in over]
    return [
        row(
            f"taken of {TIMES} times what can be done (floor: that)",
            *("1/s", [rate * share for rate, share in zip(rates, shares, strict=True)], before),
        ),
        row(
            "... refused as overloaded",
            *("1/s", [rate * (1 - share) for rate, share in zip(rates, shares, strict=True)]),
        ),
        row(
            f"... p99 of what is taken (floor: at {NEAR} times)",
            *("ms", _p99s(over, taken=True), _p99s([one.near for one in found], taken=True)),
        ),
        row("... p99 of what is refused", "ms", _p99s(over, taken=False)),
        row("... p99 of how late the load was", "ms", [one.result.late_p99_ms for one in over]),
        row("routed afterwards (floor: before)", "1/s", [one.after for one in found], before),
    ]


async def _round(contest: Contest, plan: Plan, seed: int) -> Overload:
    async def routed() -> float:
        return (await capacity(contest, contest.engine, plan.conversations)).routed

    async def at(rate: float) -> Pushed:
        samples = int(rate * plan.overload_s)
        with contest.engine.on_one_core():
            return await pushed(contest, contest.engine, samples, rate=rate, seed=seed)

    before = await routed()
    return Overload(before, await at(NEAR * before), await at(TIMES * before), await routed())


def _p99s(several: Sequence[Pushed], *, taken: bool) -> list[float]:
    return [quantile_ms(one.seconds(taken=taken), 0.99) for one in several]
