"""States kept beside the log, in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence

from shared.adapters.log_rows import storable
from shared.adapters.postgres_connection import PostgresConnection, PostgresReaders
from shared.adapters.snapshot_rows import (
    CHUNK_KEYS,
    CHUNK_ROWS,
    HEADS_AT_ONCE,
    KEYS_AT_ONCE,
    ROWS_AT_ONCE,
    in_slices,
    settled_in_chunks,
)
from shared.ports.archive import KeptCommands, SettledKey, SettledRow, Snapshot, SnapshotHead
from shared.routing.ids import Position, WorkspaceId

_LATEST = """
select position, anchor, body from snapshots
where workspace = $1 and fold = $2 and position <= $3 order by position desc limit 1
"""
_LAST = """
select position from snapshots
where workspace = $1 and fold = $2 and position <= $3 order by position desc limit 1
"""
_COMMANDS = """
select position, body from snapshot_commands
where workspace = $1 and fold = $2 and position = (
    select position from snapshots
    where workspace = $1 and fold = $2 and position in (
        select position from snapshot_commands where workspace = $1 and fold = $2
    )
    order by position desc limit 1
) order by piece
"""
_SETTLED = """
select asked.kind, asked.id, found.position, found.body
from unnest($4::text[], $5::text[]) as asked(kind, id) cross join lateral (
    select position, body from settled
    where workspace = $1 and fold = $2 and settled.kind = asked.kind and settled.id = asked.id
        and position <= $3
    order by position desc limit 1
) as found
"""
_ALL_SETTLED = """
select distinct on (kind, id) kind, id, position, body from settled
where workspace = $1 and fold = $2 and position <= $3 and (kind, id) > ($4, $5)
order by kind, id, position desc limit $6
"""
_SETTLED_KEYS = """
select distinct kind, id from settled
where workspace = $1 and fold = $2 and position <= $3 and (kind, id) > ($4, $5)
order by kind, id limit $6
"""
_ADD_SETTLED = """
insert into settled (workspace, fold, kind, id, position, body)
select $1, $2, * from unnest($3::text[], $4::text[], $5::bigint[], $6::bytea[])
on conflict (workspace, fold, kind, id, position) do update set body = excluded.body
"""
_ADD_COMMANDS = """
insert into snapshot_commands (workspace, fold, position, piece, body) values ($1, $2, $3, $4, $5)
on conflict (workspace, fold, position, piece) do update set body = excluded.body
"""
_DROP_COMMANDS = """
delete from snapshot_commands where workspace = $1 and fold = $2 and position < $3
"""
_ADD_HEAD = """
insert into snapshots (workspace, fold, position, anchor, body) values ($1, $2, $3, $4, $5)
on conflict (workspace, fold, position) do update
set anchor = excluded.anchor, body = excluded.body
"""
_DROP_HEADS = """
delete from snapshots where ctid = any(array(
    select ctid from snapshots where workspace = $1 and fold {compared} $2 limit $3
)) returning 1
"""
_DROP_ALL_COMMANDS = "delete from snapshot_commands where workspace = $1 and fold {compared} $2"
_DROP_SETTLED = """
delete from settled where ctid = any(array(
    select ctid from settled where workspace = $1 and fold {compared} $2 limit $3
)) returning 1
"""


class PostgresSnapshotReader:
    """``SnapshotReader`` on PostgreSQL, over connections that others use as well."""

    def __init__(self, connections: PostgresReaders) -> None:
        self._connections = connections

    async def latest(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> SnapshotHead | None:
        """See ``SnapshotReader.latest``."""
        rows = await self._connections.fetch(_LATEST, storable(workspace_id), fold, upto)
        return SnapshotHead(*rows[0]) if rows else None

    async def last(self, workspace_id: WorkspaceId, fold: str, upto: Position) -> Position | None:
        """See ``SnapshotReader.last``."""
        rows = await self._connections.fetch(_LAST, storable(workspace_id), fold, upto)
        return Position(rows[0][0]) if rows else None

    async def commands(self, workspace_id: WorkspaceId, fold: str) -> KeptCommands | None:
        """See ``SnapshotReader.commands``."""
        rows = await self._connections.fetch(_COMMANDS, storable(workspace_id), fold)
        return KeptCommands(rows[0][0], [row[1] for row in rows]) if rows else None

    async def settled(
        self, workspace_id: WorkspaceId, fold: str, upto: Position, keys: Sequence[SettledKey]
    ) -> Sequence[SettledRow]:
        """See ``SnapshotReader.settled``."""
        found: list[SettledRow] = []
        for some in in_slices(keys, KEYS_AT_ONCE):
            kinds, ids = [kind for kind, _ in some], [storable(its_id) for _, its_id in some]
            rows = await self._connections.fetch(
                _SETTLED, storable(workspace_id), fold, upto, kinds, ids
            )
            found.extend(SettledRow(*row) for row in rows)
        return found

    def all_settled(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> AsyncIterator[Sequence[SettledRow]]:
        """See ``SnapshotReader.all_settled``."""

        async def fetch(after: tuple[str, str], limit: int) -> Sequence[SettledRow]:
            rows = await self._connections.fetch(
                _ALL_SETTLED, storable(workspace_id), fold, upto, *after, limit
            )
            return [SettledRow(*row) for row in rows]

        return settled_in_chunks(fetch, CHUNK_ROWS)

    def settled_keys(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> AsyncIterator[Sequence[SettledKey]]:
        """See ``SnapshotReader.settled_keys``."""

        async def fetch(after: tuple[str, str], limit: int) -> Sequence[SettledKey]:
            rows = await self._connections.fetch(
                _SETTLED_KEYS, storable(workspace_id), fold, upto, *after, limit
            )
            return [(kind, its_id) for kind, its_id in rows]

        return settled_in_chunks(fetch, CHUNK_KEYS)


class PostgresSnapshots(PostgresSnapshotReader):
    """``Snapshots`` on PostgreSQL, with a connection of its own for writing."""

    def __init__(self, connections: PostgresReaders, connection: PostgresConnection) -> None:
        super().__init__(connections)
        self._connection = connection

    async def add(self, workspace_id: WorkspaceId, fold: str, snapshot: Snapshot) -> None:
        """See ``Snapshots.add``."""
        whose = (storable(workspace_id), fold)
        for some in in_slices(snapshot.settled, ROWS_AT_ONCE):
            kinds, ids, positions, bodies = zip(*some, strict=True)
            ids = tuple(map(storable, ids))
            await self._connection.fetch(
                _ADD_SETTLED, *whose, list(kinds), list(ids), list(positions), list(bodies)
            )
        position = snapshot.head.position
        for piece, body in enumerate(snapshot.commands):
            await self._connection.fetch(_ADD_COMMANDS, *whose, position, piece, body)
        await self._connection.fetch(_ADD_HEAD, *whose, *snapshot.head)
        if snapshot.commands:
            await self._connection.fetch(_DROP_COMMANDS, *whose, position)

    async def drop(self, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        """See ``Snapshots.drop``."""
        return await self._drop("=", workspace_id, fold, limit)

    async def drop_others(self, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        """See ``Snapshots.drop_others``."""
        below = await self._drop("<", workspace_id, fold, limit)
        return below + await self._drop(">", workspace_id, fold, limit - below)

    async def close(self) -> None:
        """Disconnect what writes."""
        await self._connection.close()

    async def _drop(self, compared: str, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        whose = (storable(workspace_id), fold)
        heads = _DROP_HEADS.format(compared=compared)
        while await self._connection.fetch(heads, *whose, HEADS_AT_ONCE):
            pass
        await self._connection.fetch(_DROP_ALL_COMMANDS.format(compared=compared), *whose)
        settled = _DROP_SETTLED.format(compared=compared)
        return len(await self._connection.fetch(settled, *whose, limit))
