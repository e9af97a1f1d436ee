"""Personal texts in PostgreSQL. They are written by ``PostgresEventStore.append`` alone."""

from collections.abc import Iterable, Mapping

from shared.adapters.log_rows import storable
from shared.adapters.postgres_connection import PostgresConnection
from shared.adapters.postgres_reader import PostgresLogReader
from shared.routing.ids import Ref, WorkspaceId

_ERASE = "delete from vault where workspace = $1 and subject = $2 returning ref"


class PostgresVault:
    """``Vault`` on PostgreSQL."""

    def __init__(self, control: PostgresConnection, reader: PostgresLogReader) -> None:
        self._control = control
        self._reader = reader

    async def read(self, refs: Iterable[Ref]) -> Mapping[Ref, bytes]:
        """The bodies that still exist; an erased one is absent."""
        return await self._reader.vault_bodies(refs)

    async def erase(self, workspace_id: WorkspaceId, subject: str) -> int:
        """Delete everything kept about the subject, durably; the result is the number of texts.

        May be called again after ``CommitInDoubt``.
        """
        rows = await self._control.fetch(_ERASE, storable(workspace_id), storable(subject))
        return len(rows)
