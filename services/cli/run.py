"""``fernamt run SERVICE``: one service of a larger deployment, against given servers."""

import contextlib
from typing import Annotated

import typer
import uvloop

from services.cli.options import LeaseMs, LogLevel, NatsUrl, StoreUrl, fail
from services.cli.running import SERVICES, Running, ServiceName
from services.cli.serving import end_if_told, until_stopped
from shared.adapters.clocks import SystemClock
from shared.adapters.migrations import MigrationError
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import open_store
from shared.ports import StoreError
from shared.runtime.duty import LEASE_MS
from shared.runtime.garbage import spare_what_lasts
from shared.runtime.logs import configure_logs
from shared.runtime.world import World


def run(
    service: Annotated[ServiceName, typer.Argument(help="Which service.")],
    nats: NatsUrl = "",
    store: StoreUrl = "",
    lease_ms: LeaseMs = LEASE_MS,
    log_level: LogLevel = "info",
) -> None:
    """Run one service until it is told to stop. The schema must be up to date: fernamt migrate."""
    configure_logs(level=log_level)
    if not nats:
        raise fail("where is the broker? --nats or FERNAMT_NATS_URL")
    if not store:
        raise fail("where is the log? --store or FERNAMT_STORE_URL")
    try:
        spare_what_lasts()
        uvloop.run(until_stopped(_serve(service, nats, store, lease_ms)))
    except MigrationError as error:
        raise fail(f"{service.value}: {error}: fernamt migrate") from error
    except (StoreError, ValueError, OSError) as error:
        raise fail(f"{service.value}: {error}") from error


async def _serve(service: ServiceName, nats_url: str, store_url: str, lease_ms: int) -> None:
    name = f"fernamt {service.value}"
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(store_url, name=name, lease_ms=lease_ms)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(NatsSettings(url=nats_url, name=name))
        stack.push_async_callback(bus.close)
        world = World(store, bus, SystemClock(), lease_ms)
        running = Running({service.value: SERVICES[service](world)})
        stack.push_async_callback(running.stop)
        end_if_told()
        await running.ready()
        typer.echo("ready")
        await running.ended()
