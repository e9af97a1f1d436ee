"""``fernamt migrate``: bring the schema of a PostgreSQL log up to date, and say who may use it."""

import asyncio
from typing import Annotated

import typer

from services.cli.options import LogLevel, StoreUrl, fail
from shared.adapters.migrations import MigrationError
from shared.adapters.open_store import open_store, parse_store_url
from shared.adapters.postgres_grants import grant_to_services
from shared.ports import StoreError
from shared.runtime.logs import configure_logs


def migrate(
    store: StoreUrl = "",
    service_role: Annotated[
        str,
        typer.Option(
            "--service-role",
            help="A role to give what the services need and nothing else; it has to exist.",
        ),
    ] = "",
    log_level: LogLevel = "info",
) -> None:
    """Create or update the tables; safe to run again and beside running services."""
    configure_logs(level=log_level)
    if not store:
        raise fail("where is the log? --store or FERNAMT_STORE_URL")
    try:
        asyncio.run(_migrate(store, service_role))
    except (StoreError, MigrationError, ValueError, OSError) as error:
        raise fail(str(error)) from error
    typer.echo("the schema is up to date")


async def _migrate(url: str, service_role: str) -> None:
    served = parse_store_url(url).postgres_url
    if service_role and served is None:
        raise ValueError("a log in a directory knows no roles: --service-role is for PostgreSQL")
    opened = await open_store(url, name="fernamt migrate", migrate=True)
    await opened.close()
    if service_role and served is not None:
        await grant_to_services(served, service_role)
