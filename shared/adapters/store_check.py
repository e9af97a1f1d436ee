"""Whether a store is there and has the tables of this release, asked on a connection of its own.

What serves has its connections busy, and some of them in a thread: a question of health must
neither wait for those nor get in their way.
"""

from pathlib import Path
from typing import NamedTuple

from shared.adapters.migrations import MigrationError, migrations, outstanding
from shared.adapters.open_store import parse_store_url
from shared.adapters.postgres_connection import PostgresConnection
from shared.adapters.postgres_errors import ConnectionLost
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.ports import StoreError, StoreUnavailable
from shared.routing.ids import WorkspaceId

_APPLIED = "select number, checksum from schema_migrations"
_NOWHERE = WorkspaceId("health")
"""Any workspace will do to see that the log can be read, one that is not there as well."""


class StoreState(NamedTuple):
    """What is wrong with the store and with its tables, in words; nothing where all is well."""

    store: str | None
    schema: str | None


class StoreCheck:
    """Looks at one store whenever it is asked. Raises ``ValueError`` for a bad address."""

    def __init__(self, url: str, name: str) -> None:
        """``name`` is shown by PostgreSQL in its list of sessions."""
        address = parse_store_url(url)
        self._connection: PostgresConnection | None = None
        if address.postgres_url is not None:
            self._connection = PostgresConnection(address.postgres_url, f"{name} health")
        self._directory = address.directory

    async def look(self) -> StoreState:
        """How it is at this moment."""
        try:
            if self._connection is not None:
                return StoreState(None, await _lacking(self._connection))
            assert self._directory is not None
            await _read(self._directory)
        except StoreUnavailable as error:
            return StoreState(str(error), "cannot be looked at")
        except StoreError as error:
            return StoreState(None, str(error))
        return StoreState(None, None)  # whoever opens a directory for writing brings it up to date

    async def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            await self._connection.close()


async def _lacking(connection: PostgresConnection) -> str | None:
    """What the schema lacks. One that is ahead of this release is well: it is how releases change,
    tables first, while what runs goes on."""
    known = migrations("postgres")
    applied = await _applied(connection)
    ours = {number: checksum for number, checksum in applied.items() if number <= known[-1].number}
    try:
        pending = outstanding(known, ours)
    except MigrationError as error:
        return str(error)
    return f"the database lacks migration {pending[0].name}" if pending else None


async def _applied(connection: PostgresConnection) -> dict[int, str]:
    """Asked once more where the connection was lost meanwhile: the server may be back."""
    try:
        rows = await connection.fetch(_APPLIED)
    except ConnectionLost:
        try:
            rows = await connection.fetch(_APPLIED)
        except ConnectionLost as error:
            raise StoreUnavailable(str(error)) from error
    return {row["number"]: row["checksum"] for row in rows}


async def _read(directory: Path) -> None:
    reader = await SqliteLogReader.open(directory)
    try:
        await reader.head(_NOWHERE)
    finally:
        await reader.close()
