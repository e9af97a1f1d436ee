"""Whole lives of conversations: six commands by the right actors, each after the answer before it.

The floor moves the same messages and rows, as they were recorded from one life.
"""

import asyncio
from collections.abc import Iterator
from time import perf_counter

from tests.bench.figures import Row
from tests.bench.floor import Shapes
from tests.bench.office import Life, Said
from tests.bench.rounds import (
    IN_FLIGHT,
    Column,
    Contest,
    Plan,
    request_of,
    rows_of,
    undisturbed,
)
from tests.bench.sides import Side

_COLUMNS = (Column("whole lives, six commands each", "1/s", ">= 0.50"),)
_WITHIN_S = 300.0


async def rows(contest: Contest, plan: Plan, shapes: Shapes) -> list[Row]:
    """Rounds of both sides, ``IN_FLIGHT`` lives at a time."""
    of_a_life = rows_of_a_life(contest, shapes)

    async def one(side: Side) -> tuple[float]:
        return (await _lived(contest, side, plan.lives, of_a_life),)

    return list(rows_of(_COLUMNS, [await contest.in_turn(one) for _ in range(plan.rounds)]))


def rows_of_a_life(contest: Contest, shapes: Shapes) -> int:
    """How many rows one life leaves in the log, as it was recorded."""
    life = contest.visitors(contest.floor).life()
    said: Said | None = life.opening
    found = 0
    while said is not None:
        shape = shapes[said.sort]
        found += len(shape.rows)
        said = life.next(shape.reply.encode())
    return found


async def _lived(contest: Contest, side: Side, number: int, of_a_life: int) -> float:
    """Lives a second."""
    rows = await side.rows()
    visitors = contest.visitors(side)
    living = _Living(contest, side, iter([visitors.life() for _ in range(number)]), number)
    with undisturbed():
        rate = await living.rate()
    await contest.settled(side, rows + number * of_a_life)
    return rate


class _Living:
    """Leads lives: as one ends, the next begins. The first wrong answer ends it all."""

    def __init__(self, contest: Contest, side: Side, lives: Iterator[Life], number: int) -> None:
        self._client = contest.client
        self._side = side
        self._lives = lives
        self._number = self._left = number
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def rate(self) -> float:
        """Lead all of them; so many a second. Raises ``TimeoutError``."""
        began = perf_counter()
        for _ in range(IN_FLIGHT):
            self._begin()
        async with asyncio.timeout(_WITHIN_S):
            await self._over
        return self._number / (perf_counter() - began)

    def _begin(self) -> None:
        life = next(self._lives, None)
        if life is not None:
            self._say(life, life.opening)

    def _say(self, life: Life, said: Said) -> None:
        def on_answer(_headers: bytes, data: bytes) -> None:
            if not self._over.done():
                self._go_on(life, data)

        request = request_of(self._side.workspace_id, said)
        self._client.request(request.subject, request.data, on_answer, headers=request.headers)

    def _go_on(self, life: Life, answer: bytes) -> None:
        try:
            said = life.next(answer)
        except (AssertionError, ValueError) as error:
            self._over.set_exception(AssertionError(f"{self._side.name}: {error}: {answer!r}"))
            return
        if said is not None:
            self._say(life, said)
            return
        self._left -= 1
        if self._left:
            self._begin()
        else:
            self._over.set_result(None)
