"""The SQL files of a database, in order: applied once, remembered with a checksum, never changed.

It only goes forward. A database that a newer release has migrated is refused, not guessed at.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Literal, NamedTuple

import asyncpg

from shared.adapters.postgres_errors import translated
from shared.ports import StoreError

Medium = Literal["postgres", "sqlite"]

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

# Any number will do as long as nobody else locks it: the letters "fernamt" as a 56-bit integer.
_ADVISORY_LOCK = int.from_bytes(b"fernamt", "big")

_CREATE_REGISTER = """
    create table if not exists schema_migrations (
        number integer primary key,
        name text not null,
        checksum text not null,
        applied_at timestamp not null default current_timestamp
    )
"""


class MigrationError(StoreError):
    """The database's schema and this release do not fit together; the message says how."""


class Migration(NamedTuple):
    """One SQL file."""

    number: int
    name: str
    """The file's name, for example ``0001_log.sql``."""
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(medium: Medium) -> Sequence[Migration]:
    """All migrations of this release in order, read from the package ``schemas``."""
    folder = resources.files("schemas") / "sql" / medium
    found = [
        Migration(int(match[1]), file.name, file.read_text("utf-8"))
        for file in folder.iterdir()
        if (match := _FILE_NAME.fullmatch(file.name))
    ]
    return sorted(found)


def outstanding(known: Sequence[Migration], applied: Mapping[int, str]) -> Sequence[Migration]:
    """The migrations still to apply, given the checksums of the applied ones by number.

    Raises ``MigrationError`` if the database is newer than this release, if a file was changed
    after it had been applied, or if one was left out.
    """
    newer = sorted(applied.keys() - {migration.number for migration in known})
    if newer:
        raise MigrationError(
            f"the database has migration {newer[-1]:04}, this release knows none above "
            f"{known[-1].number:04}: run the newer release"
        )
    for migration in known:
        checksum = applied.get(migration.number, migration.checksum)
        if checksum != migration.checksum:
            raise MigrationError(
                f"{migration.name} has changed since it was applied: its checksum was "
                f"{checksum[:12]} and is {migration.checksum[:12]} now"
            )
    pending = [migration for migration in known if migration.number not in applied]
    if pending and applied and pending[0].number < max(applied):
        raise MigrationError(f"{pending[0].name} was left out while later ones were applied")
    return pending


async def migrate_postgres(
    connection: asyncpg.Connection, known: Sequence[Migration] | None = None
) -> Sequence[str]:
    """Apply what is outstanding in one transaction and return the names, in order.

    Several processes may call it at once: an advisory lock lets one do the work. ``known`` is
    this release's own list unless given. Raises ``MigrationError`` or ``StoreUnavailable``.
    """
    try:
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '60s'")
            await connection.execute("select pg_advisory_xact_lock($1)", _ADVISORY_LOCK)
            await connection.execute(_CREATE_REGISTER)
            pending = outstanding(
                migrations("postgres") if known is None else known, await _applied(connection)
            )
            for migration in pending:
                await connection.execute(migration.sql)
                await connection.execute(
                    "insert into schema_migrations (number, name, checksum) values ($1, $2, $3)",
                    migration.number,
                    migration.name,
                    migration.checksum,
                )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        failure = translated(error)
    else:
        return [migration.name for migration in pending]
    raise failure


async def check_postgres(connection: asyncpg.Connection) -> None:
    """Raise ``MigrationError`` unless the schema is exactly the one of this release."""
    registered = await connection.fetchval("select to_regclass('schema_migrations') is not null")
    applied = await _applied(connection) if registered else {}
    pending = outstanding(migrations("postgres"), applied)
    if pending:
        raise MigrationError(f"the database lacks migration {pending[0].name}: apply it first")


async def _applied(connection: asyncpg.Connection) -> dict[int, str]:
    rows = await connection.fetch("select number, checksum from schema_migrations")
    return {row["number"]: row["checksum"] for row in rows}


def migrate_sqlite(
    connection: sqlite3.Connection, known: Sequence[Migration] | None = None
) -> Sequence[str]:
    """Apply what is outstanding in one transaction and return the names, in order.

    ``connection`` must be in autocommit mode (``isolation_level=None``). ``known`` is this
    release's own list unless given. Raises ``MigrationError``.
    """
    connection.execute("begin immediate")
    try:
        connection.execute(_CREATE_REGISTER)
        applied = dict(connection.execute("select number, checksum from schema_migrations"))
        pending = outstanding(migrations("sqlite") if known is None else known, applied)
        for migration in pending:
            for statement in _statements(migration.sql):
                connection.execute(statement)
            connection.execute(
                "insert into schema_migrations (number, name, checksum) values (?, ?, ?)",
                (migration.number, migration.name, migration.checksum),
            )
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return [migration.name for migration in pending]


def _statements(script: str) -> Iterator[str]:
    """Cut a script at those semicolons that end a statement, and not a comment or a text.

    sqlite3's own executescript would commit in between. What follows the last one is a comment.
    """
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
