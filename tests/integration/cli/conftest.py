"""Logs to ask about: a small one that is easily told, and the sample's day."""

import asyncio
from pathlib import Path

import pytest

from services.cli.sample.generating import generated
from services.cli.sample.shop import WORKSPACE
from shared.adapters.open_store import open_store
from shared.ports import Append
from shared.routing.ids import UnixMs
from shared.routing.partition import PARTITIONS
from tests.audit.kept import four_minutes, keep
from tests.core.story import Story

MORNING = UnixMs(1_773_222_067_000)
"""2026-03-11 09:41:07 in Berlin, the time at which the sample's day ends."""


@pytest.fixture(scope="session")
def story() -> Story:
    """What is in ``log``."""
    return four_minutes()


@pytest.fixture(scope="session")
def log(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory with the small story; nobody may change it."""
    directory = tmp_path_factory.mktemp("story") / "data"
    asyncio.run(keep(story, directory))
    return directory


@pytest.fixture(scope="session")
def sample_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of the sample's shop, as ``fernamt up --sample`` writes it."""
    directory = tmp_path_factory.mktemp("sample") / "data"
    asyncio.run(_write_sample(directory))
    return directory


async def _write_sample(directory: Path) -> None:
    store = await open_store(f"sqlite:///{directory}")
    try:
        leases = dict(await store.leases.acquire("router", range(PARTITIONS)))
        await store.events.register_workspace(WORKSPACE, MORNING)
        for rows, vault, erase in generated(MORNING, epoch=min(leases.values())):
            lost = await store.events.append([Append(WORKSPACE, rows, vault, erase)], leases)
            assert lost == frozenset()
    finally:
        await store.close()
