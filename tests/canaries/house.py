"""Every service at work, at the most talkative level, with everything it tells kept."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from shared.adapters.open_store import open_store
from tests.canaries.words import Canaries
from tests.servers.client import Client
from tests.servers.engine import CLI, QUIET_DESKS
from tests.servers.health import page
from tests.servers.http_receiver import Answer, HttpReceiver, Received, http_receiver
from tests.servers.nats import NatsServer
from tests.servers.office import Office
from tests.servers.postgres import PostgresServer
from tests.servers.process import Process
from tests.servers.smtp import SmtpServer, smtp_server
from tests.tracing.collector import Collector, collecting

WRITERS = "router presence evaluator notifier archivist"
LOOKERS = "auditor console"


class House(NamedTuple):
    """What works there, and who refuses what it is sent."""

    canaries: Canaries
    office: Office
    nats: NatsServer
    postgres: PostgresServer
    webhook: HttpReceiver
    smtp: SmtpServer
    collector: Collector
    processes: Mapping[str, Process]
    pages: Mapping[str, str]
    console: str

    async def told(self) -> Mapping[str, bytes]:
        """All that was told so far, by where."""
        told = {f"log of {name}": p.stderr.encode() for name, p in self.processes.items()}
        for name, url in self.pages.items():
            try:
                told[f"metrics of {name}"] = (await page(url, "metrics")).encode()
                told[f"readiness of {name}"] = (await page(url, "livez")).encode()
            except httpx.HTTPError:
                continue  # the process has ended, as some are meant to
        told["spans"] = b"\n".join(self.collector.bodies)
        return told


@asynccontextmanager
async def house(
    nats: NatsServer, postgres: PostgresServer, directory: Path, *, module: str = CLI
) -> AsyncIterator[House]:
    """``module`` is run in place of the command line."""
    canaries = Canaries()
    await (await open_store(postgres.url, migrate=True)).close()
    password = canaries.new("password of the database")
    async with AsyncExitStack() as stack:
        collector = await stack.enter_async_context(collecting())
        webhook = await stack.enter_async_context(http_receiver())
        webhook.answering = _echo
        smtp = await stack.enter_async_context(smtp_server())
        smtp_password = canaries.new("password of the mail server")
        settings = {
            "FERNAMT_STORE_URL": postgres.url.replace("fernamt@", f"fernamt:{password}@"),
            "FERNAMT_NATS_URL": nats.url,
            "FERNAMT_LOG_LEVEL": "debug",
            "FERNAMT_HEALTH_PORT": "0",
            "FERNAMT_CONSOLE_PORT": "0",
            "FERNAMT_WEBHOOKS_PRIVATE": "allow",
            "FERNAMT_SEND_ATTEMPTS_MAX": "2",
            "FERNAMT_SEND_RETRY_MS": "50",
            "FERNAMT_SMTP_URL": f"smtp://chat:{smtp_password}@127.0.0.1:{smtp.port}",
            "FERNAMT_MAIL_FROM": "Fernamt <chat@fernamt.test>",
            "FERNAMT_ALLOWANCES": "visitor=none operator=none",
            "PYTHONASYNCIODEBUG": "1",
            **QUIET_DESKS,
            **collector.environment,
        }
        processes, pages, console = {}, {}, ""
        for services in (WRITERS, LOOKERS):
            process = processes[services] = Process(services, directory, settings, module=module)
            stack.callback(process.kill)
            process.begin()
            pages[services] = await asyncio.to_thread(process.says, "health")
            if services == LOOKERS:
                console = await asyncio.to_thread(process.says, "console")
            await asyncio.to_thread(process.says, "ready")
        client = await Client.connect(nats.url)
        stack.push_async_callback(client.close)
        office = Office(client, "acme")
        yield House(
            *(canaries, office, nats, postgres, webhook, smtp, collector),
            *(processes, pages, console),
        )


def _echo(received: Received) -> Answer:
    """Refuses, and says again what it was sent."""
    said = {"x-said": received.path, "retry-after": received.path}
    return Answer(status=500, headers=said, body=received.body)
