"""A house for each module, and one of its own for a test that hurts it."""

import asyncio
import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.integration.presence.house import House
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.nats import NatsServer, nats_server
from tests.servers.postgres import PostgresServer

_numbers = itertools.count(1)


def _house(nats: NatsServer, store_url: str, directory: Path) -> House:
    subprocess.run(
        fernamt("migrate"),
        cwd=ROOT,
        env=surroundings({"FERNAMT_STORE_URL": store_url}),
        check=True,
        capture_output=True,
        timeout=60,
    )
    house = House(nats, store_url, directory)
    house.router.start()
    house.presence.start()
    return house


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    with nats_server() as server:
        yield server


@pytest.fixture(scope="module")
def module_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"presence_{next(_numbers)}"
    asyncio.run(_execute(postgres.url, f"create database {name}"))
    yield postgres.url_of(name)
    asyncio.run(_execute(postgres.url, f"drop database {name} with (force)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def house(
    nats: NatsServer, module_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Shared by a module; its tests have a workspace each."""
    built = _house(nats, module_url, tmp_path_factory.mktemp("house"))
    try:
        yield built
    finally:
        built.end()


@pytest.fixture
def own_house(postgres_url: str, tmp_path: Path) -> Iterator[House]:
    """With a broker of its own, for what would disturb others."""
    with nats_server() as server:
        built = _house(server, postgres_url, tmp_path)
        try:
            yield built
        finally:
            built.end()
