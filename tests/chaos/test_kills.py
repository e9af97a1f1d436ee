"""Two thousand mixed commands and forty deaths, on each store, and not one broken promise.

The engine is killed with ``kill -9`` while people work; on PostgreSQL the database too, now and
then, with or without the engine. Half of the commands that got no answer are sent again with
their ids, the rest nobody asks about. The life of a lease is 0.6 s here instead of 3: otherwise a
run would mostly wait.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.caller import Caller
from tests.chaos.conftest import LEASE_MS
from tests.chaos.history import History
from tests.chaos.verdict import judge, longest_silence_s, share_of_ok
from tests.chaos.workload import Workload, set_up
from tests.servers.client import Client
from tests.servers.engine import Engine
from tests.servers.postgres import PostgresServer
from tests.servers.waiting import until

COMMANDS = 2_000
KILLS = 40
CONNECTIONS = 3
TIMEOUT_S = 0.7
"""When a client gives an answer up: a few hundred times what one takes."""
OK_MIN = 0.85
"""Of all commands; those given up count as lost."""
SILENCE_MAX_S = 5.0
"""From a death to the next acknowledgement, starting the processes included."""
SOAK_SEEDS = range(100, 120)


class Nemesis:
    """Kills, at commands drawn from a seed, and starts again."""

    def __init__(
        self, engine: Engine, history: History, seed: int, postgres: PostgresServer | None = None
    ) -> None:
        self._engine = engine
        self._history = history
        self._postgres = postgres
        self._rng = random.Random(f"{seed}/nemesis")
        self.kills = 0

    async def run(self, commands: int, kills: int) -> None:
        """Spread ``kills`` over ``commands`` acknowledgements."""
        first = self._acknowledged()
        for moment in sorted(self._rng.sample(range(commands), kills)):
            await self._until(first + moment)
            await asyncio.to_thread(self._strike)
            self.kills += 1

    async def _until(self, number: int) -> None:
        async def reached() -> bool:
            return self._acknowledged() >= number

        await until(f"{number} commands are acknowledged", reached, within_s=60, every_s=0.002)

    def _acknowledged(self) -> int:
        return sum(attempt.outcome == "ok" for attempt in self._history.attempts)

    def _strike(self) -> None:
        whom = self._rng.random()
        if self._postgres is None or whom < 0.75:
            self._engine.kill()
            self._engine.start()
            return
        both = whom > 0.9
        if both:
            self._engine.kill()
        self._postgres.kill()
        self._postgres.start()
        if both:
            self._engine.start()


async def _survive(
    engine: Engine, keep_in: Path, *, seed: int, postgres: PostgresServer | None = None
) -> None:
    history = History()
    nemesis = Nemesis(engine, history, seed, postgres)
    clients = [await Client.connect(engine.url) for _ in range(CONNECTIONS)]
    try:
        callers = [Caller(client, history, "w", timeout_s=TIMEOUT_S) for client in clients]
        await set_up(Caller(clients[0], history, "w", timeout_s=10))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Workload(callers, seed, COMMANDS).run())
            tasks.create_task(nemesis.run(COMMANDS * 8 // 10, KILLS))
        await judge(history, clients[0], engine.store_url, "w", keep_in)
    finally:
        for client in clients:
            await client.close()
    assert nemesis.kills == KILLS
    assert share_of_ok(history) >= OK_MIN
    assert longest_silence_s(history) <= SILENCE_MAX_S
    assert any(attempt.outcome == "info" for attempt in history.attempts)


async def test_forty_deaths_on_sqlite(tmp_path: Path) -> None:
    await _on_sqlite(tmp_path, seed=1)


async def test_forty_deaths_on_postgres(own_postgres: PostgresServer, tmp_path: Path) -> None:
    await _on_postgres(own_postgres, tmp_path, seed=2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK_SEEDS)
async def test_many_deaths_on_sqlite(tmp_path: Path, seed: int) -> None:
    await _on_sqlite(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK_SEEDS)
async def test_many_deaths_on_postgres(
    own_postgres: PostgresServer, tmp_path: Path, seed: int
) -> None:
    await _on_postgres(own_postgres, tmp_path, seed)


async def _on_sqlite(directory: Path, seed: int) -> None:
    with _running(Engine(directory)) as engine:
        await _survive(engine, directory, seed=seed)


async def _on_postgres(postgres: PostgresServer, directory: Path, seed: int) -> None:
    short = {"FERNAMT_LEASE_MS": str(LEASE_MS)}
    with _running(Engine(directory, store=postgres.url, environment=short)) as engine:
        await _survive(engine, directory, seed=seed, postgres=postgres)


@contextmanager
def _running(engine: Engine) -> Iterator[Engine]:
    engine.start()
    try:
        yield engine
    finally:
        engine.kill()
