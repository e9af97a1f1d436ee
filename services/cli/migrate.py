"""``fernamt migrate``: bring the schema of a PostgreSQL log up to date."""

import asyncio

import typer

from services.cli.options import LogLevel, StoreUrl, fail
from shared.adapters.migrations import MigrationError
from shared.adapters.open_store import open_store
from shared.ports import StoreError
from shared.runtime.logs import configure_logs


def migrate(store: StoreUrl = "", log_level: LogLevel = "info") -> None:
    """Create or update the tables; safe to run again and beside running services."""
    configure_logs(level=log_level)
    if not store:
        raise fail("where is the log? --store or FERNAMT_STORE_URL")
    try:
        asyncio.run(_migrate(store))
    except (StoreError, MigrationError, ValueError, OSError) as error:
        raise fail(str(error)) from error
    typer.echo("the schema is up to date")


async def _migrate(url: str) -> None:
    opened = await open_store(url, name="fernamt migrate", migrate=True)
    await opened.close()
