"""Fixtures over a real nats-server, for all tests that name them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.servers.nats import ConnectBus, NatsServer, connections, nats_server


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A server with an empty store."""
    with nats_server() as server:
        yield server


@pytest.fixture
async def connect(nats: NatsServer) -> AsyncIterator[ConnectBus]:
    """Connections to ``nats``, closed after the test."""
    async with connections(nats) as connect_bus:
        yield connect_bus
