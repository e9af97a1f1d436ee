"""Replaying one workspace from whatever holds its log."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import msgspec

from shared.ports import LogCorrupt, StoredRow
from shared.routing.describe import state_hash
from shared.routing.ids import Position, WorkspaceId
from shared.routing.replay import Divergence, Replay
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event


class LogReader(Protocol):
    """The reading half of a store."""

    def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]: ...

    async def head(self, workspace_id: WorkspaceId) -> Position: ...

    async def workspaces(self) -> Sequence[WorkspaceId]: ...

    async def close(self) -> None: ...


class Reread(msgspec.Struct, frozen=True):
    """What came of replaying one workspace. ``divergence`` is the first one, if any."""

    workspace_id: WorkspaceId
    events: int
    decisions: int
    folded_only: int
    state_hash: str
    divergence: Divergence | None


async def reread(
    log: LogReader,
    workspace_id: WorkspaceId,
    until: Position | None,
    progress: Callable[[int], None],
) -> Reread:
    """Fold the log up to ``until``, make every decision again and stop at the first that differs.

    ``progress`` is told how many events were read, chunk by chunk. Raises ``LogCorrupt`` naming the
    position where the log cannot be read, and ``StoreUnavailable``.
    """
    again = Replay(Workspace(workspace_id=workspace_id))
    divergence = None
    async for rows in log.read(workspace_id, Position(0), until):
        divergence = _feed(again, rows)
        progress(len(rows))
        if divergence is not None:
            break
    if divergence is None and until is None:
        divergence = again.finish()
    return Reread(
        workspace_id=workspace_id,
        events=again.events,
        decisions=again.remade,
        folded_only=again.folded_only,
        state_hash=state_hash(again.workspace),
        divergence=divergence,
    )


def _feed(again: Replay, rows: Sequence[StoredRow]) -> Divergence | None:
    for row in rows:
        try:
            envelope = decode_event(row.topic, row.state)
        except UndecodableEvent as error:
            where = f"position {row.position} of workspace {again.workspace.workspace_id}"
            raise LogCorrupt(f"{where}: {error}") from error
        divergence = again.feed(row.position, envelope)
        if divergence is not None:
            return divergence
    return None
