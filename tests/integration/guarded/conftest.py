"""One broker for each file; for each test, the service ``auth`` with a key of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.guarded.site import Site, running_site
from tests.servers.guarded import Guarded, guarded, guarded_server
from tests.servers.nats import NatsServer


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guarded")


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[NatsServer]:
    with guarded_server(directory) as started:
        yield started


@pytest.fixture
async def broker(server: NatsServer, directory: Path) -> AsyncIterator[Guarded]:
    async with guarded(server, directory) as entered:
        yield entered


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running
