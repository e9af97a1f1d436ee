"""The one place that writes to a SQLite log: a locked directory, one connection, one thread.

The events go through the ``eventsourcing`` library's own recorder, so that the file is one its
applications understand; what we add to a transaction is done in the same place.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from eventsourcing.persistence import PersistenceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)

from shared.adapters.directory_lock import DirectoryLock
from shared.adapters.log_rows import storable, texts_to_keep
from shared.adapters.migrations import migrate_sqlite
from shared.adapters.sqlite_reader import DATABASE_FILE, sqlite_errors_as_ours
from shared.ports import Append, Erasure, StoreError, StoreUnavailable

LOCK_TIMEOUT_S = 2
"""How long to wait for another program that writes to the file beside us."""

_PRAGMAS = (
    "synchronous = FULL",  # NORMAL loses the last commits when the power fails
    "secure_delete = ON",  # what is erased from the vault is overwritten, not just unlinked
    "journal_size_limit = 16777216",  # bytes of write-ahead log kept after a burst
)

# After the insert: the row before the first is there, and nothing stands behind the last.
_JOINS_ON = """
select (? = 1 or exists (
    select 1 from stored_events where originator_id = ? and originator_version = ?
)) and ? = (
    select originator_version from stored_events where originator_id = ?
    order by originator_version desc limit 1
)
"""

# What is left of texts that are erased: as JSON [[subject, upto], ...], and whose. A cross join is
# taken in the order in which it is written: the other way round it walks over the whole vault.
_LEFT = """
from json_each(?) as gone cross join vault on vault.workspace = ?
    and vault.subject = json_extract(gone.value, '$[0]')
    and vault.position <= json_extract(gone.value, '$[1]')
"""
_FIND = f"select exists (select 1 {_LEFT})"
_ERASE = f"delete from vault where ref in (select vault.ref {_LEFT})"

_Answer = TypeVar("_Answer")


class NotAtHead(StoreError):
    """The rows do not join on to the workspace's last row; nothing of the call was written."""


class SqliteWriter:
    """Runs work on the writing connection, one piece after another, in its own thread."""

    def __init__(
        self, lock: DirectoryLock, thread: ThreadPoolExecutor, recorder: "LogRecorder"
    ) -> None:
        self._lock = lock
        self._thread = thread
        self.recorder = recorder

    @classmethod
    async def open(cls, directory: Path) -> Self:
        """Lock the directory, making it if need be, and bring its database up to date.

        Raises ``DirectoryInUse``, ``MigrationError`` or ``StoreUnavailable``.
        """
        lock = _locked(directory)
        thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        try:
            opening = asyncio.get_running_loop().run_in_executor(
                thread, _open_recorder, directory / DATABASE_FILE
            )
            return cls(lock, thread, await opening)
        except BaseException:
            thread.shutdown()
            lock.release()
            raise

    async def run(self, work: Callable[[], _Answer]) -> _Answer:
        """Run ``work`` in the writer's thread. Raises ``StoreUnavailable`` or ``LogCorrupt``."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    async def close(self) -> None:
        """Close the database, then give the directory free."""
        await self.run(self.recorder.datastore.close)
        self._thread.shutdown()
        self._lock.release()

    def _guarded(self, work: Callable[[], _Answer]) -> _Answer:
        with sqlite_errors_as_ours():
            try:
                return work()
            except (PersistenceError, sqlite3.Error):
                # A COMMIT that fails, for example on a full disk, may leave its transaction open.
                with self.recorder.datastore.get_connection(commit=True) as connection:
                    connection.rollback()
                raise


class LogRecorder(SQLiteApplicationRecorder):
    """The library's recorder, which also keeps the vault and refuses rows that leave a gap."""

    def insert_batch(self, batch: Sequence[Append]) -> None:
        """Write the batch in one transaction.

        Raises ``IntegrityError`` of the library for a taken position and ``NotAtHead`` for a gap.
        """
        events = [
            StoredEvent(append.workspace_id, row.position, row.topic, row.state)
            for append in batch
            for row in append.rows
        ]
        self.insert_events(events, batch=batch)
        if any(append.erase for append in batch):
            self._cut_wal()

    def insert_in(self, cursor: SQLiteCursor, events: Sequence[StoredEvent]) -> None:
        """Write events as part of a transaction of the caller's."""
        super()._insert_events(cursor, events)

    def erase(self, workspace_id: str, erasures: Sequence[Erasure]) -> int:
        """Delete what is left of the texts and say how many there were."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(_FIND, (_named(erasures), workspace_id))
            if not cursor.fetchone()[0]:
                return 0
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(_ERASE, (_named(erasures), workspace_id))
            erased = changed_rows(cursor)
        self._cut_wal()
        return erased

    def _cut_wal(self) -> None:
        """Deleted rows are overwritten in the file; the write-ahead log holds them until now.

        While somebody reads an older state it cannot be cut, and the next time does it.
        """
        with self.datastore.get_connection(commit=True) as connection:
            connection.cursor().execute("pragma wal_checkpoint(truncate)")

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        batch: Sequence[Append] = kwargs.pop("batch", ())
        # The insert comes first: a transaction that began by reading cannot be made to wait for
        # another process that writes, it just fails.
        inserted = super()._insert_events(c, stored_events, **kwargs)
        for append in batch:
            whose, first, last = (
                append.workspace_id,
                append.rows[0].position,
                append.rows[-1].position,
            )
            c.execute(_JOINS_ON, (first, whose, first - 1, last, whose))
            if not c.fetchone()[0]:
                raise NotAtHead(f"the rows leave a gap in workspace {append.workspace_id}")
            self._insert_texts(c, append)
        return inserted

    def _insert_texts(self, c: SQLiteCursor, append: Append) -> None:
        texts = [
            (text.ref, append.workspace_id, text.subject, text.body, text.position)
            for text in texts_to_keep(append)
        ]
        try:
            c.executemany(
                "insert into vault (ref, workspace, subject, body, position) "
                "values (?, ?, ?, ?, ?)",
                texts,
            )
        except sqlite3.IntegrityError as error:
            raise StoreError(f"the vault has a text of this reference already: {error}") from error
        if append.erase:
            c.execute(_ERASE, (_named(append.erase), append.workspace_id))


def _named(erasures: Sequence[Erasure]) -> str:
    return json.dumps([(storable(erasure.subject), erasure.upto) for erasure in erasures])


def changed_rows(cursor: SQLiteCursor) -> int:
    """Rows written or deleted by the last statement. (RETURNING is younger than Debian 11.)"""
    cursor.execute("select changes()")
    rows: int = cursor.fetchone()[0]
    return rows


class _DurablePool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        for pragma in _PRAGMAS:
            connection.cursor().execute(f"pragma {pragma}")
        return connection


class _DurableDatastore(SQLiteDatastore):
    def __init__(self, path: Path) -> None:
        super().__init__(str(path), originator_id_type="text")
        self.pool = _DurablePool(
            db_name=str(path), lock_timeout=LOCK_TIMEOUT_S, pool_size=1, max_overflow=0
        )


def _locked(directory: Path) -> DirectoryLock:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return DirectoryLock.take(directory)
    except OSError as error:
        raise StoreUnavailable(f"cannot use the directory {directory}: {error}") from error


def _open_recorder(path: Path) -> LogRecorder:
    with sqlite_errors_as_ours():
        connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)
        try:
            migrate_sqlite(connection)
        finally:
            connection.close()
        recorder = LogRecorder(_DurableDatastore(path))
        recorder.max_notification_id()  # connects, and so switches to a write-ahead log
        return recorder
