"""Commands whose commit is in doubt: decided again with an id, and without one never again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from shared.routing.events import VisitorWrote
from tests.servers.client import Fields, connected
from tests.servers.engine import Engine
from tests.servers.office import Office, read_log
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_proxy import AN_APPEND, PostgresProxy
from tests.servers.waiting import until

NO_RENEWAL = {"FERNAMT_LEASE_MS": "60000"}
"""So that the request which is held back is the append."""


@pytest.fixture
async def proxy(postgres: PostgresServer) -> AsyncIterator[PostgresProxy]:
    async with PostgresProxy.before(postgres.port) as between:
        yield between


@pytest.fixture
async def engine(
    postgres: PostgresServer, postgres_url: str, proxy: PostgresProxy, tmp_path: Path
) -> AsyncIterator[Engine]:
    far = postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/")
    started = Engine(tmp_path, store=far, environment=NO_RENEWAL)
    await asyncio.to_thread(started.start)
    yield started
    started.kill()


@pytest.mark.parametrize("command_id", ["once", None])
async def test_a_commit_that_arrives_after_it_was_given_up_is_not_made_again(
    engine: Engine, proxy: PostgresProxy, postgres_url: str, command_id: str | None
) -> None:
    async with connected(engine.url) as client:
        office = Office(client, "w")
        await office.set_up("ana")
        await office.open("vera", "c1")
        writing = asyncio.create_task(_write(office, command_id))
        await _append_late(engine, proxy, postgres_url)
        (answer,) = await asyncio.gather(writing, return_exceptions=True)
        await office.visitor("vera", "close", conversation_id="c1")
    log = await read_log(postgres_url, "w")
    written = [position for position, e in log if isinstance(e.data, VisitorWrote)]
    assert len(written) == 1
    if command_id is not None:
        assert isinstance(answer, dict)
        assert (answer["repeated"], answer["position"]) == (True, written[0])
    else:
        assert isinstance(answer, TimeoutError)


async def _write(office: Office, command_id: str | None) -> Fields:
    return await office.client.command(
        "w",
        "visitor",
        "vera",
        "write",
        {"conversation_id": "c1"},
        command_id=command_id,
        timeout_s=10,
    )


async def _append_late(engine: Engine, proxy: PostgresProxy, url: str) -> None:
    """Let the next append arrive when the router has looked for it in vain and dropped its state.

    Meanwhile nobody gets at the table, so that the router's next read waits too.
    """
    proxy.hold_next_request(AN_APPEND)
    sql = await asyncpg.connect(url)
    try:
        await sql.execute("begin; lock table stored_events in access exclusive mode")

        async def given_up() -> bool:
            return "state_dropped" in engine.stderr

        async def append_waits() -> bool:
            waiting: int = await sql.fetchval(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                "and query like '%insert into stored_events%'"
            )
            return waiting > 0

        await until("the router gives the commit up", given_up)
        delivering = asyncio.create_task(proxy.deliver_held())
        await until("the append waits for the table", append_waits)
        await sql.execute("commit")
        await delivering
    finally:
        await sql.close()
