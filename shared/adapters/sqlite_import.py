"""A log from elsewhere, put whole into a data directory: to be looked at there, or gone on with."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteCursor

from shared.adapters.log_rows import storable
from shared.adapters.sqlite_seals import ADD_SEAL
from shared.adapters.sqlite_writer import LogRecorder, SqliteWriter
from shared.ports import StoredRow
from shared.ports.archive import Seal
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.partition import partition_of

_KNOWN = """
select exists (select 1 from workspaces where workspace = ?1)
    or exists (select 1 from stored_events where originator_id = ?1)
    or exists (select 1 from log_seals where workspace = ?1)
"""
_REGISTER = "insert into workspaces (workspace, partition, created_at) values (?, ?, ?)"
# Nobody is told again what was told where the log comes from.
_TOLD = "insert into notifier_positions (workspace, position) values (?, ?)"
# A router that goes on with it is later than those who have written it.
_EPOCH = "update epochs set epoch = max(epoch, ?)"


class Imported(NamedTuple):
    """One workspace's log as it was elsewhere. ``epoch`` is the highest that stands in it."""

    workspace_id: WorkspaceId
    created_at: UnixMs
    head: Position
    epoch: int
    chunks: Iterable[Sequence[StoredRow]]
    seals: Sequence[Seal]


async def import_log(directory: Path, log: Imported) -> None:
    """Write the log in one transaction, into a directory that is made if need be.

    Raises ``ValueError`` if there is such a workspace already, ``DirectoryInUse``,
    ``MigrationError`` and ``StoreUnavailable``.
    """
    storable(log.workspace_id)
    writer = await SqliteWriter.open(directory)
    try:
        known = await writer.run(partial(_write, writer.recorder, log))
    finally:
        await writer.close()
    if known:
        raise ValueError(f"there is a workspace {log.workspace_id} in {directory} already")


def _write(recorder: LogRecorder, log: Imported) -> bool:
    """False if it was written, true if there was such a workspace."""
    with recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute(_KNOWN, (log.workspace_id,))
        if cursor.fetchone()[0]:
            return True
        partition = partition_of(log.workspace_id)
        cursor.execute(_REGISTER, (log.workspace_id, partition, log.created_at))
        cursor.execute(_TOLD, (log.workspace_id, log.head))
        cursor.execute(_EPOCH, (log.epoch,))
        for rows in log.chunks:
            _insert(recorder, cursor, log.workspace_id, rows)
        cursor.executemany(ADD_SEAL, [(log.workspace_id, *seal) for seal in log.seals])
    return False


def _insert(
    recorder: LogRecorder,
    cursor: SQLiteCursor,
    workspace_id: WorkspaceId,
    rows: Sequence[StoredRow],
) -> None:
    events = [StoredEvent(workspace_id, row.position, row.topic, row.state) for row in rows]
    recorder.insert_in(cursor, events)
