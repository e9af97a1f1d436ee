"""PostgreSQL going away, saying no, or not answering: what is written then, and what is said."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.adapters import postgres_store
from shared.adapters.migrations import MigrationError
from shared.adapters.open_store import Store, open_store
from shared.adapters.postgres_connection import PostgresConnection, PostgresReaders
from shared.adapters.postgres_grants import GRANTS, grant
from shared.adapters.postgres_leases import PostgresLeases
from shared.adapters.postgres_outbox import PostgresOutbox
from shared.adapters.postgres_progress import PostgresProgress
from shared.adapters.postgres_reader import PostgresLogReader
from shared.adapters.postgres_seals import PostgresSeals
from shared.adapters.postgres_snapshots import PostgresSnapshots
from shared.adapters.postgres_store import PostgresEventStore
from shared.adapters.postgres_vault import PostgresVault
from shared.ports import (
    Append,
    CommitInDoubt,
    Lease,
    LeaseLost,
    StoreError,
    StoreUnavailable,
)
from shared.routing.ids import Ref
from shared.routing.partition import partition_of
from tests.contract.log_samples import (
    NORTH,
    SOUTH,
    WEST,
    append,
    hold_everything,
    log_of,
    rows,
    text,
)
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_proxy import PostgresProxy

DEADLINE_S = 20.0

NOBODY_LOST: frozenset[str] = frozenset()


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    """A store on PostgreSQL; the tests of this file are about nothing else."""
    opened = await open_store(postgres_url, migrate=True)
    yield opened
    await opened.close()


@pytest.fixture
async def rival(postgres_url: str, store: Store) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else on the same database."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


@pytest.fixture
async def proxy(postgres: PostgresServer) -> AsyncIterator[PostgresProxy]:
    """A network that can be told to fail."""
    async with PostgresProxy.before(postgres.port) as between:
        yield between


@pytest.fixture
async def far_store(
    store: Store, postgres: PostgresServer, postgres_url: str, proxy: PostgresProxy
) -> AsyncIterator[Store]:
    """A second store on the same database, whose connections go through the proxy.

    Its writer is connected already, its statement prepared, and its patience short.
    """
    url = postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/")
    readers = await PostgresReaders.open(url, "far readers")
    reader = PostgresLogReader(readers)
    control = PostgresConnection(url, "far control")
    writer = PostgresConnection(url, "far writer", reply_timeout_s=0.5)
    events = PostgresEventStore(writer, control, reader)
    outbox = PostgresOutbox(PostgresConnection(url, "far outbox"))
    progress = PostgresProgress(PostgresConnection(url, "far progress"))
    vault, leases_kept = PostgresVault(control, reader), PostgresLeases(control)
    snapshots = PostgresSnapshots(readers, PostgresConnection(url, "far snapshots"))
    seals = PostgresSeals(readers, PostgresConnection(url, "far seals"))
    far = Store(events, vault, leases_kept, outbox, progress, snapshots, seals)
    leases = await hold_everything(far)
    await events.append([append(NORTH, rows(1, 1))], leases)
    yield far
    await far.close()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again; every asking is a round trip, so this does not spin."""
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():
            pass


async def until_blocking(rival: asyncpg.Connection) -> int:
    """Wait until a session waits for a lock that ``rival`` holds; return its process id."""
    found: list[asyncpg.Record] = []

    async def somebody_waits() -> bool:
        found[:] = await rival.fetch(
            "select pid from pg_locks "
            "where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"
        )
        return bool(found)

    await until(somebody_waits)
    pid: int = found[0]["pid"]
    return pid


async def until_sent(store: Store, what: Append, leases: Mapping[int, int]) -> None:
    """Append again and again, as a caller would, until the store takes it."""

    async def sent() -> bool:
        try:
            assert await store.events.append([what], leases) == NOBODY_LOST
        except StoreError:
            return False
        return True

    await until(sent)


# The reply to a commit is lost


async def test_a_commit_whose_reply_was_lost_is_found(
    far_store: Store, proxy: PostgresProxy
) -> None:
    leases = await hold_everything(far_store)
    batch = [append(NORTH, rows(2, 4), [text("r1")]), append(SOUTH, rows(1, 2))]
    proxy.swallow_next_reply()
    assert await far_store.events.append(batch, leases) == NOBODY_LOST
    assert await log_of(far_store, NORTH) == rows(1, 4)
    assert await far_store.vault.read([Ref("r1")]) == {"r1": text("r1").body}


async def test_a_commit_whose_reply_was_lost_still_names_its_losers(
    far_store: Store, proxy: PostgresProxy
) -> None:
    leases = await hold_everything(far_store)
    batch = [append(NORTH, rows(1, 1, "late")), append(SOUTH, rows(1, 2)), append(WEST, rows(5, 5))]
    proxy.swallow_next_reply()
    assert await far_store.events.append(batch, leases) == {NORTH, WEST}
    assert await log_of(far_store, SOUTH) == rows(1, 2)


async def test_a_request_that_may_still_arrive_is_in_doubt(
    far_store: Store, proxy: PostgresProxy
) -> None:
    leases = await hold_everything(far_store)
    proxy.hold_next_request()
    with pytest.raises(CommitInDoubt):
        await far_store.events.append([append(NORTH, rows(2, 2))], leases)
    assert await log_of(far_store, NORTH) == rows(1, 1)


async def test_a_commit_in_doubt_that_arrives_late_settles_it(
    far_store: Store, proxy: PostgresProxy
) -> None:
    leases = await hold_everything(far_store)
    proxy.hold_next_request()
    with pytest.raises(CommitInDoubt):
        await far_store.events.append([append(NORTH, rows(2, 2, "first"))], leases)
    await proxy.deliver_held()
    assert await far_store.events.append([append(NORTH, rows(2, 2, "second"))], leases) == {NORTH}
    assert await log_of(far_store, NORTH) == [*rows(1, 1), *rows(2, 2, "first")]


async def test_a_commit_in_doubt_that_arrives_too_late_writes_nothing(
    far_store: Store, proxy: PostgresProxy
) -> None:
    leases = await hold_everything(far_store)
    proxy.hold_next_request()
    with pytest.raises(CommitInDoubt):
        await far_store.events.append([append(NORTH, rows(2, 2, "first"))], leases)
    await far_store.events.append([append(NORTH, rows(2, 2, "second"))], leases)
    await proxy.deliver_held()
    assert await log_of(far_store, NORTH) == [*rows(1, 1), *rows(2, 2, "second")]


async def test_a_connection_lost_before_anything_was_sent_is_unavailable(
    far_store: Store, proxy: PostgresProxy
) -> None:
    leases = await hold_everything(far_store)
    await far_store.events.close()
    proxy.hold_next_request()
    with pytest.raises(StoreUnavailable):
        await far_store.events.append([append(NORTH, rows(2, 2))], leases)
    assert await far_store.events.append([append(NORTH, rows(2, 2))], leases) == NOBODY_LOST


async def test_a_connection_that_never_answers_is_given_up(
    far_store: Store, proxy: PostgresProxy
) -> None:
    leases = await hold_everything(far_store)
    proxy.stall_next_request()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(CommitInDoubt, match="did not answer in time"):
            await far_store.events.append([append(NORTH, rows(2, 2))], leases)
    assert await far_store.events.append([append(NORTH, rows(2, 2))], leases) == NOBODY_LOST


async def test_a_cancelled_append_leaves_a_store_that_works(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    async with rival.transaction():
        await rival.execute("lock table stored_events in exclusive mode")
        task = asyncio.create_task(store.events.append([append(NORTH, rows(1, 1))], leases))
        await until_blocking(rival)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    written = await store.events.append([append(SOUTH, rows(1, 1))], leases)
    assert written == NOBODY_LOST


# Somebody else writes at the same moment


async def test_losing_a_race_costs_only_ones_own_workspace(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    batch = [append(SOUTH, rows(1, 2), [text("s")]), append(NORTH, rows(1, 2), [text("n")])]
    async with rival.transaction():
        await rival.execute(_INSERT_FIRST_ROW, NORTH)
        task = asyncio.create_task(store.events.append(batch, leases))
        await until_blocking(rival)
    assert await task == {NORTH}
    assert [row.state for row in await log_of(store, NORTH)] == [b"rival"]
    assert await log_of(store, SOUTH) == rows(1, 2)
    assert (await store.vault.read([Ref("s"), Ref("n")])).keys() == {"s"}


async def test_a_rival_that_gives_up_costs_nothing(store: Store, rival: asyncpg.Connection) -> None:
    leases = await hold_everything(store)
    transaction = rival.transaction()
    await transaction.start()
    await rival.execute(_INSERT_FIRST_ROW, NORTH)
    task = asyncio.create_task(store.events.append([append(NORTH, rows(1, 2))], leases))
    await until_blocking(rival)
    await transaction.rollback()
    assert await task == NOBODY_LOST


async def test_a_lease_taken_over_at_the_last_moment_writes_nothing(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    async with rival.transaction():
        await rival.execute(
            "update leases set owner = 'rival', epoch = epoch + 1 where partition = $1",
            partition_of(NORTH),
        )
        batch = [append(SOUTH, rows(1, 1)), append(NORTH, rows(1, 1))]
        task = asyncio.create_task(store.events.append(batch, leases))
        await until_blocking(rival)
    with pytest.raises(LeaseLost):
        await task
    assert await log_of(store, NORTH) == await log_of(store, SOUTH) == []


async def test_nobody_takes_a_lease_while_its_holder_writes(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    transaction = rival.transaction()
    await transaction.start()
    await rival.execute(_INSERT_FIRST_ROW, NORTH)
    task = asyncio.create_task(store.events.append([append(NORTH, rows(1, 1))], leases))
    await until_blocking(rival)
    with pytest.raises(asyncpg.LockNotAvailableError):
        await rival.execute(_LOCK_LEASE, partition_of(NORTH))
    await transaction.rollback()
    assert await task == NOBODY_LOST


_INSERT_FIRST_ROW = """
insert into stored_events (originator_id, originator_version, topic, state)
values ($1, 1, 'conversation_assigned.v1', 'rival')
"""
_LOCK_LEASE = "select from leases where partition = $1 for update nowait"


# PostgreSQL says no


async def test_a_locked_table_is_waited_for_only_so_long(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    async with rival.transaction():
        await rival.execute("lock table stored_events in exclusive mode")
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                await store.events.append([append(NORTH, rows(1, 1))], leases)
    assert await store.events.append([append(NORTH, rows(1, 1))], leases) == NOBODY_LOST


async def test_a_cancelled_statement_has_written_nothing(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    async with rival.transaction():
        await rival.execute("lock table stored_events in exclusive mode")
        task = asyncio.create_task(store.events.append([append(NORTH, rows(1, 1))], leases))
        pid = await until_blocking(rival)
        await rival.execute("select pg_cancel_backend($1)", pid)
        with pytest.raises(StoreUnavailable):
            await task
    assert await store.events.append([append(NORTH, rows(1, 1))], leases) == NOBODY_LOST


async def test_a_terminated_session_has_written_nothing(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    async with rival.transaction():
        await rival.execute("lock table stored_events in exclusive mode")
        task = asyncio.create_task(store.events.append([append(NORTH, rows(1, 1))], leases))
        pid = await until_blocking(rival)
        await rival.execute("select pg_terminate_backend($1)", pid)
        with pytest.raises(StoreUnavailable, match="nothing was written"):
            await task
    assert await store.events.append([append(NORTH, rows(1, 1))], leases) == NOBODY_LOST


async def test_idle_sessions_that_were_terminated_are_replaced(
    store: Store, rival: asyncpg.Connection
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    assert await store.events.head(NORTH) == 1
    await rival.execute(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    await until_sent(store, append(NORTH, rows(2, 2)), leases)
    assert await log_of(store, NORTH) == rows(1, 2)
    assert await store.leases.renew("router", [Lease(*item) for item in leases.items()])


async def test_a_server_that_is_full_is_unavailable(
    store: Store, rival: asyncpg.Connection, postgres_url: str
) -> None:
    async with services_role(rival, postgres_url) as url:
        guest = await open_store(url)
        try:
            leases = await hold_everything(guest)
            await rival.execute(f"alter role {_ROLE} connection limit 1")
            with pytest.raises(StoreUnavailable, match="too many connections"):
                await guest.events.append([append(NORTH, rows(1, 1))], leases)
            await rival.execute(f"alter role {_ROLE} connection limit -1")
            assert await guest.events.append([append(NORTH, rows(1, 1))], leases) == NOBODY_LOST
        finally:
            await guest.close()


async def test_a_server_that_is_not_there_is_unavailable(postgres: PostgresServer) -> None:
    async with PostgresProxy.before(postgres.port) as gone:
        url = postgres.url.replace(f":{postgres.port}/", f":{gone.port}/")
    with pytest.raises(StoreUnavailable, match="Connect call failed"):
        await open_store(url)


@pytest.mark.parametrize("code", ["53100", "53200", "58030", "40001", "40P01"])
async def test_what_may_pass_is_unavailable_and_wrote_nothing(
    store: Store, rival: asyncpg.Connection, code: str
) -> None:
    leases = await hold_everything(store)
    await rival.execute(_FAILING.format(code=code))
    with pytest.raises(StoreUnavailable, match=code):
        await store.events.append([append(NORTH, rows(1, 1), [text("r1")])], leases)
    await rival.execute("drop trigger failing on stored_events")
    assert await log_of(store, NORTH) == []
    assert await store.vault.read([Ref("r1")]) == {}


async def test_a_standby_is_left_for_the_primary(store: Store, rival: asyncpg.Connection) -> None:
    leases = await hold_everything(store)
    await rival.execute(_FAILING.format(code="25006"))
    with pytest.raises(StoreUnavailable):
        await store.events.append([append(NORTH, rows(1, 1))], leases)
    await rival.execute("drop trigger failing on stored_events")
    assert await store.events.append([append(NORTH, rows(1, 1))], leases) == NOBODY_LOST


async def test_a_database_without_tables_names_the_migrations(postgres_url: str) -> None:
    with pytest.raises(MigrationError, match=r"lacks migration 0001_log\.sql"):
        await open_store(postgres_url)


async def test_an_error_quotes_no_rows(store: Store, rival: asyncpg.Connection) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1), [text(_SECRET)])], leases)
    with pytest.raises(StoreError, match="vault_pkey") as doubled:
        await store.events.append([append(SOUTH, rows(1, 1), [text(_SECRET)])], leases)
    await rival.execute(_FAILING.format(code="53100"))
    with pytest.raises(StoreError, match="53100") as failed:
        await store.events.append([append(SOUTH, rows(1, 1))], leases)
    for error in (doubled.value, failed.value):
        assert _SECRET not in "".join(traceback.format_exception(error))


_SECRET = "4711"
_FAILING = f"""
create or replace function failing() returns trigger language plpgsql as $$
begin
    raise exception 'no' using errcode = '{{code}}', detail = '{_SECRET}', hint = '{_SECRET}';
end $$;
create trigger failing before insert on stored_events execute function failing();
"""


# What the connections are set to


async def test_an_unsafe_default_of_the_server_is_not_taken_over(
    store: Store, rival: asyncpg.Connection, postgres_url: str
) -> None:
    database = await rival.fetchval("select current_database()")
    for setting in ("synchronous_commit = off", "default_transaction_isolation = serializable"):
        await rival.execute(f"alter database {database} set {setting}")
    writer = PostgresConnection(postgres_url, "writer")
    durability = await writer.fetch("show synchronous_commit")
    isolation = await writer.fetch("show transaction_isolation")
    await writer.close()
    assert [durability[0][0], isolation[0][0]] == ["on", "read committed"]


async def test_appending_never_scans_the_log(store: Store, postgres_url: str) -> None:
    writer = PostgresConnection(postgres_url, "writer")
    arguments = postgres_store._arguments([append(NORTH, rows(2, 2))], {0: 1})
    plan = await writer.fetch(f"explain {postgres_store._APPEND}", *arguments)
    await writer.close()
    assert [line for (line,) in plan if "stored_events_pkey" in line]
    assert not [line for (line,) in plan if "Seq Scan on stored_events" in line]


async def test_readers_cannot_write(store: Store, postgres_url: str) -> None:
    readers = await PostgresReaders.open(postgres_url, "readers")
    with pytest.raises(StoreUnavailable, match="read-only"):
        await readers.fetch("delete from stored_events")
    await readers.close()


_ROLE = "fernamt_guest"


@asynccontextmanager
async def services_role(rival: asyncpg.Connection, url: str) -> AsyncIterator[str]:
    """A role with the rights the services need and no others; yields its address."""
    await rival.execute(f"create role {_ROLE} login")
    try:
        await grant(url, _ROLE, GRANTS)
        yield url.replace("//fernamt@", f"//{_ROLE}@")
    finally:
        await rival.execute(f"drop owned by {_ROLE}; drop role {_ROLE}")
