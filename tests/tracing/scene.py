"""A workspace served by a process for each service, which all send their spans to one collector."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from shared.adapters.open_store import open_store
from tests.integration.notifier.hooks import hook
from tests.servers.client import Client, Listening
from tests.servers.engine import QUIET_DESKS
from tests.servers.http_receiver import HttpReceiver, http_receiver
from tests.servers.office import Office
from tests.servers.process import Process
from tests.servers.smtp import SmtpServer, smtp_server
from tests.tracing.collector import Collector, collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
"""The span of the page that the visitor sees."""
SERVICES = ("router", "notifier", "presence", "auditor")


class Scene(NamedTuple):
    """Who is there, and what was told where."""

    office: Office
    collector: Collector
    webhook: HttpReceiver
    smtp: SmtpServer


@asynccontextmanager
async def scene(
    nats_url: str, store_url: str, directory: Path, **environment: str
) -> AsyncIterator[Scene]:
    """Services at work; ``environment`` says more to all of them."""
    await (await open_store(store_url, migrate=True)).close()
    async with AsyncExitStack() as stack:
        collector = await stack.enter_async_context(collecting())
        webhook = await stack.enter_async_context(http_receiver())
        smtp = await stack.enter_async_context(smtp_server())
        settings = {
            "FERNAMT_STORE_URL": store_url,
            "FERNAMT_NATS_URL": nats_url,
            "FERNAMT_WEBHOOKS_PRIVATE": "allow",
            "FERNAMT_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
            "FERNAMT_MAIL_FROM": "Fernamt <chat@fernamt.test>",
            **QUIET_DESKS,
            **collector.environment,
            **environment,
        }
        for service in SERVICES:
            process = Process(service, directory, settings)
            stack.callback(process.kill)
            await asyncio.to_thread(process.start)
        client = await Client.connect(nats_url)
        stack.push_async_callback(client.close)
        yield Scene(Office(client, "acme"), collector, webhook, smtp)


async def set_up(here: Scene, *types: str) -> Listening:
    """Ana in her group, a webhook, and what ana is told."""
    await here.office.set_up("ana")
    await hook(here.office, here.webhook.url, *types)
    return await here.office.feed("operator", "ana")


async def open_traced(here: Scene, *, flags: str = "01") -> None:
    """A visitor opens a conversation, from a page that traces, and an admin asks why."""
    traceparent = {"traceparent": f"00-{TRACE}-{CALLER}-{flags}"}
    fields = {"conversation_id": "c1", "entry_point_id": "site"}
    await here.office.send("visitor", "v1", "open", fields, headers=traceparent)
    subject = "fernamt.v1.audit.acme.admin.root.explain"
    await here.office.client.send(subject, {"conversation_id": "c1"}, headers=traceparent)
