"""How much can be done: as many requests in flight all the time, each side on one core."""

import asyncio
from typing import NamedTuple

from tests.bench.figures import Row
from tests.bench.rounds import Column, Contest, Plan, has_rows, rows_of
from tests.bench.sides import Side


class Capacity(NamedTuple):
    """One closed-loop round."""

    routed: float
    """Conversations answered per second."""
    published: float
    """The same up to the moment when the last event was in the stream."""
    processor_us: float
    """Processor time of the side's processes for each of them, publishing included."""


_COLUMNS = (
    Column("routed and durable, on one core", "1/s", ">= 0.50"),
    Column("... until all events are in the stream", "1/s"),
    Column("... processor time of all processes", "µs"),
)


async def rows(contest: Contest, plan: Plan) -> list[Row]:
    """Rounds with broker, database and load wherever they like."""

    async def one(side: Side) -> Capacity:
        return await capacity(contest, side, plan.conversations)

    return list(rows_of(_COLUMNS, [await contest.in_turn(one) for _ in range(plan.rounds)]))


async def capacity(contest: Contest, side: Side, conversations: int) -> Capacity:
    """Open so many, count, and close them again."""
    openings = contest.openings(side, conversations)
    with side.on_one_core():
        rows, used_s = await side.rows(), side.processor_s()
        began = asyncio.get_running_loop().time()
        result = await contest.closed_loop(side, openings, "assigned")
        await contest.published(side, rows + 2 * conversations)
        published_s = asyncio.get_running_loop().time() - began
        await side.feeds_sent()
        used_s = side.processor_s() - used_s
    await has_rows(side, rows + 2 * conversations)
    await contest.close(side, openings)
    return Capacity(result.rate, conversations / published_s, used_s / conversations * 1e6)
