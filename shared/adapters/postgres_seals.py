"""Seals over the log, in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence

from shared.adapters.log_rows import storable
from shared.adapters.postgres_connection import PostgresConnection, PostgresReaders
from shared.adapters.postgres_errors import KeyTaken
from shared.adapters.seal_rows import COLUMNS, seal_of, seals_in_chunks
from shared.ports.archive import Seal
from shared.routing.ids import Position, WorkspaceId

_ADD = f"insert into log_seals (workspace, {COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)"
_AT = f"select {COLUMNS} from log_seals where workspace = $1 and first = $2"
_AFTER = f"""
select {COLUMNS} from log_seals where workspace = $1 and first > $2 order by first limit $3
"""
_LAST = f"""
select {COLUMNS} from log_seals where workspace = $1 order by first desc limit 1
"""


class PostgresSealReader:
    """``SealReader`` on PostgreSQL, over connections that others use as well."""

    def __init__(self, connections: PostgresReaders) -> None:
        self._connections = connections

    def after(self, workspace_id: WorkspaceId, position: Position) -> AsyncIterator[Sequence[Seal]]:
        """See ``SealReader.after``."""

        async def fetch(after: Position, limit: int) -> Sequence[Seal]:
            rows = await self._connections.fetch(_AFTER, storable(workspace_id), after, limit)
            return [seal_of(tuple(row)) for row in rows]

        return seals_in_chunks(fetch, position)

    async def last(self, workspace_id: WorkspaceId) -> Seal | None:
        """See ``SealReader.last``."""
        rows = await self._connections.fetch(_LAST, storable(workspace_id))
        return seal_of(tuple(rows[0])) if rows else None


class PostgresSeals(PostgresSealReader):
    """``Seals`` on PostgreSQL, with a connection of its own for writing."""

    def __init__(self, connections: PostgresReaders, connection: PostgresConnection) -> None:
        super().__init__(connections)
        self._connection = connection

    async def add(self, workspace_id: WorkspaceId, seal: Seal) -> bool:
        """See ``Seals.add``. Raises ``StoreUnavailable`` or ``CommitInDoubt``."""
        try:
            await self._connection.fetch(_ADD, storable(workspace_id), *seal)
        except KeyTaken:
            rows = await self._connection.fetch(_AT, storable(workspace_id), seal.first)
            return bool(rows) and seal_of(tuple(rows[0])) == seal
        return True

    async def close(self) -> None:
        """Disconnect what writes."""
        await self._connection.close()
