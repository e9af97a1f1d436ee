"""People at work while something strikes, again and again, and the verdict over all of it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
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
MORE_THAN_ANY = 1_000_000
PAUSE_S = 0.2
"""Between two deeds of somebody who waits for strikes that take seconds."""
AFTERWARDS = 40
"""Commands of each workspace after the last strike."""

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
    async with _people(url, {WORKSPACE: commands}, seed) as (histories, workloads, client):
        nemesis = Nemesis(_moments(commands, strikes, seed), strike, histories.values())
        async with asyncio.TaskGroup() as tasks:
            striking = tasks.create_task(nemesis.run())
            await workloads[WORKSPACE].run()
            async with nemesis.under_way:  # a strike that has begun is seen to its end
                striking.cancel()
        assert nemesis.strikes > strikes // 2
        await judge(histories[WORKSPACE], client, store_url, WORKSPACE, keep_in)
    return histories[WORKSPACE]


async def endure_everywhere(
    workspaces: Mapping[str, int],
    url: str,
    store_url: str,
    strike: Strike,
    keep_in: Path,
    *,
    strikes: int,
    seed: int,
    timeout_s: float = TIMEOUT_S,
) -> Mapping[str, History]:
    """The same in several workspaces side by side, for so many commands and a few more in each,
    and at least until all strikes have come."""
    commands = sum(workspaces.values())
    async with _people(url, workspaces, seed, timeout_s) as (histories, workloads, client):
        nemesis = Nemesis(_moments(commands, strikes, seed), strike, histories.values())
        async with asyncio.TaskGroup() as people:
            for workload in workloads.values():
                workload.left += MORE_THAN_ANY
                workload.pause_s = PAUSE_S
                people.create_task(workload.run())
            await nemesis.run()
            for workload in workloads.values():
                workload.left = max(workload.left - MORE_THAN_ANY, AFTERWARDS)
        for workspace, history in histories.items():
            await judge(history, client, store_url, workspace, keep_in)
    return histories


def _moments(commands: int, strikes: int, seed: int) -> list[int]:
    return sorted(random.Random(f"{seed}/moments").sample(range(commands * 4 // 5), strikes))


@asynccontextmanager
async def _people(
    url: str, workspaces: Mapping[str, int], seed: int, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[tuple[Mapping[str, History], Mapping[str, Workload], Client]]:
    """Those of each workspace, which is set up, with their history, and a client to ask by."""
    histories = {workspace: History() for workspace in workspaces}
    clients = [await Client.connect(url) for _ in range(CONNECTIONS)]
    try:
        for workspace, history in histories.items():
            await set_up(Caller(clients[0], history, workspace, timeout_s=10))
        callers = {
            workspace: [
                Caller(client, history, workspace, timeout_s=timeout_s) for client in clients
            ]
            for workspace, history in histories.items()
        }
        workloads = {
            workspace: Workload(callers[workspace], seed, commands)
            for workspace, commands in workspaces.items()
        }
        yield histories, workloads, clients[0]
    finally:
        for client in clients:
            await client.close()


class Nemesis:
    """Strikes when so many commands were acknowledged, and never twice without one in between."""

    def __init__(
        self, moments: Sequence[int], strike: Strike, histories: Collection[History]
    ) -> None:
        self._moments = moments
        self._strike = strike
        self._histories = histories
        self.strikes = 0
        self.under_way = asyncio.Lock()

    async def run(self) -> None:
        first = self._acknowledged()
        for moment in self._moments:
            await self._until(max(first + moment, self._acknowledged() + 1))
            async with self.under_way:
                await self._strike()
                self.strikes += 1

    async def _until(self, goal: int) -> None:
        async def reached() -> bool:
            return self._acknowledged() >= goal

        await until(f"{goal} acknowledgements", reached, within_s=60, every_s=0.002)

    def _acknowledged(self) -> int:
        attempts = (attempt for history in self._histories for attempt in history.attempts)
        return sum(attempt.outcome == "ok" for attempt in attempts)
