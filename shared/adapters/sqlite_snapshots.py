"""States kept beside the log, in SQLite. They are read over the connection that reads the log."""

import json
from collections.abc import AsyncIterator, Sequence
from functools import partial

from shared.adapters.log_rows import storable
from shared.adapters.snapshot_rows import (
    CHUNK_KEYS,
    CHUNK_ROWS,
    HEADS_AT_ONCE,
    KEYS_AT_ONCE,
    ROWS_AT_ONCE,
    in_slices,
    settled_in_chunks,
)
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.adapters.sqlite_writer import SqliteWriter, changed_rows
from shared.ports.archive import KeptCommands, SettledKey, SettledRow, Snapshot, SnapshotHead
from shared.routing.ids import Position, WorkspaceId

_LATEST = """
select position, anchor, body from snapshots
where workspace = ? and fold = ? and position <= ? order by position desc limit 1
"""
_LAST = """
select position from snapshots
where workspace = ? and fold = ? and position <= ? order by position desc limit 1
"""
_COMMANDS = """
select position, body from snapshot_commands
where workspace = ?1 and fold = ?2 and position = (
    select position from snapshots
    where workspace = ?1 and fold = ?2 and position in (
        select position from snapshot_commands where workspace = ?1 and fold = ?2
    )
    order by position desc limit 1
) order by piece
"""
# The cross join keeps the order in which it is written, and so probes by key. Of the row with the
# greatest position, SQLite gives the other columns too.
_SETTLED = """
select settled.kind, settled.id, max(settled.position), settled.body
from json_each(?4) as asked cross join settled
    on settled.workspace = ?1 and settled.fold = ?2
    and settled.kind = json_extract(asked.value, '$[0]')
    and settled.id = json_extract(asked.value, '$[1]')
    and settled.position <= ?3
group by asked.id
"""
_ALL_SETTLED = """
select kind, id, max(position), body from settled
where workspace = ?1 and fold = ?2 and position <= ?3 and (kind, id) > (?4, ?5)
group by kind, id order by kind, id limit ?6
"""
_SETTLED_KEYS = """
select distinct kind, id from settled
where workspace = ?1 and fold = ?2 and position <= ?3 and (kind, id) > (?4, ?5)
order by kind, id limit ?6
"""
_ADD_SETTLED = """
insert or replace into settled (workspace, fold, kind, id, position, body)
values (?, ?, ?, ?, ?, ?)
"""
_ADD_COMMANDS = """
insert or replace into snapshot_commands (workspace, fold, position, piece, body)
values (?, ?, ?, ?, ?)
"""
_DROP_COMMANDS = """
delete from snapshot_commands where workspace = ? and fold = ? and position < ?
"""
_ADD_HEAD = """
insert or replace into snapshots (workspace, fold, position, anchor, body) values (?, ?, ?, ?, ?)
"""
_DROP_HEADS = """
delete from snapshots where rowid in (
    select rowid from snapshots where workspace = ? and fold {compared} ? limit ?
)
"""
_DROP_ALL_COMMANDS = "delete from snapshot_commands where workspace = ? and fold {compared} ?"
_DROP_SETTLED = """
delete from settled where rowid in (
    select rowid from settled where workspace = ? and fold {compared} ? limit ?
)
"""


class SqliteSnapshotReader:
    """``SnapshotReader`` on SQLite. A file that nobody has migrated holds no snapshots."""

    def __init__(self, reader: SqliteLogReader) -> None:
        self._reader = reader

    async def latest(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> SnapshotHead | None:
        """See ``SnapshotReader.latest``."""
        whose = (storable(workspace_id), fold)
        rows = await self._reader.rows_of("snapshots", _LATEST, *whose, upto)
        return SnapshotHead(*rows[0]) if rows else None

    async def last(self, workspace_id: WorkspaceId, fold: str, upto: Position) -> Position | None:
        """See ``SnapshotReader.last``."""
        whose = (storable(workspace_id), fold)
        rows = await self._reader.rows_of("snapshots", _LAST, *whose, upto)
        return Position(rows[0][0]) if rows else None

    async def commands(self, workspace_id: WorkspaceId, fold: str) -> KeptCommands | None:
        """See ``SnapshotReader.commands``."""
        whose = (storable(workspace_id), fold)
        rows = await self._reader.rows_of("snapshot_commands", _COMMANDS, *whose)
        return KeptCommands(rows[0][0], [row[1] for row in rows]) if rows else None

    async def settled(
        self, workspace_id: WorkspaceId, fold: str, upto: Position, keys: Sequence[SettledKey]
    ) -> Sequence[SettledRow]:
        """See ``SnapshotReader.settled``."""
        whose = (storable(workspace_id), fold)
        found: list[SettledRow] = []
        for some in in_slices(keys, KEYS_AT_ONCE):
            asked = json.dumps([(kind, storable(its_id)) for kind, its_id in some])
            rows = await self._reader.rows_of("settled", _SETTLED, *whose, upto, asked)
            found.extend(SettledRow(*row) for row in rows)
        return found

    def all_settled(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> AsyncIterator[Sequence[SettledRow]]:
        """See ``SnapshotReader.all_settled``."""
        whose = (storable(workspace_id), fold)

        async def fetch(after: tuple[str, str], limit: int) -> Sequence[SettledRow]:
            arguments = (*whose, upto, *after, limit)
            rows = await self._reader.rows_of("settled", _ALL_SETTLED, *arguments)
            return [SettledRow(*row) for row in rows]

        return settled_in_chunks(fetch, CHUNK_ROWS)

    def settled_keys(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> AsyncIterator[Sequence[SettledKey]]:
        """See ``SnapshotReader.settled_keys``."""
        whose = (storable(workspace_id), fold)

        async def fetch(after: tuple[str, str], limit: int) -> Sequence[SettledKey]:
            arguments = (*whose, upto, *after, limit)
            rows = await self._reader.rows_of("settled", _SETTLED_KEYS, *arguments)
            return [(kind, its_id) for kind, its_id in rows]

        return settled_in_chunks(fetch, CHUNK_KEYS)


class SqliteSnapshots(SqliteSnapshotReader):
    """``Snapshots`` on SQLite. One is written in many transactions: others wait to write, too."""

    def __init__(self, writer: SqliteWriter, reader: SqliteLogReader) -> None:
        super().__init__(reader)
        self._writer = writer

    async def add(self, workspace_id: WorkspaceId, fold: str, snapshot: Snapshot) -> None:
        """See ``Snapshots.add``."""
        whose = (storable(workspace_id), fold)
        for some in in_slices(snapshot.settled, ROWS_AT_ONCE):
            rows = [(*whose, kind, storable(its_id), *rest) for kind, its_id, *rest in some]
            await self._writer.run(partial(self._write, (_ADD_SETTLED, rows)))
        position = snapshot.head.position
        for piece, body in enumerate(snapshot.commands):
            row = (*whose, position, piece, body)
            await self._writer.run(partial(self._write, (_ADD_COMMANDS, [row])))
        older = [(*whose, position)] if snapshot.commands else []
        last = ((_ADD_HEAD, [(*whose, *snapshot.head)]), (_DROP_COMMANDS, older))
        await self._writer.run(partial(self._write, *last))

    async def drop(self, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        """See ``Snapshots.drop``."""
        return await self._drop("=", workspace_id, fold, limit)

    async def drop_others(self, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        """See ``Snapshots.drop_others``."""
        below = await self._drop("<", workspace_id, fold, limit)
        return below + await self._drop(">", workspace_id, fold, limit - below)

    async def close(self) -> None:
        """Nothing to do: the file is closed with the events."""

    def _write(self, *statements: tuple[str, Sequence[Sequence[object]]]) -> None:
        with self._writer.recorder.datastore.transaction(commit=True) as cursor:
            for sql, rows in statements:
                cursor.executemany(sql, rows)

    async def _drop(self, compared: str, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        whose = (storable(workspace_id), fold)
        heads = _DROP_HEADS.format(compared=compared)
        while await self._writer.run(partial(self._delete, heads, (*whose, HEADS_AT_ONCE))):
            pass
        commands = _DROP_ALL_COMMANDS.format(compared=compared)
        await self._writer.run(partial(self._delete, commands, whose))
        settled = _DROP_SETTLED.format(compared=compared)
        return await self._writer.run(partial(self._delete, settled, (*whose, limit)))

    def _delete(self, statement: str, arguments: tuple[object, ...]) -> int:
        with self._writer.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, arguments)
            return changed_rows(cursor)
