"""How long it takes at a given rate: requests at random moments, answered or not."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.bench.figures import Row
from tests.bench.load import LoadResult, quantile_ms
from tests.bench.rounds import Column, Contest, Plan, has_rows, rows_of, shows
from tests.bench.sides import Side

RATES = (500, 2_000)
_REFUSED = b'{"ok":false,"error":{"code":"overloaded"'


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
        found = await pushed(contest, side, plan.samples, rate=rate, seed=seed)
        return Latency(found.latency_ms(0.5), found.latency_ms(0.99))

    return await contest.in_turn(one)


class Pushed(NamedTuple):
    """What became of one round's requests; ``taken`` in the order of the answers."""

    result: LoadResult
    taken: Sequence[bool]

    def seconds(self, *, taken: bool) -> list[float]:
        """The latencies of what was taken, or of what was refused, in ascending order."""
        pairs = zip(self.result.seconds, self.taken, strict=True)
        return sorted(second for second, one in pairs if one is taken)

    def latency_ms(self, share: float) -> float:
        """What ``share`` of all stay below; whoever was refused has waited for the whole round."""
        taken = self.seconds(taken=True)
        whole = self.result.n / self.result.rate
        return quantile_ms([*taken, *[whole] * (self.result.n - len(taken))], share)


async def pushed(contest: Contest, side: Side, samples: int, *, rate: float, seed: int) -> Pushed:
    """Open so many at this rate, and close again what was taken.

    Every one must be answered, rightly or as ``overloaded``, and the log hold what was taken alone.
    """
    openings = contest.openings(side, samples)
    answers: list[tuple[int, bool]] = []
    is_taken = shows("assigned")

    def judge(number: int, headers: bytes, data: bytes) -> bool:
        taken = is_taken(number, headers, data)
        answers.append((number, taken))
        return taken or data.startswith(_REFUSED)

    rows = await side.rows()
    result = await contest.open_loop(side, openings, judge, rate=rate, seed=seed)
    assert not result.errors, f"{side.name}: {result.errors} answers are neither right nor refusals"
    await side.feeds_sent()
    taken = [number for number, taken in answers if taken]
    await has_rows(side, rows + 2 * len(taken))
    await contest.close(side, [openings[number] for number in taken])
    return Pushed(result, [taken for _, taken in answers])
