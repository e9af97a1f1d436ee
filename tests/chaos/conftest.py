"""Engines that a run may hurt: each test has one of its own, on each kind of store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.engine import Engine
from tests.servers.postgres import PostgresServer, postgres_server

LEASE_MS = 600
"""A dead router's lease keeps the next one waiting; the default of 3 s, forty times, is minutes."""


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that may be killed."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def cold_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine that was not started yet."""
    store = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    engine = Engine(tmp_path, store=store, environment={"FERNAMT_LEASE_MS": str(LEASE_MS)})
    yield engine
    engine.kill()


@pytest.fixture
def engine(cold_engine: Engine) -> Engine:
    """A running engine."""
    cold_engine.start()
    return cold_engine
