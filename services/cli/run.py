"""``fernamt run SERVICE``: one service of a larger deployment, against given servers."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import typer
import uvloop

from services.cli.looking import LOOKERS, SPEAKERS, Lookout
from services.cli.options import (
    LOOPBACK,
    HealthHost,
    HealthPort,
    LeaseMs,
    LogLevel,
    NatsUrl,
    StoreUrl,
    fail,
)
from services.cli.running import SERVICES, Running, Service, ServiceName
from services.cli.serving import end_if_told, until_stopped
from services.cli.watched import (
    HealthAddress,
    check_broker,
    check_services,
    check_store,
    figures_of,
    watched,
)
from shared.adapters.clocks import SystemClock
from shared.adapters.migrations import MigrationError
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_identity import broker_settings
from shared.adapters.open_store import Store, open_archive, open_store
from shared.adapters.store_check import StoreCheck
from shared.ports import Bus, StoreError
from shared.ports.archive import Archive
from shared.ports.tracing import Tracer
from shared.runtime.duty import LEASE_MS
from shared.runtime.garbage import spare_what_lasts
from shared.runtime.logs import configure_logs
from shared.runtime.tracing import tracer_for
from shared.runtime.world import World

DRAIN_WITHIN_S = 10.0
"""After SIGTERM; the services themselves give up a little earlier what takes too long."""


def run(
    services: Annotated[list[ServiceName], typer.Argument(help="Which service, or several.")],
    nats: NatsUrl = "",
    store: StoreUrl = "",
    lease_ms: LeaseMs = LEASE_MS,
    health_port: HealthPort = None,
    health_host: HealthHost = LOOPBACK,
    log_level: LogLevel = "info",
    leash: Annotated[
        bool, typer.Option("--leash", hidden=True, help="End when standard input does, too.")
    ] = False,
) -> None:
    """Run services until told to stop. The schema must be up to date: fernamt migrate."""
    configure_logs(level=log_level)
    if not nats:
        raise fail("where is the broker? --nats or FERNAMT_NATS_URL")
    if not store and any(service not in SPEAKERS for service in services):
        raise fail("where is the log? --store or FERNAMT_STORE_URL")
    name = " ".join(service.value for service in services)
    try:
        spare_what_lasts()
        health = HealthAddress(health_host, health_port)
        serving = _serve(services, Deployment(nats, store, lease_ms, health))
        uvloop.run(until_stopped(serving, leash=leash, within_s=DRAIN_WITHIN_S))
    except MigrationError as error:
        raise fail(f"{name}: {error}: fernamt migrate") from error
    except (StoreError, ValueError, OSError) as error:
        raise fail(f"{name}: {error}") from error


class Deployment(NamedTuple):
    """Where this process finds what it works with, and where it is found."""

    nats_url: str
    store_url: str
    lease_ms: int
    health: HealthAddress


async def _serve(services: Sequence[ServiceName], deployment: Deployment) -> None:
    name = f"fernamt {' '.join(service.value for service in services)}"
    async with contextlib.AsyncExitStack() as stack:
        health = await stack.enter_async_context(watched(deployment.health))
        tracer = tracer_for(name.replace(" ", "-"), os.environ)
        if tracer is not None:
            stack.push_async_callback(tracer.close)
        made = await _opened(stack, services, deployment, name, tracer)
        bus = await NatsBus.connect(broker_settings(deployment.nats_url, name))
        stack.push_async_callback(bus.close)
        if not SPEAKERS.keys() >= made.keys():
            store = StoreCheck(deployment.store_url, name)
            stack.push_async_callback(store.close)
            health.checks.append(check_store(store))
        served = {service.value: make(bus) for service, make in made.items()}
        running = Running(served)
        stack.push_async_callback(running.stop)
        stack.callback(health.drains)
        health.checks += (check_broker(bus), check_services(served))
        health.sources.append(figures_of(bus, served))
        health.serves()
        end_if_told()
        await running.ready()
        console: Any = served.get(ServiceName.CONSOLE)
        if console is not None:
            typer.echo(f"console {console.url}")
        typer.echo("ready")
        await running.ended()


async def _opened(
    stack: contextlib.AsyncExitStack,
    services: Sequence[ServiceName],
    deployment: Deployment,
    name: str,
    tracer: Tracer | None,
) -> Mapping[ServiceName, Callable[[Bus], Service]]:
    """How each is made once there is a bus. The store is opened for writing only for writers."""
    store_url, lease_ms = deployment.store_url, deployment.lease_ms
    made: dict[ServiceName, Callable[[Bus], Service]] = {}
    store: Store | None = None
    archive: Archive | None = None
    for service in ServiceName:
        if service not in services:
            continue
        if service in SPEAKERS:
            made[service] = SPEAKERS[service]
        elif service in LOOKERS:
            if archive is None:
                archive = await open_archive(store_url, name=name)
                stack.push_async_callback(archive.close)
            made[service] = partial(_looker, service, archive, tracer)
        else:
            if store is None:
                store = await open_store(store_url, name=name, lease_ms=lease_ms)
                stack.push_async_callback(store.close)
            made[service] = partial(_writer, service, store, lease_ms, tracer)
    return made


def _looker(service: ServiceName, archive: Archive, tracer: Tracer | None, bus: Bus) -> Service:
    return LOOKERS[service](Lookout(archive, bus, SystemClock(), tracer))


def _writer(
    service: ServiceName, store: Store, lease_ms: int, tracer: Tracer | None, bus: Bus
) -> Service:
    return SERVICES[service](World(store, bus, SystemClock(), lease_ms, tracer=tracer))
