"""People at work while something strikes, again and again, and the verdict over all of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.chaos.caller import Caller
from tests.chaos.history import History
from tests.chaos.verdict import judge
from tests.chaos.workload import Workload, set_up
from tests.servers.client import Client
from tests.servers.waiting import until

WORKSPACE = "w"
CONNECTIONS = 3
TIMEOUT_S = 0.7
"""When a client gives an answer up: a few hundred times what one takes."""

Strike = Callable[[], Awaitable[None]]


async def endure(
    url: str,
    store_url: str,
    strike: Strike,
    keep_in: Path,
    *,
    strikes: int,
    commands: int,
    seed: int,
) -> History:
    """Work through ``commands`` while ``strike`` is called up to ``strikes`` times, then judge.

    The moments are drawn from ``seed``. Most of them come; whoever strikes slowly may be late for
    the last ones.
    """
    history = History()
    clients = [await Client.connect(url) for _ in range(CONNECTIONS)]
    try:
        callers = [Caller(client, history, WORKSPACE, timeout_s=TIMEOUT_S) for client in clients]
        await set_up(Caller(clients[0], history, WORKSPACE, timeout_s=10))
        moments = random.Random(f"{seed}/moments").sample(range(commands * 4 // 5), strikes)
        nemesis = Nemesis(sorted(moments), strike, history)
        async with asyncio.TaskGroup() as tasks:
            striking = tasks.create_task(nemesis.run())
            await Workload(callers, seed, commands).run()
            async with nemesis.under_way:  # a strike that has begun is seen to its end
                striking.cancel()
        assert nemesis.strikes > strikes // 2
        await judge(history, clients[0], store_url, WORKSPACE, keep_in)
    finally:
        for client in clients:
            await client.close()
    return history


class Nemesis:
    """Strikes when so many commands were acknowledged, and never twice without one in between."""

    def __init__(self, moments: Sequence[int], strike: Strike, history: History) -> None:
        self._moments = moments
        self._strike = strike
        self._history = history
        self.strikes = 0
        self.under_way = asyncio.Lock()

    async def run(self) -> None:
        first = acknowledged(self._history)
        for moment in self._moments:
            await self._until(max(first + moment, acknowledged(self._history) + 1))
            async with self.under_way:
                await self._strike()
                self.strikes += 1

    async def _until(self, goal: int) -> None:
        async def reached() -> bool:
            return acknowledged(self._history) >= goal

        await until(f"{goal} acknowledgements", reached, within_s=60, every_s=0.002)


def acknowledged(history: History) -> int:
    return sum(attempt.outcome == "ok" for attempt in history.attempts)
