"""The log in a SQLite file, for everything in one process and nothing to install.

A commit here is never in doubt: it is a call in this process that returns or raises, with no
connection in between that could take the answer with it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

from eventsourcing.persistence import IntegrityError, PersistenceError

from shared.adapters.log_rows import check_batch, lease_lost, storable
from shared.adapters.sqlite_leases import SqliteLeases
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.adapters.sqlite_writer import NotAtHead, SqliteWriter, changed_rows
from shared.ports import Append, Clock, CommitInDoubt, StoredRow, StoreError
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.partition import partition_of


class SqliteEventStore:
    """``EventStore`` on SQLite. Reads have a thread and a connection of their own."""

    def __init__(
        self, writer: SqliteWriter, leases: SqliteLeases, reader: SqliteLogReader, clock: Clock
    ) -> None:
        self._writer = writer
        self._leases = leases
        self._reader = reader
        self._clock = clock

    async def append(
        self, batch: Sequence[Append], leases: Mapping[int, int]
    ) -> frozenset[WorkspaceId]:
        """See ``EventStore.append``. Raises ``ValueError`` for a batch no store could hold."""
        needed = check_batch(batch, leases)
        return await self._writer.run(partial(self._append, batch, needed))

    def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        """See ``EventStore.read``. Raises ``LogCorrupt`` at a gap, and ``StoreUnavailable``."""
        return self._reader.read(workspace_id, after, upto)

    async def read_at(
        self, workspace_id: WorkspaceId, positions: Sequence[Position]
    ) -> Sequence[StoredRow]:
        """See ``EventStore.read_at``."""
        return await self._reader.read_at(workspace_id, positions)

    async def head(self, workspace_id: WorkspaceId) -> Position:
        """Position of the last row, 0 if there is none."""
        return await self._reader.head(workspace_id)

    async def heads(self, workspace_ids: Sequence[WorkspaceId]) -> Mapping[WorkspaceId, Position]:
        """The same for many, in one question."""
        return await self._reader.heads(workspace_ids)

    async def register_workspace(self, workspace_id: WorkspaceId, created_at: UnixMs) -> bool:
        """Enter the workspace in the register; false if it stood there already."""
        row = (storable(workspace_id), partition_of(workspace_id), created_at)
        return await self._writer.run(partial(self._register, row))

    async def workspaces(self) -> Sequence[WorkspaceId]:
        """All registered workspaces, by id in the order of their bytes."""
        return await self._reader.workspaces()

    async def clock_ms(self) -> UnixMs:
        """The clock of the process that opened it: the store has none of its own."""
        return self._clock.wall_ms()

    async def close(self) -> None:
        """Close the files and give the directory free."""
        await self._reader.close()
        await self._writer.close()

    def _append(self, batch: Sequence[Append], needed: Mapping[int, int]) -> frozenset[WorkspaceId]:
        if lacking := [p for p, epoch in needed.items() if not self._leases.holds(p, epoch)]:
            raise lease_lost(lacking, needed)
        try:
            self._writer.recorder.insert_batch(batch)
        except (IntegrityError, NotAtHead):
            return self._append_singly(batch)
        return frozenset()

    def _append_singly(self, batch: Sequence[Append]) -> frozenset[WorkspaceId]:
        """Write every workspace by itself, once, so that a taken position costs no other."""
        losing: set[WorkspaceId] = set()
        for sent, append in enumerate(batch):
            try:
                self._writer.recorder.insert_batch([append])
            except (IntegrityError, NotAtHead):
                losing.add(append.workspace_id)
            except (PersistenceError, StoreError) as error:
                if len(losing) == sent:
                    raise
                raise CommitInDoubt(f"part of the batch was written, then: {error}") from error
        return frozenset(losing)

    def _register(self, row: tuple[str, int, int]) -> bool:
        with self._writer.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "insert or ignore into workspaces (workspace, partition, created_at) "
                "values (?, ?, ?)",
                row,
            )
            return changed_rows(cursor) == 1
