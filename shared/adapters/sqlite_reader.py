"""The log in SQLite as other processes read it, and ours too: read-only, chunk by chunk.

Every chunk is a transaction of its own. A reader that kept one open would keep the writer from
ever shortening its write-ahead log.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

from eventsourcing.persistence import DatabaseError, InterfaceError, OperationalError

from shared.adapters.log_rows import read_in_chunks, storable
from shared.ports import LogCorrupt, StoredRow, StoreError, StoreUnavailable
from shared.routing.ids import Position, Ref, WorkspaceId

DATABASE_FILE = "log.sqlite3"

_READ = """
select originator_version, topic, state from stored_events
where originator_id = ? and originator_version > ? and originator_version <= ?
order by originator_version limit ?
"""
_READ_AT = """
select originator_version, topic, state from stored_events
where originator_id = ? and originator_version in (select value from json_each(?))
order by originator_version
"""
_HEAD = "select max(originator_version) from stored_events where originator_id = ?"
_HEADS = """
select value, (select max(originator_version) from stored_events where originator_id = value)
from json_each(?)
"""
# Text compares by its UTF-8 bytes unless told otherwise.
_WORKSPACES = "select workspace from workspaces order by workspace"
_VAULT = "select body from vault where ref = ?"
_KEY = "select value from service_keys where name = ?"
_HAS_TABLE = "select 1 from sqlite_master where type = 'table' and name = ?"

_Answer = TypeVar("_Answer")


class SqliteLogReader:
    """The reading half of ``EventStore``, with one connection in a thread of its own.

    All methods raise ``StoreUnavailable`` if the file cannot be read, and ``LogCorrupt`` if it is
    no database or a damaged one.
    """

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread

    @classmethod
    async def open(cls, directory: Path) -> Self:
        """Open the log in a data directory. Raises ``StoreUnavailable`` if there is none."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-reader")
        loop = asyncio.get_running_loop()
        try:
            with sqlite_errors_as_ours():
                connection = await loop.run_in_executor(thread, _connect, directory / DATABASE_FILE)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(connection, thread)

    def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        """See ``EventStore.read``. Raises ``LogCorrupt`` at a gap, too."""
        fetch = partial(self._fetch_rows, storable(workspace_id))
        return read_in_chunks(fetch, workspace_id, after, upto)

    async def read_at(
        self, workspace_id: WorkspaceId, positions: Sequence[Position]
    ) -> Sequence[StoredRow]:
        """See ``EventStore.read_at``."""
        wanted = json.dumps(list(positions))
        rows = await self._select(_READ_AT, storable(workspace_id), wanted)
        return [StoredRow(*row) for row in rows]

    async def head(self, workspace_id: WorkspaceId) -> Position:
        """Position of the last row, 0 if there is none."""
        rows = await self._select(_HEAD, storable(workspace_id))
        return Position(rows[0][0] or 0)

    async def heads(self, workspace_ids: Sequence[WorkspaceId]) -> Mapping[WorkspaceId, Position]:
        """See ``LogReader.heads``."""
        asked = json.dumps([storable(each) for each in workspace_ids])
        rows = await self._select(_HEADS, asked)
        return {WorkspaceId(workspace_id): Position(head or 0) for workspace_id, head in rows}

    async def workspaces(self) -> Sequence[WorkspaceId]:
        """All registered workspaces, by id in the order of their bytes."""
        return [WorkspaceId(row[0]) for row in await self._select(_WORKSPACES)]

    async def vault_bodies(self, refs: Iterable[Ref]) -> Mapping[Ref, bytes]:
        """The vault's texts that still exist."""
        asked = [storable(ref) for ref in refs]
        return await self._in_thread(lambda: dict(self._bodies(asked)))

    async def service_key(self, name: str) -> bytes | None:
        """What ``Vault.key`` has made under this name, if it has."""
        rows = await self.rows_of("service_keys", _KEY, name)
        return rows[0][0] if rows else None

    async def rows_of(self, table: str, sql: str, *arguments: object) -> list[Any]:
        """What a query finds in a table; nothing where a file is older than the table."""
        if not await self._select(_HAS_TABLE, table):
            return []
        return await self._select(sql, *arguments)

    async def close(self) -> None:
        """Close the file."""
        await self._in_thread(self._connection.close)
        self._thread.shutdown()

    async def _fetch_rows(
        self, workspace_id: str, after: Position, upto: Position, limit: int
    ) -> Sequence[StoredRow]:
        rows = await self._select(_READ, workspace_id, after, upto, limit)
        return [StoredRow(*row) for row in rows]

    def _bodies(self, refs: Iterable[str]) -> Iterable[tuple[Ref, bytes]]:
        for ref in refs:
            for (body,) in self._connection.execute(_VAULT, (ref,)):
                yield Ref(ref), body

    async def _select(self, sql: str, *arguments: object) -> list[Any]:
        return await self._in_thread(lambda: self._connection.execute(sql, arguments).fetchall())

    async def _in_thread(self, work: Callable[[], _Answer]) -> _Answer:
        with sqlite_errors_as_ours():
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@contextmanager
def sqlite_errors_as_ours() -> Iterator[None]:
    """Raise ``StoreUnavailable`` for what may pass, ``LogCorrupt`` for a file that is damaged."""
    try:
        yield
    except (sqlite3.OperationalError, OperationalError, InterfaceError) as error:
        raise StoreUnavailable(f"SQLite: {error}") from error
    except (sqlite3.DatabaseError, DatabaseError) as error:
        # The plain class is for damaged files; its subclasses are for wrong use.
        damaged = type(error) in {sqlite3.DatabaseError, DatabaseError}
        raise (LogCorrupt if damaged else StoreError)(f"SQLite: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise StoreUnavailable(f"there is no log at {path}")
    try:
        return _opened(path, "mode=ro")
    except sqlite3.OperationalError:
        # Reading beside a writer takes two files next to the log. Where they cannot be made (a
        # read-only disk) and are not there, nobody is writing, and SQLite may do without.
        if path.with_name(f"{path.name}-wal").exists():
            raise
        return _opened(path, "mode=ro&immutable=1")


def _opened(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{options}",
        uri=True,
        isolation_level=None,  # a select ends with its last row, and its transaction with it
        check_same_thread=False,
    )
    try:
        connection.execute("select count(*) from sqlite_master").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
