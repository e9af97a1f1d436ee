"""``/livez`` and ``/readyz`` of real processes, whose servers go away and come back."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg

from services.cli.serving import UNFINISHED
from shared.adapters.open_store import open_store
from tests.integration.operation.conftest import Start
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.health import Readiness, page, readiness
from tests.servers.nats import NatsServer
from tests.servers.postgres import postgres_server
from tests.servers.waiting import until

ALL_WELL = {
    "ready": True,
    "process": "ok",
    "store": "ok",
    "schema": "ok",
    "broker": "ok",
}
WITH_STORE = "notifier"
"""Any service will do that has a store and a broker."""


async def _migrated(url: str) -> str:
    await (await open_store(url, migrate=True)).close()
    return url


async def _becomes(url: str, status: int) -> Readiness:
    async def look() -> Readiness | None:
        found = await readiness(url)
        return found if found.status == status else None

    found = await until(f"/readyz of {url} says {status}", look)
    assert found is not None
    return found


async def test_whoever_loses_its_store_or_its_broker_says_so_until_it_is_back(
    start: Start, nats: NatsServer
) -> None:
    with postgres_server() as postgres:
        router, url = start("router", await _migrated(postgres.url))
        router.says("ready")
        assert await readiness(url) == (200, {**ALL_WELL, "router": "ok"})
        postgres.stop()
        told = (await _becomes(url, 503)).told
        assert "PostgreSQL" in told["store"]
        assert told["broker"] == "ok"
        assert await page(url, "livez") == "alive\n"
        postgres.start()
        assert (await _becomes(url, 200)).told == {**ALL_WELL, "router": "ok"}
        nats.kill()
        told = (await _becomes(url, 503)).told
        assert told["store"] == "ok"
        assert told["broker"] == "the connection is lost"
        nats.start()
        await _becomes(url, 200)


async def test_whoever_is_told_to_end_is_ready_no_more_before_it_has_ended(
    start: Start, nats: NatsServer, postgres_url: str
) -> None:
    router, url = start("router", await _migrated(postgres_url))
    router.says("ready")
    assert (await readiness(url)).status == 200
    nats.pause()  # so that it cannot have drained before it is asked
    os.kill(router.pid, signal.SIGTERM)

    async def drains() -> bool:
        found = await readiness(url)
        return found.status == 503 and found.told["process"] == "draining"

    await until("the router drains", drains)
    nats.resume()
    assert router.wait() == 0


async def test_a_broker_that_does_not_answer_keeps_nobody_from_ending(
    start: Start, nats: NatsServer, postgres_url: str
) -> None:
    router, _ = start("router", await _migrated(postgres_url))
    router.says("ready")
    nats.pause()
    os.kill(router.pid, signal.SIGTERM)
    assert await asyncio.to_thread(router.wait) == UNFINISHED
    assert "drain_abandoned" in router.stderr


async def test_a_store_that_is_away_is_no_failure_of_whoever_is_told_to_end(start: Start) -> None:
    with postgres_server() as postgres:
        router, url = start("router", await _migrated(postgres.url))
        router.says("ready")
        postgres.stop()
        await _becomes(url, 503)
        assert await asyncio.to_thread(router.stop) == 0
    assert "leases_not_given_back" in router.stderr


async def test_a_schema_that_lacks_something_is_named_and_one_that_is_ahead_is_well(
    start: Start, postgres_url: str
) -> None:
    notifier, url = start(WITH_STORE, await _migrated(postgres_url))
    notifier.says("ready")
    assert await readiness(url) == (200, ALL_WELL)
    sql = await asyncpg.connect(postgres_url)
    try:
        last = await sql.fetchval("select max(number) from schema_migrations")
        await sql.execute(
            "insert into schema_migrations (number, name, checksum) values ($1, 'later', '')",
            last + 1,
        )
        assert (await readiness(url)).status == 200
        await sql.execute("delete from schema_migrations where number = $1", last)
        found = await readiness(url)
        assert found.status == 503
        assert found.told["schema"].startswith(f"the database lacks migration {last:04}_")
        assert found.told["store"] == "ok"
    finally:
        await sql.close()


async def test_whoever_stands_by_to_take_over_is_ready(start: Start, postgres_url: str) -> None:
    store_url = await _migrated(postgres_url)
    first, _ = start(WITH_STORE, store_url)
    first.says("ready")
    _, url = start(WITH_STORE, store_url)
    assert (await _becomes(url, 200)).told == ALL_WELL
    first.stop()


async def test_a_router_that_waits_for_its_share_is_not_ready(
    start: Start, postgres_url: str
) -> None:
    store_url = await _migrated(postgres_url)
    sql = await asyncpg.connect(store_url)
    try:
        await sql.execute(
            "insert into leases (partition, owner, epoch, expires_at)"
            " select number, 'somebody else', 1, 'infinity' from generate_series(0, 63) as number"
        )
        router, url = start("router", store_url)

        async def connected() -> Readiness | None:
            found = await readiness(url)
            return found if found.told["process"] == "ok" else None

        found = await until("the router has what it works with", connected)
        assert found is not None
        assert found.status == 503
        assert found.told["router"] == "does not serve"
        await sql.execute("delete from leases where owner = 'somebody else'")
        router.says("ready")
        assert (await readiness(url)).status == 200
    finally:
        await sql.close()


async def test_a_log_in_a_directory_is_looked_at_as_well(start: Start, tmp_path: Path) -> None:
    directory = tmp_path / "data"
    router, url = start("router", f"sqlite:///{directory}")
    router.says("ready")
    assert await readiness(url) == (200, {**ALL_WELL, "router": "ok"})
    for file in directory.glob("log.sqlite3*"):
        file.unlink()
    found = await readiness(url)
    assert found.status == 503
    assert found.told["store"] != "ok"


async def test_who_needs_no_store_is_not_asked_for_one(start: Start) -> None:
    console, url = start("console", "")
    console.says("ready")
    assert await readiness(url) == (
        200,
        {"ready": True, "process": "ok", "broker": "ok", "console": "ok"},
    )


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            fernamt("run", "console", "--nats", "nats://127.0.0.1:1", "--health-port", str(port)),
            cwd=ROOT,
            env=surroundings(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert f"health cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert "FERNAMT_HEALTH_PORT names another port" in done.stderr


def test_whoever_is_not_asked_loads_nothing_for_it() -> None:
    program = (
        "import sys, services.cli.run, services.router.service;"
        "print(sorted({'starlette', 'uvicorn', 'prometheus_client'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
