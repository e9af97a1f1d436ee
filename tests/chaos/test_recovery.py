"""The router stays up while what it stands on fails: it forgets, reads again, decides again.

On PostgreSQL, where a store can be lost without the process. Nobody is ever told something that
is not in the log.
"""

import asyncio
import itertools
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.open_store import Store, open_store
from shared.ports import Append, NoResponders
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of
from tests.chaos.conftest import LEASE_MS
from tests.chaos.endurance import WORKSPACE, endure
from tests.chaos.verdict import share_of_ok
from tests.servers.client import connected
from tests.servers.engine import Engine
from tests.servers.office import Office
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_proxy import AN_APPEND, PostgresProxy
from tests.servers.rival import foreign_row
from tests.servers.waiting import until

COMMANDS = 500
OK_MIN = 0.85
W = WorkspaceId(WORKSPACE)


@pytest.fixture
def engine(postgres_url: str, tmp_path: Path) -> Iterator[Engine]:
    """One that lives through the whole test: its process is never replaced."""
    started = Engine(tmp_path, store=postgres_url)
    started.start()
    pid = started.pid
    yield started
    assert started.running
    assert started.pid == pid
    started.kill()


@pytest.fixture
async def rival(engine: Engine, postgres_url: str) -> AsyncIterator[Store]:
    """Somebody else with access to the same database."""
    opened = await open_store(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sql(engine: Engine, postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def test_a_position_taken_under_its_feet_costs_nobody_an_answer(
    engine: Engine, rival: Store, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    numbers = itertools.count()
    partition = partition_of(W)

    async def take_the_next_position() -> None:
        """Write as if we were the router, with its own epoch, until we are faster than it."""
        epoch = await sql.fetchval("select epoch from leases where partition = $1", partition)

        async def taken() -> bool:
            head = await rival.events.head(W)
            batch = [Append(W, [foreign_row(Position(head + 1), epoch, str(next(numbers)))])]
            return not await rival.events.append(batch, {partition: epoch})

        await until("a position was taken", taken, every_s=0)

    history = await endure(
        engine.url,
        engine.store_url,
        take_the_next_position,
        tmp_path,
        strikes=15,
        commands=COMMANDS,
        seed=11,
    )
    assert share_of_ok(history) >= OK_MIN
    assert "another writer took the position" in engine.stderr


async def test_connections_that_are_cut_cost_nobody_an_answer(
    engine: Engine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    async def cut() -> None:
        await sql.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name like 'fernamt%' and datname = current_database()"
        )

    history = await endure(
        engine.url, engine.store_url, cut, tmp_path, strikes=20, commands=COMMANDS, seed=12
    )
    assert share_of_ok(history) >= OK_MIN
    assert "state_dropped" in engine.stderr


async def test_a_broker_that_dies_costs_nobody_an_answer(engine: Engine, tmp_path: Path) -> None:
    async def kill_the_broker() -> None:
        os.kill(_broker(engine), signal.SIGKILL)

    history = await endure(
        engine.url,
        engine.store_url,
        kill_the_broker,
        tmp_path,
        strikes=5,
        commands=COMMANDS,
        seed=13,
    )
    assert share_of_ok(history) >= OK_MIN
    assert "nats_server_died" in engine.stderr


async def test_e04_told_to_end_while_people_work_it_drains_and_ends_in_time(
    tmp_path: Path,
) -> None:
    engine = Engine(tmp_path)
    engine.start()
    codes: list[int] = []

    async def restart_in_order() -> None:
        codes.append(await asyncio.to_thread(engine.stop))
        await asyncio.to_thread(engine.start)

    try:
        history = await endure(
            engine.url,
            engine.store_url,
            restart_in_order,
            tmp_path,
            strikes=8,
            commands=COMMANDS,
            seed=17,
        )
        assert "drain_abandoned" not in engine.stderr
    finally:
        engine.kill()
    assert set(codes) == {0}
    assert share_of_ok(history) >= OK_MIN


# --- a network that loses exactly what matters ----------------------------------------------


@asynccontextmanager
async def _behind_proxy(
    postgres: PostgresServer, url: str, directory: Path
) -> AsyncIterator[tuple[Engine, PostgresProxy]]:
    async with PostgresProxy.before(postgres.port) as proxy:
        far = url.replace(f":{postgres.port}/", f":{proxy.port}/")
        engine = Engine(directory, store=far)
        await asyncio.to_thread(engine.start)
        try:
            yield engine, proxy
            assert engine.running
        finally:
            engine.kill()


async def test_a_commit_whose_reply_is_lost_is_found(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    async with _behind_proxy(postgres, postgres_url, tmp_path) as (engine, proxy):

        async def lose_a_reply() -> None:
            proxy.swallow_next_reply(AN_APPEND)

        history = await endure(
            engine.url, postgres_url, lose_a_reply, tmp_path, strikes=30, commands=COMMANDS, seed=14
        )
    assert share_of_ok(history) >= OK_MIN


async def test_a_commit_that_arrives_late_costs_nobody_an_answer(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    async with _behind_proxy(postgres, postgres_url, tmp_path) as (engine, proxy):

        async def delay_a_request() -> None:
            proxy.hold_next_request(AN_APPEND)
            await proxy.deliver_held()

        history = await endure(
            engine.url,
            postgres_url,
            delay_a_request,
            tmp_path,
            strikes=15,
            commands=COMMANDS,
            seed=15,
        )
    assert share_of_ok(history) >= OK_MIN


async def test_a_database_that_is_away_longer_than_a_lease_is_waited_for(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    short = {"FERNAMT_LEASE_MS": str(LEASE_MS)}
    engine = Engine(tmp_path, store=own_postgres.url, environment=short)
    engine.start()
    pid = engine.pid

    async def outage() -> None:
        before = engine.stderr.count("partitions_lost")

        async def off_duty() -> bool:
            return engine.stderr.count("partitions_lost") > before

        await asyncio.to_thread(own_postgres.kill)
        await until("the router gave up its leases", off_duty)
        await asyncio.to_thread(own_postgres.start)

    try:
        history = await endure(
            engine.url, own_postgres.url, outage, tmp_path, strikes=3, commands=COMMANDS, seed=16
        )
        assert (engine.running, engine.pid) == (True, pid)
    finally:
        engine.kill()
    assert share_of_ok(history) >= OK_MIN


async def test_a_broker_whose_port_is_taken_is_tried_again(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.start()
    port = int(engine.url.rpartition(":")[2])

    async def gave_up() -> bool:
        return "nats_server_not_started" in engine.stderr

    try:
        async with connected(engine.url) as client:
            office = Office(client, "w")
            await office.set_up("ana")
            os.kill(_broker(engine), signal.SIGKILL)
            squatter = await until("the port is free", partial(_squat, port), every_s=0)
            assert squatter is not None
            with squatter:
                await until("the broker could not be started", gave_up)

            async def served() -> bool:
                try:
                    await office.admin("create_group", group_id="g", name="G")
                except NoResponders:  # our connection may be back before the router's
                    return False
                return True

            await until("the engine serves again", served)
        assert engine.running
    finally:
        engine.kill()


async def _squat(port: int) -> socket.socket | None:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        return None
    return listener


def _broker(engine: Engine) -> int:
    return int((engine.data / "nats" / "nats-server.pid").read_text())
