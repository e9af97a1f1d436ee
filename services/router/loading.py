"""From the log to a workspace on duty: every event folded, and the feeds numbered on the way."""

import asyncio

from services.router.decider import Decider
from shared.ports import Clock, EventStore, LogCorrupt
from shared.routing.evolve import evolve
from shared.routing.ids import Position, WorkspaceId
from shared.routing.notify import Feeds
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event


async def load(store: EventStore, workspace_id: WorkspaceId, clock: Clock, epoch: int) -> Decider:
    """Read the whole log of the workspace. Raises ``LogCorrupt`` naming the first bad position."""
    workspace = Workspace(workspace_id=workspace_id)
    feeds = Feeds(workspace)
    async for rows in store.read(workspace_id, Position(0)):
        for row in rows:
            if row.position != workspace.position + 1:
                raise LogCorrupt(
                    f"{workspace_id}: position {workspace.position + 1} is missing, "
                    f"{row.position} follows"
                )
            try:
                envelope = decode_event(row.topic, row.state)
            except UndecodableEvent as error:
                raise LogCorrupt(f"{workspace_id}: position {row.position}: {error}") from error
            evolve(workspace, envelope)
            feeds.number(row.position, envelope)
        await asyncio.sleep(0)  # a long log must not starve the workspaces already on duty
    workspace.restore()
    return Decider(workspace, feeds, clock, epoch)
