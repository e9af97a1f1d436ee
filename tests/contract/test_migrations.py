"""Bringing a database up to date: once, in order, and never over somebody else's schema."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.adapters.migrations import (
    Medium,
    Migration,
    MigrationError,
    check_postgres,
    migrate_postgres,
    migrate_sqlite,
    migrations,
)
from shared.ports import StoreError

FIRST = Migration(1, "0001_first.sql", "create table first (a integer);")
SECOND = Migration(2, "0002_second.sql", "create table second (a integer); -- and; more\n")
THIRD = Migration(3, "0003_third.sql", "create table third (a text default 'a;b');-- end")
BROKEN = Migration(3, "0003_broken.sql", "create table third (a integer); select nonsense;")

Apply = Callable[[Sequence[Migration] | None], Awaitable[Sequence[str]]]


class Database:
    """One empty database, of either kind, behind the three things these tests do with it."""

    def __init__(self, apply: Apply, run: Callable[[str], Awaitable[list[Any]]]) -> None:
        self.apply = apply
        self.run = run


@pytest.fixture
async def database(store_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    if store_url.startswith("sqlite"):
        embedded = sqlite3.connect(tmp_path / "log.sqlite3", isolation_level=None)

        async def apply_here(known: Sequence[Migration] | None) -> Sequence[str]:
            return migrate_sqlite(embedded, known)

        async def run_here(sql: str) -> list[Any]:
            return embedded.execute(sql).fetchall()

        yield Database(apply_here, run_here)
        embedded.close()
        return
    served = await asyncpg.connect(store_url)

    async def apply_there(known: Sequence[Migration] | None) -> Sequence[str]:
        return await migrate_postgres(served, known)

    yield Database(apply_there, served.fetch)
    await served.close()


async def test_outstanding_migrations_are_applied_in_order(database: Database) -> None:
    assert await database.apply([FIRST]) == ["0001_first.sql"]
    assert await database.apply([FIRST, SECOND, THIRD]) == ["0002_second.sql", "0003_third.sql"]
    assert await database.run("select * from first, second, third") == []


async def test_applying_twice_does_nothing_the_second_time(database: Database) -> None:
    assert await database.apply(None)
    assert await database.apply(None) == []


async def test_a_changed_file_is_refused(database: Database) -> None:
    await database.apply([FIRST, SECOND])
    edited = FIRST._replace(sql=FIRST.sql + " ")
    with pytest.raises(MigrationError, match=r"0001_first\.sql has changed since it was applied"):
        await database.apply([edited, SECOND, THIRD])
    with pytest.raises((asyncpg.UndefinedTableError, sqlite3.OperationalError)):
        await database.run("select * from third")


async def test_a_newer_database_is_refused(database: Database) -> None:
    await database.apply([FIRST, SECOND, THIRD])
    with pytest.raises(MigrationError, match="0003, this release knows none above 0002"):
        await database.apply([FIRST, SECOND])


async def test_a_migration_that_was_left_out_is_refused(database: Database) -> None:
    await database.apply([FIRST, THIRD])
    with pytest.raises(MigrationError, match=r"0002_second\.sql was left out"):
        await database.apply([FIRST, SECOND, THIRD])


async def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    await database.apply([FIRST])
    with pytest.raises((StoreError, sqlite3.OperationalError)):
        await database.apply([FIRST, SECOND, BROKEN])
    assert await database.apply([FIRST, SECOND, THIRD]) == ["0002_second.sql", "0003_third.sql"]


async def test_processes_that_start_together_migrate_once(postgres_url: str) -> None:
    connections = [await asyncpg.connect(postgres_url) for _ in range(4)]
    applied = await asyncio.gather(*map(migrate_postgres, connections))
    for connection in connections:
        await connection.close()
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations("postgres"))]


async def test_a_schema_that_is_behind_names_what_it_lacks(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    with pytest.raises(MigrationError, match=r"lacks migration 0001_log\.sql"):
        await check_postgres(connection)
    known = migrations("postgres")
    await migrate_postgres(connection, known[:-1])
    with pytest.raises(MigrationError, match=known[-1].name):
        await check_postgres(connection)
    await migrate_postgres(connection)
    await check_postgres(connection)
    await connection.close()


@pytest.mark.parametrize("medium", ["postgres", "sqlite"])
def test_the_files_are_numbered_without_gaps(medium: Medium) -> None:
    found = migrations(medium)
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))
    assert found[0].name == "0001_log.sql"
