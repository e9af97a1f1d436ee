"""Two routers on one database and one broker: one works on a workspace, the other on others.

Whichever works is stopped in its tracks for longer than its leases live, or told to end; the other
goes on. The one that wakes up has commands in its sockets and a state that is no longer true: it
must write nothing and say nothing.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from shared.ports import NoResponders
from shared.routing.ids import WorkspaceId
from shared.routing.partition import PARTITIONS, partition_of
from tests.chaos.conftest import LEASE_MS
from tests.chaos.endurance import WORKSPACE, endure
from tests.chaos.verdict import share_of_ok
from tests.servers.client import connected
from tests.servers.engine import Engine
from tests.servers.nats import NatsServer
from tests.servers.office import Office
from tests.servers.waiting import until

COMMANDS = 400
PARTITION = partition_of(WorkspaceId(WORKSPACE))
OK_MIN = 0.8


class Pair:
    """Two engines of which one is on duty."""

    def __init__(self, engines: list[Engine], sql: asyncpg.Connection) -> None:
        self.engines = engines
        self.sql = sql

    async def on_duty(self) -> Engine | None:
        """The engine that holds the workspace's partition at this moment."""
        owner = await self.sql.fetchval(
            "select owner from leases where expires_at > clock_timestamp() and partition = $1",
            PARTITION,
        )
        pids = {str(engine.pid): engine for engine in self.engines}
        return pids.get(owner.split("-")[-2]) if owner else None

    async def change_of_duty(self, since: Engine) -> None:
        """Wait until the other one is on duty."""

        async def changed() -> bool:
            return await self.on_duty() not in (None, since)

        await until("the other router takes over", changed)


@pytest.fixture
async def pair(nats: NatsServer, postgres_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    engines = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        settings = {"FERNAMT_LEASE_MS": str(LEASE_MS), "FERNAMT_NATS_URL": nats.url}
        engines.append(Engine(tmp_path / name, store=postgres_url, environment=settings))
    await asyncio.to_thread(engines[0].start)
    waiting = asyncio.create_task(asyncio.to_thread(engines[1].start))
    sql = await asyncpg.connect(postgres_url)

    async def both_serve() -> bool:
        held = await sql.fetch(
            "select count(*) from leases where expires_at > clock_timestamp() and partition < $1"
            " group by owner",
            PARTITIONS,
        )
        return [row[0] for row in held] == [PARTITIONS // 2] * 2

    try:
        await until("both routers have their part", both_serve)
        yield Pair(engines, sql)
    finally:
        await sql.close()
        for engine in engines:
            engine.kill()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_r05_a_router_that_wakes_beyond_its_leases_writes_and_says_nothing(
    pair: Pair, postgres_url: str, tmp_path: Path
) -> None:
    url = pair.engines[0].url

    async def pause_whoever_works() -> None:
        worker = await until("somebody is on duty", pair.on_duty)
        assert worker is not None
        os.kill(worker.pid, signal.SIGSTOP)
        await pair.change_of_duty(since=worker)
        os.kill(worker.pid, signal.SIGCONT)

    history = await endure(
        url, postgres_url, pause_whoever_works, tmp_path, strikes=8, commands=COMMANDS, seed=21
    )
    assert share_of_ok(history) >= OK_MIN
    assert all(engine.running for engine in pair.engines)
    assert any("partitions_lost" in engine.stderr for engine in pair.engines)


async def test_e02_e03_one_router_ends_and_the_other_goes_on_at_once(
    pair: Pair, postgres_url: str, tmp_path: Path
) -> None:
    first = await until("somebody is on duty", pair.on_duty)
    assert first is not None
    (second,) = (engine for engine in pair.engines if engine is not first)

    async def end_the_first() -> None:
        assert await asyncio.to_thread(first.stop) == 0
        await pair.change_of_duty(since=first)

    history = await endure(
        pair.engines[0].url,
        postgres_url,
        end_the_first,
        tmp_path,
        strikes=1,
        commands=COMMANDS,
        seed=22,
    )
    assert share_of_ok(history) >= OK_MIN
    assert await pair.on_duty() is second


async def test_e03_a_router_that_takes_over_and_cannot_read_tries_again(pair: Pair) -> None:
    async with connected(pair.engines[0].url) as client:
        await Office(client, WORKSPACE).set_up("ana")
        first = await until("somebody is on duty", pair.on_duty)
        assert first is not None
        (second,) = (engine for engine in pair.engines if engine is not first)
        await pair.sql.execute("begin; lock table workspaces in access exclusive mode")
        first.kill()

        async def has_tried() -> bool:
            return "workspaces_not_read" in second.stderr

        await until("the second router cannot read what it took", has_tried)
        await pair.sql.execute("commit")
        await pair.change_of_duty(since=first)

        async def serves() -> bool:
            try:
                return bool((await client.ask(WORKSPACE, "admin", "root", "roster"))["ok"])
            except NoResponders:
                return False

        assert await until("the second router serves", serves)
    assert second.running
