"""Personal texts in SQLite. They are written by ``SqliteEventStore.append`` alone."""

from collections.abc import Iterable, Mapping
from functools import partial

from shared.adapters.log_rows import storable
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.adapters.sqlite_writer import SqliteWriter, changed_rows
from shared.routing.ids import Ref, WorkspaceId


class SqliteVault:
    """``Vault`` on SQLite."""

    def __init__(self, writer: SqliteWriter, reader: SqliteLogReader) -> None:
        self._writer = writer
        self._reader = reader

    async def read(self, refs: Iterable[Ref]) -> Mapping[Ref, bytes]:
        """The bodies that still exist; an erased one is absent."""
        return await self._reader.vault_bodies(refs)

    async def erase(self, workspace_id: WorkspaceId, subject: str) -> int:
        """Delete everything kept about the subject; the result is the number of texts.

        The bytes are overwritten. The write-ahead log holds them until it is folded in, which is
        tried at once.
        """
        whose = (storable(workspace_id), storable(subject))
        return await self._writer.run(partial(self._erase, whose))

    def _erase(self, whose: tuple[str, str]) -> int:
        datastore = self._writer.recorder.datastore
        with datastore.transaction(commit=True) as cursor:
            cursor.execute("delete from vault where workspace = ? and subject = ?", whose)
            erased = changed_rows(cursor)
        with datastore.get_connection(commit=True) as connection:
            connection.cursor().execute("pragma wal_checkpoint(truncate)")
        return erased
