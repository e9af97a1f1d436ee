"""Seals over the log, in SQLite."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from eventsourcing.persistence import IntegrityError

from shared.adapters.log_rows import storable
from shared.adapters.seal_rows import COLUMNS, seal_of, seals_in_chunks
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.adapters.sqlite_writer import SqliteWriter
from shared.ports.archive import Seal
from shared.routing.ids import Position, WorkspaceId

ADD_SEAL = f"insert into log_seals (workspace, {COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)"
_AT = f"select {COLUMNS} from log_seals where workspace = ? and first = ?"
_AFTER = f"""
select {COLUMNS} from log_seals where workspace = ? and first > ? order by first limit ?
"""
_LAST = f"""
select {COLUMNS} from log_seals where workspace = ? order by first desc limit 1
"""


class SqliteSealReader:
    """``SealReader`` on SQLite, over the connection of a reader of the log.

    A file that an older release wrote, and nobody has migrated, has no seals.
    """

    def __init__(self, reader: SqliteLogReader) -> None:
        self._reader = reader

    def after(self, workspace_id: WorkspaceId, position: Position) -> AsyncIterator[Sequence[Seal]]:
        """See ``SealReader.after``."""

        async def fetch(after: Position, limit: int) -> Sequence[Seal]:
            return await self._select(_AFTER, storable(workspace_id), after, limit)

        return seals_in_chunks(fetch, position)

    async def last(self, workspace_id: WorkspaceId) -> Seal | None:
        """See ``SealReader.last``."""
        seals = await self._select(_LAST, storable(workspace_id))
        return seals[0] if seals else None

    async def _select(self, sql: str, *arguments: object) -> Sequence[Seal]:
        return [seal_of(row) for row in await self._reader.rows_of("log_seals", sql, *arguments)]


class SqliteSeals(SqliteSealReader):
    """``Seals`` on SQLite."""

    def __init__(self, writer: SqliteWriter, reader: SqliteLogReader) -> None:
        super().__init__(reader)
        self._writer = writer

    async def add(self, workspace_id: WorkspaceId, seal: Seal) -> bool:
        """See ``Seals.add``. Raises ``StoreUnavailable``."""
        return await self._writer.run(partial(self._add, storable(workspace_id), seal))

    async def close(self) -> None:
        """Nothing to do: the file is closed with the events."""

    def _add(self, workspace_id: str, seal: Seal) -> bool:
        try:
            with self._writer.recorder.datastore.transaction(commit=True) as cursor:
                cursor.execute(ADD_SEAL, (workspace_id, *seal))
        except IntegrityError:
            with self._writer.recorder.datastore.transaction(commit=False) as cursor:
                cursor.execute(_AT, (workspace_id, seal.first))
                return seal_of(tuple(cursor.fetchone())) == seal
        return True
