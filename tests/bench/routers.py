"""Several router processes: what sharing costs, and how long nobody answers while they change.

Front ends are played by callers, one for each workspace, who send one command after the other and
each again until it is accepted. Afterwards the log must hold every one of them once. An archivist
keeps snapshots, from which the routers take over.
"""

import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import asyncpg

from shared.adapters.nats_bus import NotSent
from shared.adapters.open_store import open_store
from shared.ports import NoResponders
from shared.routing.ids import WorkspaceId
from shared.routing.partition import PARTITIONS, partition_of
from shared.runtime.duty import LEASE_MS
from tests.bench.figures import Row, processor_s, row
from tests.bench.lean_nats import LeanNats
from tests.bench.load import Request, closed_loop
from tests.bench.office import Said, Visitors, settled
from tests.bench.rounds import Plan
from tests.bench.sides import running
from tests.servers.client import Client, connected
from tests.servers.engine import fernamt
from tests.servers.fleet import Fleet
from tests.servers.nats import nats_server
from tests.servers.postgres import postgres_server
from tests.servers.waiting import until

WORKSPACES = tuple(WorkspaceId(f"shop-{number}") for number in range(16))
OPERATORS = 50
CAPACITY = 10_000
IN_FLIGHT = 1_024
PATIENCE_S = 0.5
"""After which a caller sends a command again."""
AGAIN_AFTER_S = 0.02
CALM_S = 0.5
"""Of undisturbed work before and after a change."""


async def rows(plan: Plan) -> list[Row]:
    """What is measured with routers in processes of their own."""
    rounds, conversations = plan.rounds, plan.conversations
    async with _fleet() as (fleet, nats_url, client, log):
        await fleet.start()
        await _settle(client)
        shop = Shop(nats_url, client, log)
        one, two = [], []
        for _ in range(rounds):
            one.append(await shop.processor_us(fleet, conversations))
            await fleet.start()
            await _even(fleet, client)
            two.append(await shop.processor_us(fleet, conversations))
            await fleet.stop_oldest()
            await _served(client)
        await fleet.start()
        failover = [await _failover(fleet, client, shop) for _ in range(rounds)]
        handed = [await _handed_over(fleet, client, shop) for _ in range(rounds)]
    limit = [LEASE_MS / 1_000 + 1] * rounds
    return [
        row("two routers, processor time (floor: one)", "µs", two, one, goal="<= 1.1"),
        row("kill -9, longest silence (floor: lease + 1 s)", "s", failover, limit, goal="<= 1"),
        row("a router replaced, longest silence", "s", handed),
    ]


@asynccontextmanager
async def _fleet() -> AsyncIterator[tuple[Fleet, str, Client, asyncpg.Connection]]:
    with (
        postgres_server() as postgres,
        nats_server() as nats,
        tempfile.TemporaryDirectory(prefix="fernamt-bench-") as folder,
        contextlib.ExitStack() as stack,
    ):
        await (await open_store(postgres.url, migrate=True)).close()
        servers = ("--nats", nats.url, "--store", postgres.url, "--log-level", "warning")
        stack.enter_context(running(fernamt("run", "archivist", *servers)))
        log = await asyncpg.connect(postgres.url)
        fleet = Fleet(postgres.url, nats.url, Path(folder), log, lease_ms=LEASE_MS)
        try:
            async with connected(nats.url) as client:
                yield fleet, nats.url, client, log
        finally:
            fleet.end()
            await log.close()


async def _settle(client: Client) -> None:
    """Make the workspaces, with everybody there who will be."""
    for workspace_id in WORKSPACES:
        for number, said in enumerate(settled(OPERATORS, CAPACITY)):
            await _insist(client, workspace_id, said._replace(command_id=f"settling-{number}"))


async def _even(fleet: Fleet, client: Client) -> None:
    await fleet.share(PARTITIONS // 2, PARTITIONS // 2)
    await _served(client)


async def _served(client: Client) -> None:
    """Wait until somebody answers in every workspace."""
    for workspace_id in WORKSPACES:

        async def answered(workspace_id: WorkspaceId = workspace_id) -> bool:
            with contextlib.suppress(TimeoutError, NoResponders):
                answer = await client.ask(workspace_id, "admin", "root", "roster", timeout_s=1)
                return bool(answer["ok"])
            return False

        await until(f"{workspace_id} is served", answered)


async def _insist(client: Client, workspace_id: WorkspaceId, said: Said) -> None:
    """Send it until it is accepted, as a front end does."""
    while True:
        with contextlib.suppress(TimeoutError, NoResponders, NotSent):
            answer = await client.command(
                workspace_id,
                said.kind,
                said.actor_id,
                said.name,
                dict(said.fields),
                command_id=said.command_id or None,
                timeout_s=PATIENCE_S,
            )
            if answer["ok"]:
                return
            assert answer["error"]["code"] in {"unavailable", "overloaded"}, answer
        await asyncio.sleep(AGAIN_AFTER_S)


class Shop:
    """People in all workspaces, and the account of what they have sent."""

    def __init__(self, nats_url: str, client: Client, log: asyncpg.Connection) -> None:
        self._nats_url = nats_url
        self._client = client
        self._log = log
        self._visitors = Visitors(seed=11)
        self._opened = 0

    async def processor_us(self, fleet: Fleet, conversations: int) -> float:
        """Processor time of all routers for one conversation, opened and closed."""
        before = sum(processor_s(router.pid) for router in fleet.routers)
        opened = [self._visitors.opening() for _ in range(conversations)]
        await self._send(opened)
        await self._send([self._visitors.closing(said) for said in opened])
        self._opened += conversations
        used_s = sum(processor_s(router.pid) for router in fleet.routers) - before
        return used_s / conversations * 1e6

    async def _send(self, said: Sequence[Said]) -> None:
        shops = itertools.cycle(WORKSPACES)
        messages = [one.message(shop) for one, shop in zip(said, shops, strict=False)]
        requests = [Request(message.subject, message.data, message.headers) for message in messages]
        generator = await LeanNats.connect(self._nats_url)
        try:
            result = await closed_loop(
                generator,
                requests.__getitem__,
                in_flight=IN_FLIGHT,
                total=len(requests),
                judge=lambda _number, _headers, data: data.startswith(b'{"ok":true'),
            )
        finally:
            await generator.close()
        assert (result.n, result.errors) == (len(said), 0), result

    async def silence_s(self, disturb: Callable[[], Awaitable[None]]) -> float:
        """The longest time without an answer in any workspace, while this happens."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as people:
            working = [people.create_task(self._work(one, over)) for one in WORKSPACES]
            await asyncio.sleep(CALM_S)
            await disturb()
            await asyncio.sleep(CALM_S)
            over.set()
        moments = [work.result() for work in working]
        self._opened += sum(len(one) - 1 for one in moments)
        await self._check()
        return max(b - a for one in moments for a, b in itertools.pairwise(one))

    async def _work(self, workspace_id: WorkspaceId, over: asyncio.Event) -> list[float]:
        """Open conversations until it is over; the moments of all answers, and of the start."""
        moments = [monotonic()]
        while not over.is_set():
            await _insist(self._client, workspace_id, self._visitors.opening())
            moments.append(monotonic())
        return moments

    async def _check(self) -> None:
        """Every conversation that somebody was told of is in the log, and no other."""
        found = await self._log.fetchval(
            "select count(*) from stored_events where topic like 'conversation_opened.%'"
        )
        assert found == self._opened, f"{found} conversations in the log, {self._opened} sent"


async def _failover(fleet: Fleet, client: Client, shop: Shop) -> float:
    """Kill whoever serves the first workspace; another router is there."""
    await _even(fleet, client)

    async def kill() -> None:
        await fleet.kill(await fleet.holder(partition_of(WORKSPACES[0])))
        await fleet.share(PARTITIONS)

    silence_s = await shop.silence_s(kill)
    await fleet.start()
    return silence_s


async def _handed_over(fleet: Fleet, client: Client, shop: Shop) -> float:
    """Replace one of two routers, as a rolling restart does."""
    await _even(fleet, client)

    async def replace() -> None:
        await fleet.start()
        await fleet.stop_oldest()

    return await shop.silence_s(replace)
