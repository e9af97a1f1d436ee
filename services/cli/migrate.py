"""``fernamt migrate``: bring the schema of a PostgreSQL log up to date, and say who may use it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli.options import LogLevel, StoreUrl, fail
from shared.adapters.migrations import MigrationError
from shared.adapters.open_store import open_store, parse_store_url
from shared.adapters.postgres_grants import GRANTS, READS, grant
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
    reader_role: Annotated[
        str,
        typer.Option(
            "--reader-role",
            help="The same for the auditor and for questions: reads the log, no texts and no keys.",
        ),
    ] = "",
    log_level: LogLevel = "info",
) -> None:
    """Create or update the tables; safe to run again and beside running services."""
    configure_logs(level=log_level)
    if not store:
        raise fail("where is the log? --store or FERNAMT_STORE_URL")
    if service_role and service_role == reader_role:
        raise fail(f"{service_role} is to write and to read only: these are two roles")
    try:
        asyncio.run(_migrate(store, {service_role: GRANTS, reader_role: READS}))
    except (StoreError, MigrationError, ValueError, OSError) as error:
        raise fail(str(error)) from error
    typer.echo("the schema is up to date")


async def _migrate(url: str, roles: Mapping[str, Mapping[str, str]]) -> None:
    named = {role: grants for role, grants in roles.items() if role}
    if named and parse_store_url(url).postgres_url is None:
        raise ValueError("a log in a directory knows no roles: they are for PostgreSQL")
    opened = await open_store(url, name="fernamt migrate", migrate=True)
    await opened.close()
    for role, grants in named.items():
        await grant(url, role, grants)
