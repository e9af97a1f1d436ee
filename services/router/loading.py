"""From the log to a workspace on duty: every event folded."""

import asyncio
from collections import deque

import structlog

from services.router.decider import Decider
from shared.adapters.open_store import Store
from shared.ports import Clock, Erasure, LogCorrupt
from shared.routing.folding import Folding
from shared.routing.ids import Position, WorkspaceId
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event

log = structlog.get_logger()


async def load(store: Store, workspace_id: WorkspaceId, clock: Clock, epoch: int) -> Decider:
    """Read the whole log of the workspace. Raises ``LogCorrupt`` naming the first bad position.

    What was erased by then is deleted again: the vault may have been restored from a backup.
    """
    workspace = Workspace(workspace_id=workspace_id)
    folding = Folding(workspace)
    async for rows in store.events.read(workspace_id, Position(0)):
        for row in rows:
            if row.position != folding.next_position:
                raise LogCorrupt(
                    f"{workspace_id}: position {folding.next_position} is missing, "
                    f"{row.position} follows"
                )
            try:
                envelope = decode_event(row.topic, row.state)
            except UndecodableEvent as error:
                raise LogCorrupt(f"{workspace_id}: position {row.position}: {error}") from error
            deque(folding.feed(envelope), maxlen=0)
        await asyncio.sleep(0)  # a long log must not starve the workspaces already on duty
    deque(folding.finish(), maxlen=0)
    if workspace.erased:
        erasures = [Erasure(subject, upto) for subject, upto in workspace.erased.items()]
        if left := await store.vault.erase(workspace_id, erasures):
            log.warning("erased_again", workspace=workspace_id, texts=left)
    return Decider(workspace, clock, epoch)
