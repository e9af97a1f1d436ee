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

from tests.chaos.conftest import LEASE_MS
from tests.chaos.endurance import endure
from tests.chaos.verdict import longest_silence_s, share_of_ok
from tests.servers.engine import Engine
from tests.servers.postgres import PostgresServer

COMMANDS = 2_000
KILLS = 40
OK_MIN = 0.85
"""Of all commands; those given up count as lost."""
SILENCE_MAX_S = 10.0
"""From a death to the next acknowledgement, starting the processes included: about 1.5 s if nothing
else runs."""
SOAK_SEEDS = range(100, 120)


class Killer:
    """Kills and starts again."""

    def __init__(self, engine: Engine, seed: int, postgres: PostgresServer | None = None) -> None:
        self._engine = engine
        self._postgres = postgres
        self._rng = random.Random(f"{seed}/killer")
        self.kills = 0

    async def __call__(self) -> None:
        await asyncio.to_thread(self._strike)
        self.kills += 1

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
        await _survive(engine, directory, Killer(engine, seed), seed)


async def _on_postgres(postgres: PostgresServer, directory: Path, seed: int) -> None:
    short = {"FERNAMT_LEASE_MS": str(LEASE_MS)}
    with _running(Engine(directory, store=postgres.url, environment=short)) as engine:
        await _survive(engine, directory, Killer(engine, seed, postgres), seed)


async def _survive(engine: Engine, keep_in: Path, killer: Killer, seed: int) -> None:
    history = await endure(
        engine.url,
        engine.store_url,
        killer,
        keep_in,
        strikes=KILLS,
        commands=COMMANDS,
        seed=seed,
    )
    assert killer.kills == KILLS
    assert share_of_ok(history) >= OK_MIN
    assert longest_silence_s(history) <= SILENCE_MAX_S
    assert any(attempt.outcome == "info" for attempt in history.attempts)


@contextmanager
def _running(engine: Engine) -> Iterator[Engine]:
    engine.start()
    try:
        yield engine
    finally:
        engine.kill()
