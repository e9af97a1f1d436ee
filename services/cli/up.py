"""``fernamt up``: everything on this machine, with one command."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
import uvloop

from services.cli.browsers import EXAMPLES, WebDoor, WebSocketOrigins, WebSocketPort
from services.cli.embedded import Embedded, embedded
from services.cli.ops import OpsFailed
from services.cli.ops import ops as ops_process
from services.cli.options import (
    DEFAULT_DATA,
    DataDir,
    LeaseMs,
    LogLevel,
    NatsPort,
    NatsUrl,
    StoreUrl,
    fail,
    store_url,
)
from services.cli.running import ServiceName
from services.cli.sample.opening import SampleShop
from services.cli.serving import end_if_told, until_stopped
from services.console.settings import PORT, PORT_VARIABLE
from shared.adapters.migrations import MigrationError
from shared.adapters.nats_server import NatsServerError
from shared.ports import StoreError
from shared.runtime.duty import LEASE_MS
from shared.runtime.garbage import spare_what_lasts
from shared.runtime.logs import configure_logs


def up(
    data: DataDir = DEFAULT_DATA,
    nats_port: NatsPort = 4222,
    websocket_port: WebSocketPort = None,
    websocket_origin: WebSocketOrigins = None,
    store: StoreUrl = "",
    nats: NatsUrl = "",
    quiet: Annotated[bool, typer.Option(help="Print nothing but the line `ready URL`.")] = False,
    lease_ms: LeaseMs = LEASE_MS,
    ops: Annotated[
        bool,
        typer.Option(help="The auditor and the console too, in a process beside the engine."),
    ] = True,
    sample: Annotated[
        bool,
        typer.Option(
            "--sample/--no-sample",
            help="With a workspace `sample`: a day of generated traffic, and people who play on.",
        ),
    ] = False,
    console: Annotated[bool, typer.Option(help="The web page of the ops team.")] = True,
    console_port: Annotated[
        int,
        typer.Option(envvar=PORT_VARIABLE, min=0, max=65_535, help="Its port; 0 is any free one."),
    ] = PORT,
    log_level: LogLevel = "info",
    clock_offset_file: Annotated[
        Path | None,
        typer.Option(
            hidden=True,
            help="File with milliseconds by which the engine's clock is ahead, for trying out what "
            "takes hours. The log keeps the moments it was told: never for one that matters.",
        ),
    ] = None,
) -> None:
    """Start the broker, the log and every service on loopback; stop with Ctrl-C."""
    level = "warning" if quiet else log_level
    configure_logs(level=level)
    try:
        spare_what_lasts()
        shop = SampleShop(lease_ms) if sample else None
        door = _door(websocket_port, websocket_origin, nats)
        running = embedded(
            data=data,
            store_url=store_url(store, data),
            nats_url=nats,
            nats_port=nats_port,
            door=door,
            lease_ms=lease_ms,
            clock_offset_file=clock_offset_file,
            prepare=shop.open if shop is not None else None,
        )
        page = console_port if console else None
        beside = _beside(store_url(store, data), level, page) if ops else None
        uvloop.run(until_stopped(_serve(running, beside, data, quiet, shop, door)))
    except (OpsFailed, StoreError, NatsServerError, MigrationError, ValueError, OSError) as error:
        raise fail(str(error)) from error


def _door(port: int | None, origins: Sequence[str] | None, nats_url: str) -> WebDoor | None:
    if port is not None and nats_url:
        raise ValueError("--websocket-port is of a broker of its own: --nats names another one")
    return None if port is None else WebDoor(port, origins or EXAMPLES)


class Beside(NamedTuple):
    """How the process of the ops team is started, once the broker's address is known."""

    services: Sequence[str]
    settings: Mapping[str, str]


def _beside(url: str, log_level: str, console_port: int | None) -> Beside:
    ours = {name: value for name, value in os.environ.items() if name.startswith("FERNAMT_")}
    settings = {"FERNAMT_STORE_URL": url, "FERNAMT_LOG_LEVEL": log_level}
    if console_port is None:
        return Beside((ServiceName.AUDITOR.value,), ours | settings)
    settings[PORT_VARIABLE] = str(console_port)
    names = (ServiceName.CONSOLE.value, ServiceName.AUDITOR.value)
    return Beside(names, ours | settings)


async def _serve(
    running: AbstractAsyncContextManager[Embedded],
    beside: Beside | None,
    data: Path,
    quiet: bool,
    shop: SampleShop | None,
    door: WebDoor | None,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        engine = await stack.enter_async_context(running)
        end_if_told()
        said: Sequence[str] = ()
        if beside is not None:
            settings = {**beside.settings, "FERNAMT_NATS_URL": engine.url}
            looking = await stack.enter_async_context(ops_process(beside.services, settings))
            said = looking.said
        if not quiet:
            typer.echo(
                f"Fernamt is up. Log: {data}. Anybody who reaches the port may speak as anybody."
            )
            if shop is not None:
                typer.echo(shop.told)
            if door is not None:
                typer.echo(door.told)
            for line in said:
                typer.echo(line)
        typer.echo(f"ready {engine.url}")
        if shop is not None:
            await stack.enter_async_context(shop.playing(engine.url))
        try:
            await engine.ended()
        finally:
            if not quiet:
                typer.echo("stopping")
