"""``fernamt doctor``: whether this installation may be reached by others."""

import asyncio
import os
from collections.abc import Sequence

import typer

from services.cli.checkup import (
    MONITORING_PORT,
    Finding,
    is_near,
    of_broker,
    of_directory,
    of_environment,
    of_monitoring,
    of_postgres,
)
from services.cli.options import NatsUrl, StoreUrl, fail
from shared.adapters.nats_greeting import greeting_of, hosts_in, is_listening
from shared.adapters.open_store import parse_store_url
from shared.adapters.postgres_state import state_of
from shared.ports import StoreError

NOT_READY = 1
"""Exit code where something is grave."""


def doctor(nats: NatsUrl = "", store: StoreUrl = "") -> None:
    """Look at the broker, the store and the environment of the services; change nothing.

    Call it as the services are called, with their environment. Exit code 0: nothing grave was
    found. 1: it is not ready for production. 2: something could not be reached.
    """
    if not nats or not store:
        raise fail("where are the broker and the log? FERNAMT_NATS_URL and FERNAMT_STORE_URL")
    try:
        findings = asyncio.run(_look(nats, store))
    except (StoreError, ValueError, OSError) as error:
        raise fail(str(error)) from error
    for finding in findings:
        typer.echo(f"{'grave' if finding.grave else 'note '}  {finding.what}")
        typer.echo(f"       {finding.remedy}")
    if any(finding.grave for finding in findings):
        typer.echo("not ready for production")
        raise typer.Exit(NOT_READY)
    typer.echo("ready for production, as far as can be seen from here")


async def _look(nats: str, store: str) -> Sequence[Finding]:
    findings = list(of_environment(os.environ, store, os.geteuid()))
    address = parse_store_url(store)
    if address.directory is not None:
        findings.extend(of_directory(address.directory))
    else:
        findings.extend(of_postgres(await state_of(store)))
    for host, port in hosts_in(nats):
        findings.extend(of_broker(host, port, await greeting_of(host, port)))
        if not is_near(host) and await is_listening(host, MONITORING_PORT):
            findings.append(of_monitoring(host))
    return findings
