"""A real engine, and a company of its own for every test."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.frontend.company import Company
from tests.servers.engine import Engine, running_engine

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """``fernamt up``."""
    with running_engine() as started:
        yield started


@pytest.fixture
async def company(engine: Engine) -> AsyncIterator[Company]:
    """Nobody is hired yet."""
    founded = Company(engine.url, f"company-{next(_numbers)}")
    try:
        await founded.found()
        yield founded
    finally:
        await founded.close()
