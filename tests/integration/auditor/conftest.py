"""An engine with its auditor for each module, and an office of its own for each test."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An embedded engine on SQLite, with the services of the ops team beside it."""
    with running_engine(ops=True, environment={"FERNAMT_CONSOLE_PORT": "0"}) as started:
        yield started


@pytest.fixture
async def office(engine: Engine) -> AsyncIterator[Office]:
    """A workspace with ana and ben in the group ``support``, at the entry point ``site``."""
    async with connected(engine.url) as client:
        its = Office(client, f"w{next(_numbers)}")
        await its.set_up("ana", "ben", capacity=1)
        await its.come_online("ana", "ben")
        yield its
