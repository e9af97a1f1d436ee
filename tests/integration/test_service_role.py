"""The role of the services in PostgreSQL: it is enough for all of them, and for nothing else.

That it is enough for every statement of the adapters is shown by ``tests/contract``, which is run
under it.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from services.cli.running import SERVICES, Running
from shared.adapters.clocks import SystemClock
from shared.adapters.migrations import migrate_postgres
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import open_store
from shared.adapters.postgres_grants import GRANTS
from shared.routing.events import SubjectErased
from shared.routing.ids import WorkspaceId
from shared.runtime.world import World
from tests.contract.log_samples import NORTH, append, hold_everything, log_of, rows
from tests.servers.client import Client
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.nats import NatsServer
from tests.servers.office import Office, read_log
from tests.servers.service_role import ROLE, as_services
from tests.servers.waiting import until

ADDED_TO = ("stored_events", "log_seals", "workspaces")
CHANGES = ("update {} set {} = {}", "delete from {}", "truncate {}")
COLUMN = {"stored_events": "topic", "log_seals": "hash", "workspaces": "partition"}
PRIVILEGES = ("select", "insert", "update", "delete", "truncate", "references", "trigger")


@pytest.fixture
async def owner(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser who owns the tables, connected to a database whose schema is up to date."""
    connection = await asyncpg.connect(postgres_url)
    await migrate_postgres(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def role_url(postgres_url: str, owner: asyncpg.Connection) -> str:
    return await as_services(postgres_url)


def migrated(*arguments: str, store: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        fernamt("migrate", *arguments),
        cwd=ROOT,
        env=surroundings({"FERNAMT_STORE_URL": store}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_engine_needs_no_more(role_url: str, nats: NatsServer) -> None:
    async with AsyncExitStack() as stack:
        store = await open_store(role_url)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(NatsSettings(url=nats.url, name="engine"))
        stack.push_async_callback(bus.close)
        world = World(store, bus, SystemClock())
        running = Running({name: make(world) for name, make in SERVICES.items()})
        stack.push_async_callback(running.stop)
        await asyncio.wait_for(running.ready(), 30)
        client = await Client.connect(nats.url)
        stack.push_async_callback(client.close)
        office = Office(client, "acme")
        await office.set_up("ana")
        feed = await office.feed("operator", "ana")
        await office.come_online("ana")
        await office.open("vera", "c1", attributes={"planet": "Mars"})
        await feed.until(lambda _: feed.of("assigned"))
        await office.admin("erase", subject="visitor:vera")

        async def saved() -> bool:
            return WorkspaceId("acme") in await store.progress.load()

        await until("the notifier has saved how far it came", saved)
    log = await read_log(role_url, "acme")
    assert isinstance(log[-1].envelope.data, SubjectErased)


async def test_it_may_do_what_is_listed_and_nothing_else(
    owner: asyncpg.Connection, role_url: str
) -> None:
    tables = [
        row["relname"]
        for row in await owner.fetch(
            "select relname from pg_class where relkind in ('r', 'v', 'm', 'p')"
            " and relnamespace = current_schema()::regnamespace"
        )
    ]
    assert sorted(tables) == sorted(GRANTS)
    for table in tables:
        may = [
            privilege
            for privilege in PRIVILEGES
            if await owner.fetchval(
                "select has_table_privilege($1, $2, $3)", ROLE, table, privilege
            )
        ]
        assert ", ".join(may) == GRANTS[table]
    assert not await owner.fetchval(
        "select has_sequence_privilege($1, 'stored_events_notification_id_seq', 'update')", ROLE
    )


@pytest.mark.parametrize("table", ADDED_TO)
@pytest.mark.parametrize("change", CHANGES)
async def test_nobody_changes_what_is_only_added_to(
    owner: asyncpg.Connection, role_url: str, table: str, change: str
) -> None:
    """The role has no privilege; its owner, a superuser even, meets a trigger."""
    statement = change.format(table, COLUMN[table], COLUMN[table])
    services = await asyncpg.connect(role_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"denied for table {table}"):
        await services.execute(statement)
    await services.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"{table} is only ever added to"):
        await owner.execute(statement)


async def test_what_more_it_was_given_is_taken_back(
    owner: asyncpg.Connection, role_url: str, postgres_url: str
) -> None:
    await owner.execute(f"grant all on all tables in schema public to {ROLE}")
    done = await asyncio.to_thread(migrated, "--service-role", ROLE, store=postgres_url)
    assert (done.returncode, done.stderr) == (0, "")
    services = await asyncpg.connect(role_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="denied"):
        await services.execute("update stored_events set topic = ''")
    await services.close()


async def test_a_role_that_no_grant_holds_back_is_refused(
    owner: asyncpg.Connection, postgres_url: str, tmp_path: Path
) -> None:
    said = {
        "fernamt": "the role fernamt is a superuser, so no grant holds it back",
        "nobody'; --": "there is no role nobody'; --",
    }
    for role, why in said.items():
        done = await asyncio.to_thread(migrated, "--service-role", role, store=postgres_url)
        assert done.returncode == 2
        assert why in done.stderr
    both = ("--service-role", ROLE, "--reader-role", ROLE)
    done = await asyncio.to_thread(migrated, *both, store=postgres_url)
    assert (done.returncode, "these are two roles" in done.stderr) == (2, True)
    log = f"sqlite:///{tmp_path}"
    done = await asyncio.to_thread(migrated, "--service-role", ROLE, store=log)
    assert (done.returncode, "knows no roles" in done.stderr) == (2, True)


async def test_without_the_trigger_the_owner_could(
    owner: asyncpg.Connection, postgres_url: str
) -> None:
    """The ablation: it is the trigger that refuses, and one may take it away in one's own name."""
    store = await open_store(postgres_url)
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 3))], leases)
    await owner.execute("alter table stored_events disable trigger only_added_to")
    await owner.execute("delete from stored_events where originator_version = 3")
    assert await log_of(store, NORTH) == rows(1, 2)
    await store.close()
