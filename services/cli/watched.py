"""What ``fernamt run`` says of its health: what is looked at, and where it answers.

The web server is imported where a port is given: whoever waits for a router to start does not wait
for one that nobody asks.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import typer

from services.cli.running import STAND_BY, Service
from shared.adapters.nats_bus import NatsBus
from shared.adapters.store_check import StoreCheck
from shared.ports import Bus
from shared.runtime import metrics
from shared.runtime.figures import Figure, of_bus
from shared.runtime.health import Check, Health, Source


class HealthAddress(NamedTuple):
    """Where to answer; nowhere without a port."""

    host: str
    port: int | None


@contextlib.asynccontextmanager
async def watched(address: HealthAddress) -> AsyncIterator[Health]:
    """The health of this process, told during the block if there is an address to tell it at.

    Raises ``OSError`` where the port is taken.
    """
    health = Health()
    if address.port is None:
        yield health
        return
    pages = import_module("shared.runtime.health_pages")
    async with pages.health_pages(health, address.host, address.port) as url:
        typer.echo(f"health {url}")
        yield health


def check_store(store: StoreCheck) -> Check:
    """That the log can be read, and its tables are those of this release."""
    return Check(("store", "schema"), store.look)


def check_broker(bus: Bus) -> Check:
    """That a message comes back from the broker."""

    async def look() -> Sequence[str | None]:
        if bus.connection is None:
            return ["the connection is lost"]
        try:
            await bus.flush()
        except ConnectionError as error:
            return [str(error)]
        return [None]

    return Check(("broker",), look)


def figures_of(bus: NatsBus, services: Mapping[str, Service]) -> Source:
    """What the services tell, and what the process has beside them."""

    async def figures() -> Sequence[Figure]:
        told = [figure for service in services.values() for figure in await service.figures()]
        serving = [
            Figure(metrics.SERVING, service.ready.is_set(), (name,))
            for name, service in services.items()
        ]
        return [*serving, *of_bus(bus.counters, connected=bus.connected), *told]

    return figures


def check_services(services: Mapping[str, Service]) -> Check:
    """That they serve, apart from those of whom one works while the others are there to take over:
    who stands by is ready for that."""
    serving = [name for name in services if name not in STAND_BY]

    async def look() -> Sequence[str | None]:
        return [None if services[name].ready.is_set() else "does not serve" for name in serving]

    return Check(serving, look)
