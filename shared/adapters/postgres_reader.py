"""The log in PostgreSQL for those who only read it."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import partial

from shared.adapters.log_rows import read_in_chunks, storable
from shared.adapters.postgres_connection import PostgresReaders
from shared.ports import StoredRow
from shared.routing.ids import Position, Ref, WorkspaceId

_READ = """
select originator_version, topic, state from stored_events
where originator_id = $1 and originator_version > $2 and originator_version <= $3
order by originator_version limit $4
"""
_READ_AT = """
select originator_version, topic, state from stored_events
where originator_id = $1 and originator_version = any($2::bigint[])
order by originator_version
"""
_HEAD = """
select originator_version from stored_events
where originator_id = $1 order by originator_version desc limit 1
"""
_HEADS = """
select workspace, (
    select originator_version from stored_events
    where originator_id = workspace order by originator_version desc limit 1
) from unnest($1::text[]) as asked(workspace)
"""
_WORKSPACES = """select workspace from workspaces order by workspace collate "C" """
_KEY = "select value from service_keys where name = $1"
_VAULT = "select ref, body from vault where ref = any($1::text[])"


class PostgresLogReader:
    """The reading half of ``EventStore``. All methods raise ``StoreUnavailable``."""

    def __init__(self, connections: PostgresReaders) -> None:
        self._connections = connections

    def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        """See ``EventStore.read``. Raises ``LogCorrupt`` at a gap."""
        fetch = partial(self._fetch_rows, storable(workspace_id))
        return read_in_chunks(fetch, workspace_id, after, upto)

    async def read_at(
        self, workspace_id: WorkspaceId, positions: Sequence[Position]
    ) -> Sequence[StoredRow]:
        """See ``EventStore.read_at``."""
        rows = await self._connections.fetch(_READ_AT, storable(workspace_id), list(positions))
        return [StoredRow(*row) for row in rows]

    async def head(self, workspace_id: WorkspaceId) -> Position:
        """Position of the last row, 0 if there is none."""
        rows = await self._connections.fetch(_HEAD, storable(workspace_id))
        return Position(rows[0][0] if rows else 0)

    async def heads(self, workspace_ids: Sequence[WorkspaceId]) -> Mapping[WorkspaceId, Position]:
        """See ``LogReader.heads``."""
        rows = await self._connections.fetch(_HEADS, [storable(each) for each in workspace_ids])
        return {WorkspaceId(workspace_id): Position(head or 0) for workspace_id, head in rows}

    async def workspaces(self) -> Sequence[WorkspaceId]:
        """All registered workspaces, by id in the order of their bytes."""
        return [WorkspaceId(row[0]) for row in await self._connections.fetch(_WORKSPACES)]

    async def vault_bodies(self, refs: Iterable[Ref]) -> Mapping[Ref, bytes]:
        """The vault's texts that still exist."""
        rows = await self._connections.fetch(_VAULT, [storable(ref) for ref in refs])
        return {Ref(row["ref"]): row["body"] for row in rows}

    async def service_key(self, name: str) -> bytes | None:
        """What ``Vault.key`` has made under this name, if it has."""
        rows = await self._connections.fetch(_KEY, name)
        return rows[0][0] if rows else None

    async def close(self) -> None:
        """Disconnect."""
        await self._connections.close()

    async def _fetch_rows(
        self, workspace_id: str, after: Position, upto: Position, limit: int
    ) -> Sequence[StoredRow]:
        rows = await self._connections.fetch(_READ, workspace_id, after, upto, limit)
        return [StoredRow(*row) for row in rows]
