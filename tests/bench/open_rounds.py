"""How long it takes at a given rate: requests at random moments, answered or not."""

from typing import NamedTuple

from tests.bench.figures import Row
from tests.bench.rounds import Column, Contest, Plan, has_rows, rows_of, shows
from tests.bench.sides import Side

RATES = (500, 2_000)


class Latency(NamedTuple):
    """One open-loop round, in milliseconds."""

    p50: float
    p99: float


async def rows(contest: Contest, plan: Plan) -> list[Row]:
    """Rounds of both sides at each rate."""
    found: list[Row] = []
    for rate in RATES:
        rounds = [await _round(contest, plan, rate, seed) for seed in range(plan.rounds)]
        columns = (
            Column(f"p50 at {rate:,} a second", "ms", "<= 1.5"),
            Column(f"p99 at {rate:,} a second", "ms", "<= 2"),
        )
        found += rows_of(columns, rounds)
    return found


async def _round(contest: Contest, plan: Plan, rate: int, seed: int) -> tuple[Latency, Latency]:
    async def one(side: Side) -> Latency:
        return await latency(contest, side, plan.samples, rate=rate, seed=seed)

    return await contest.in_turn(one)


async def latency(contest: Contest, side: Side, samples: int, *, rate: float, seed: int) -> Latency:
    """Open so many at this rate, every one rightly answered, and close them again."""
    openings = contest.openings(side, samples)
    rows = await side.rows()
    result = await contest.open_loop(side, openings, shows("assigned"), rate=rate, seed=seed)
    assert not result.errors, f"{side.name}: {result.errors} wrong answers of {samples}"
    await side.feeds_sent()
    await has_rows(side, rows + 2 * samples)
    await contest.close(side, openings)
    return Latency(result.p50_ms, result.p99_ms)
