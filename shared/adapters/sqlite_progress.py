"""How far the feeds were sent, in SQLite."""

from collections.abc import Mapping, Sequence
from functools import partial

from shared.adapters.log_rows import storable
from shared.adapters.sqlite_writer import SqliteWriter
from shared.routing.ids import Position, WorkspaceId

_LOAD = "select workspace, position from notifier_positions"
_SAVE = """
insert into notifier_positions (workspace, position) values (?, ?)
on conflict (workspace) do update set position = max(position, excluded.position)
"""
_RESET = "update notifier_positions set position = ? where workspace = ?"


class SqliteProgress:
    """``Progress`` on SQLite. All methods raise ``StoreUnavailable``."""

    def __init__(self, writer: SqliteWriter) -> None:
        self._writer = writer

    async def load(self) -> Mapping[WorkspaceId, Position]:
        """See ``Progress.load``."""
        return await self._writer.run(self._load)

    async def save(self, positions: Mapping[WorkspaceId, Position]) -> None:
        """See ``Progress.save``."""
        rows = [(storable(its_id), position) for its_id, position in positions.items()]
        await self._writer.run(partial(self._write, _SAVE, rows))

    async def reset(self, workspace_id: WorkspaceId, position: Position) -> None:
        """See ``Progress.reset``."""
        rows = [(position, storable(workspace_id))]
        await self._writer.run(partial(self._write, _RESET, rows))

    async def close(self) -> None:
        """Nothing to do: the file is closed with the events."""

    def _load(self) -> Mapping[WorkspaceId, Position]:
        with self._writer.recorder.datastore.transaction(commit=False) as cursor:
            cursor.execute(_LOAD)
            return {WorkspaceId(row[0]): Position(row[1]) for row in cursor.fetchall()}

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._writer.recorder.datastore.transaction(commit=True) as cursor:
            cursor.executemany(statement, rows)
