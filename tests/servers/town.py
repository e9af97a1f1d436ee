"""Router and notifier in the test's own process, with a real broker, store and receivers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from email.headerregistry import Address

from services.notifier.channel_settings import ChannelSettings, MailSettings, Pace
from services.notifier.channels import Channels
from services.notifier.service import Notifier
from services.router.service import Router
from shared.adapters.clocks import SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import Store, open_store
from shared.runtime.world import World
from tests.servers.client import Client
from tests.servers.office import Office
from tests.servers.smtp import SmtpServer
from tests.servers.waiting import until

SENDER = Address("Fernamt", "chat", "fernamt.test")
FAST = Pace(attempts_max=4, first_retry_ms=40)
PATIENT = Pace(attempts_max=1_000, first_retry_ms=1)
"""For what is down for a while and then is not."""


def mailing(server: SmtpServer, **settings: object) -> MailSettings:
    """Mails through this server, without TLS unless said otherwise."""
    fields: dict[str, object] = {"security": "none", **settings}
    return MailSettings("127.0.0.1", server.port, sender=SENDER, **fields)  # type: ignore[arg-type]


class Town:
    """One workspace, the services that serve it, and their store."""

    def __init__(self, world: World, office: Office) -> None:
        self.world = world
        self.office = office

    @property
    def store(self) -> Store:
        return self.world.store

    async def quiet(self) -> None:
        """Wait until nothing is left in the outbox that would be tried."""

        async def look() -> bool:
            return not await self.store.outbox.lanes()

        await until("the outbox has sent everything", look)

    async def dead(self, number: int) -> list[Mapping[str, object]]:
        """Wait until so many dead letters can be read by the query, and return them."""
        letters: list[Mapping[str, object]] = []

        async def look() -> bool:
            reply = await self.office.ask("admin", "root", "dead_letters")
            letters[:] = reply["result"]["dead_letters"]
            return len(letters) >= number

        await until(f"there are {number} dead letters", look)
        return letters


@asynccontextmanager
async def town(
    nats_url: str, store_url: str, settings: ChannelSettings, workspace: str = "acme"
) -> AsyncIterator[Town]:
    """The services for the length of a block; stopped in order, so that they can start again."""
    async with AsyncExitStack() as stack:
        store = await open_store(store_url, migrate=True)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(NatsSettings(url=nats_url, name="town"))
        stack.push_async_callback(bus.close)
        world = World(store, bus, SystemClock())
        notifier = Notifier(world, channels=lambda find: Channels(world, find, settings))
        for service in (Router(world), notifier):
            work = asyncio.create_task(service.run())
            stack.push_async_callback(_stopped, service, work)
            await asyncio.wait_for(service.ready.wait(), 30)
        client = await Client.connect(nats_url)
        stack.push_async_callback(client.close)
        yield Town(world, Office(client, workspace))


async def _stopped(service: Router | Notifier, work: "asyncio.Task[None]") -> None:
    service.stop()
    await work
