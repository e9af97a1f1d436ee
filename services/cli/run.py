"""``fernamt run SERVICE``: one service of a larger deployment, against given servers."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer
import uvloop

from services.cli.options import LeaseMs, LogLevel, NatsUrl, StoreUrl, fail
from services.cli.serving import end_if_told, until_stopped
from services.notifier.channels import outside
from services.notifier.service import Notifier
from services.presence.service import Presence
from services.router.service import Router
from services.trigger_evaluator.service import Evaluator
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


class Service(StrEnum):
    """The services that can be run alone."""

    ROUTER = "router"
    PRESENCE = "presence"
    NOTIFIER = "notifier"
    EVALUATOR = "evaluator"


def _notifier(world: World) -> Notifier:
    return Notifier(world, channels=outside(world, os.environ))


Serving = Router | Presence | Notifier | Evaluator

_SERVICES: dict[Service, Callable[[World], Serving]] = {
    Service.ROUTER: Router,
    Service.PRESENCE: Presence,
    Service.NOTIFIER: _notifier,
    Service.EVALUATOR: Evaluator,
}


def run(
    service: Annotated[Service, typer.Argument(help="Which service.")],
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


async def _serve(service: Service, nats_url: str, store_url: str, lease_ms: int) -> None:
    name = f"fernamt {service.value}"
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(store_url, name=name, lease_ms=lease_ms)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(NatsSettings(url=nats_url, name=name))
        stack.push_async_callback(bus.close)
        serving = _SERVICES[service](World(store, bus, SystemClock(), lease_ms))
        work = asyncio.create_task(serving.run(), name=service.value)
        stack.push_async_callback(_drain, serving, work)
        announcing = asyncio.create_task(_announce(serving))
        stack.callback(announcing.cancel)
        end_if_told()
        await asyncio.shield(work)


async def _drain(serving: Serving, work: "asyncio.Task[None]") -> None:
    serving.stop()
    await work


async def _announce(serving: Serving) -> None:
    """Print once that it serves."""
    await serving.ready.wait()
    typer.echo("ready")
