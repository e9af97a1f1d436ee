"""Fixtures over a real nats-server, for modules that name this one in ``pytest_plugins``."""

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from tests.servers.nats import ConnectBus, NatsServer, nats_server


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A server with an empty store."""
    with nats_server() as server:
        yield server


@pytest.fixture
async def connect(nats: NatsServer) -> AsyncIterator[ConnectBus]:
    """Connections to ``nats``, closed after the test."""
    defaults = NatsSettings(url=nats.url, name="test", connect_within_s=10)
    opened: list[NatsBus] = []

    async def connect_bus(**settings: object) -> NatsBus:
        bus = await NatsBus.connect(msgspec.structs.replace(defaults, **settings))
        opened.append(bus)
        return bus

    yield connect_bus
    for bus in opened:
        await bus.close()
