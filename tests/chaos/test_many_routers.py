"""Several router processes that share the workspaces, and come, go and die while people work.

Each workspace has one history, and is judged as if one router had served it all the time.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.open_store import open_store
from shared.routing.ids import WorkspaceId
from shared.routing.partition import PARTITIONS, partition_of
from tests.chaos.conftest import LEASE_MS
from tests.chaos.endurance import endure_everywhere
from tests.chaos.history import History
from tests.chaos.verdict import share_of_ok
from tests.servers.client import connected
from tests.servers.fleet import Fleet
from tests.servers.nats import NatsServer
from tests.servers.nats_proxy import nats_proxy
from tests.servers.office import Office
from tests.servers.waiting import until

WORKSPACES = ("north", "east", "south", "west")
PARTS = tuple(partition_of(WorkspaceId(workspace)) for workspace in WORKSPACES)
COMMANDS = dict.fromkeys(WORKSPACES, 200)
OK_MIN = 0.8
OTHERS = ("presence", "evaluator", "archivist", "auditor", "console", "router")
"""What runs beside a router and a notifier."""
ONE_AT_A_TIME = ("notifier", "presence", "evaluator", "archivist")
BESIDE = {"FERNAMT_CONSOLE_PORT": "0", "FERNAMT_PRESENCE_LEASE_MS": "600000"}
"""Nobody here has a desk that sends heartbeats."""
PATIENCE_S = 10.0
"""What is not answered by then was lost, however slow the machine."""
UNANSWERED = {"TimeoutError", "NotSent", "unavailable", "overloaded"}
"""What nobody may hear. That nobody serves the workspace just now he may: it changes hands then,
and whoever asks again is answered."""


@pytest.fixture
async def fleet(postgres_url: str, nats: NatsServer, tmp_path: Path) -> AsyncIterator[Fleet]:
    await (await open_store(postgres_url, migrate=True)).close()
    sql = await asyncpg.connect(postgres_url)
    fleet = Fleet(postgres_url, nats.url, tmp_path, sql, lease_ms=LEASE_MS)
    try:
        await fleet.start()
        await fleet.start("notifier")
        yield fleet
    finally:
        await sql.close()
        fleet.end()


def _mostly_accepted(histories: Mapping[str, History]) -> None:
    assert all(share_of_ok(history) >= OK_MIN for history in histories.values())


async def test_e02_three_share_the_workspaces_and_any_of_them_creates_one(
    fleet: Fleet, nats: NatsServer
) -> None:
    await fleet.start()
    await fleet.start()
    await fleet.share(20, 22, 22)
    async with connected(nats.url) as client:
        for number in range(12):  # as chance has it, some of them by way of another router
            office = Office(client, f"shop-{number}")
            await office.set_up("ana")
            await office.come_online("ana")
            await office.open("vera", "c1")
            answer = await office.ask("admin", "root", "conversation", conversation_id="c1")
            assert answer["result"]["conversation"]["owner"] == "ana"


async def test_e02_a_rolling_restart_loses_and_doubles_nothing(
    fleet: Fleet, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    await fleet.start()

    async def replace_one() -> None:
        await fleet.start()
        await fleet.stop_oldest()

    histories = await endure_everywhere(
        COMMANDS, nats.url, postgres_url, replace_one, tmp_path, strikes=4, seed=31
    )
    _mostly_accepted(histories)
    assert sum(await fleet.held()) == PARTITIONS


async def test_e02_every_service_is_replaced_in_turn_and_no_command_fails(
    fleet: Fleet, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    """As an upgrade does it: the new one first, then SIGTERM for the old one. Of some services one
    is at work at a time, and the new one stands by until then."""
    for service in OTHERS:
        await fleet.start(service, **BESIDE)
    turns = itertools.cycle(("router", "notifier", *OTHERS))

    async with connected(nats.url) as client:

        async def replace_the_next() -> None:
            service = next(turns)
            if service in ONE_AT_A_TIME:
                successor = fleet.begin(service, **BESIDE)
                await fleet.stop_oldest(service)
                await asyncio.to_thread(successor.says, "ready")
            else:
                await fleet.start(service, **BESIDE)
                await fleet.stop_oldest(service)
            answer = await client.send(f"fernamt.v1.audit.{WORKSPACES[0]}.admin.root.moment")
            assert answer["ok"], service

        histories = await endure_everywhere(
            COMMANDS,
            nats.url,
            postgres_url,
            replace_the_next,
            tmp_path,
            strikes=8,
            seed=35,
            timeout_s=PATIENCE_S,
        )
    _mostly_accepted(histories)
    for history in histories.values():
        failed = [one.code for one in history.attempts if one.code in UNANSWERED]
        assert failed == []


async def test_e03_a_killed_router_is_replaced_by_the_others_and_nothing_is_lost(
    fleet: Fleet, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    await fleet.start()
    parts = itertools.cycle(PARTS)

    async def kill_one() -> None:
        victim = await fleet.holder(next(parts))
        await fleet.kill(victim)
        await fleet.start()

    histories = await endure_everywhere(
        COMMANDS, nats.url, postgres_url, kill_one, tmp_path, strikes=3, seed=32
    )
    _mostly_accepted(histories)


async def test_r05_paused_beyond_its_leases_a_router_says_nothing_where_others_serve_now(
    fleet: Fleet, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    await fleet.start()
    parts = itertools.cycle(PARTS)

    async def pause_one() -> None:
        part = next(parts)
        paused = await fleet.holder(part)
        paused.pause()

        async def another() -> bool:
            return await fleet.holder(part) is not paused

        await until("another holds the partition", another)
        paused.resume()

    histories = await endure_everywhere(
        COMMANDS, nats.url, postgres_url, pause_one, tmp_path, strikes=5, seed=33
    )
    _mostly_accepted(histories)


async def test_e03_a_router_cut_off_from_the_broker_leaves_its_part_to_the_others(
    fleet: Fleet, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    async with nats_proxy(nats.url) as proxy:
        far = await fleet.start(FERNAMT_NATS_URL=proxy.url)

        async def cut_off() -> None:
            await fleet.share(PARTITIONS // 2, PARTITIONS // 2)
            await proxy.close()
            await fleet.share(PARTITIONS)
            assert "broker_is_away" in far.stderr
            await proxy.open()

        histories = await endure_everywhere(
            COMMANDS, nats.url, postgres_url, cut_off, tmp_path, strikes=2, seed=34
        )
    _mostly_accepted(histories)
