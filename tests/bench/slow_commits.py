"""What a slower disk costs: every commit waits two milliseconds longer, as PostgreSQL can do it.

Commits that are made one by one would be slower by as much; those that are made together take more
with them.
"""

from tests.bench.closed_rounds import capacity
from tests.bench.figures import Row, row
from tests.bench.rounds import Contest, Plan

DELAY_US = 2_000


async def rows(contest: Contest, plan: Plan) -> list[Row]:
    """The engine with and without the delay, in turn."""
    slowed: list[float] = []
    usual: list[float] = []
    for _ in range(plan.rounds):
        usual.append((await capacity(contest, contest.engine, plan.conversations)).routed)
        async with contest.servers.slow_commits(contest.engine, DELAY_US):
            slowed.append((await capacity(contest, contest.engine, plan.conversations)).routed)
    name = f"routed, commits {DELAY_US / 1_000:g} ms slower (floor: as they are)"
    return [row(name, "1/s", slowed, usual, goal=">= 0.75")]
