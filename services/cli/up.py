"""``fernamt up``: everything on this machine, with one command."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from services.cli.embedded import Embedded, embedded
from services.cli.options import (
    DEFAULT_DATA,
    DataDir,
    LeaseMs,
    LogLevel,
    NatsUrl,
    StoreUrl,
    fail,
    store_url,
)
from services.router.duty import LEASE_MS
from shared.adapters.migrations import MigrationError
from shared.adapters.nats_server import NatsServerError
from shared.ports import StoreError
from shared.runtime.logs import configure_logs
from shared.runtime.signals import stop_requested


def up(
    data: DataDir = DEFAULT_DATA,
    nats_port: Annotated[
        int,
        typer.Option(
            envvar="FERNAMT_NATS_PORT", min=0, max=65_535, help="Broker's port; 0 is any free one."
        ),
    ] = 4222,
    store: StoreUrl = "",
    nats: NatsUrl = "",
    quiet: Annotated[bool, typer.Option(help="Print nothing but the line `ready URL`.")] = False,
    lease_ms: LeaseMs = LEASE_MS,
    log_level: LogLevel = "info",
) -> None:
    """Start the broker, the log and every service on loopback; stop with Ctrl-C."""
    configure_logs(level="warning" if quiet else log_level)
    try:
        uvloop.run(_up(data, nats_port, store, nats, quiet, lease_ms))
    except (StoreError, NatsServerError, MigrationError, ValueError, OSError) as error:
        raise fail(str(error)) from error


async def _up(
    data: Path, nats_port: int, store: str, nats: str, quiet: bool, lease_ms: int
) -> None:
    requested = stop_requested()
    url = store_url(store, data)
    running = embedded(
        data=data, store_url=url, nats_url=nats, nats_port=nats_port, lease_ms=lease_ms
    )
    async with running as engine:
        if not quiet:
            typer.echo(
                f"Fernamt is up. Log: {data}. Anybody who reaches the port may speak as anybody."
            )
        typer.echo(f"ready {engine.url}")
        await _until(requested, engine)
        if not quiet:
            typer.echo("stopping")


async def _until(requested: asyncio.Event, engine: Embedded) -> None:
    """Until somebody asks us to stop, or the engine ends by itself."""
    asked = asyncio.create_task(requested.wait())
    ended = asyncio.create_task(engine.ended())
    try:
        await asyncio.wait({asked, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            ended.result()
    finally:
        asked.cancel()
        ended.cancel()
