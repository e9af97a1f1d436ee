"""An engine for each module of this room, and an office of its own for each test."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An embedded engine on SQLite."""
    with running_engine() as started:
        yield started


@pytest.fixture
def log_url(engine: Engine) -> str:
    """Address of the engine's log."""
    return f"sqlite:///{engine.data}"


@pytest.fixture
async def empty_office(engine: Engine) -> AsyncIterator[Office]:
    """A workspace that does not exist yet."""
    async with connected(engine.url) as client:
        yield Office(client, f"w{next(_numbers)}")


@pytest.fixture
async def office(empty_office: Office) -> Office:
    """A workspace with ana and ben in the group ``support``, at the entry point ``site``."""
    await empty_office.set_up("ana", "ben")
    return empty_office
