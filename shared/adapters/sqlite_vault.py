"""Personal texts in SQLite. They are written by ``SqliteEventStore.append`` alone."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from shared.adapters.log_rows import storable
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.adapters.sqlite_writer import SqliteWriter
from shared.ports import KEY_BYTES, Erasure
from shared.routing.ids import Ref, WorkspaceId

_MAKE_KEY = "insert or ignore into service_keys (name, value) values (?, ?)"
_KEY = "select value from service_keys where name = ?"


class SqliteVault:
    """``Vault`` on SQLite."""

    def __init__(self, writer: SqliteWriter, reader: SqliteLogReader) -> None:
        self._writer = writer
        self._reader = reader

    async def read(self, refs: Iterable[Ref]) -> Mapping[Ref, bytes]:
        """The bodies that still exist; an erased one is absent."""
        return await self._reader.vault_bodies(refs)

    async def erase(self, workspace_id: WorkspaceId, erasures: Sequence[Erasure]) -> int:
        """See ``Vault.erase``. The bytes are overwritten, and the write-ahead log cut."""
        erase = self._writer.recorder.erase
        return await self._writer.run(partial(erase, storable(workspace_id), erasures))

    async def key(self, name: str) -> bytes:
        """See ``Vault.key``."""
        return await self._writer.run(partial(self._make_key, storable(name)))

    def _make_key(self, name: str) -> bytes:
        with self._writer.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute(_MAKE_KEY, (name, secrets.token_bytes(KEY_BYTES)))
            cursor.execute(_KEY, (name,))
            key: bytes = cursor.fetchone()[0]
            return key
