"""Fixtures for all tests that need a database: a real one, started once, empty for every test."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.open_store import Store, open_store
from tests.servers.postgres import PostgresServer, postgres_server
from tests.servers.service_role import as_services

pytest_plugins = ("tests.servers.nats_fixtures",)

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's PostgreSQL. A test that hurts its server starts one of its own."""
    with postgres_server() as server:
        yield server


@pytest.fixture
async def postgres_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Address of a fresh, empty database, which is dropped after the test."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(f"create database {name}")
        yield postgres.url_of(name)
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty store; a test that asks for it runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open, empty store of each kind; in PostgreSQL with no more rights than services have."""
    opened = await open_store(store_url, migrate=True)
    if store_url.startswith("postgresql"):
        await opened.close()
        opened = await open_store(await as_services(store_url))
    yield opened
    await opened.close()
