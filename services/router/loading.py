"""From the log to a workspace on duty: every event folded, and the feeds numbered on the way."""

import asyncio
from collections.abc import Iterator

from services.router.decider import Decider
from shared.ports import Clock, EventStore, LogCorrupt
from shared.routing.events import Envelope
from shared.routing.folding import Folding
from shared.routing.ids import Position, WorkspaceId
from shared.routing.notify import Feeds
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event


async def load(store: EventStore, workspace_id: WorkspaceId, clock: Clock, epoch: int) -> Decider:
    """Read the whole log of the workspace. Raises ``LogCorrupt`` naming the first bad position."""
    workspace = Workspace(workspace_id=workspace_id)
    feeds = Feeds(workspace)
    folding = Folding(workspace)
    async for rows in store.read(workspace_id, Position(0)):
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
            _number(feeds, workspace, folding.feed(envelope))
        await asyncio.sleep(0)  # a long log must not starve the workspaces already on duty
    _number(feeds, workspace, folding.finish())
    return Decider(workspace, feeds, clock, epoch)


def _number(feeds: Feeds, workspace: Workspace, applied: Iterator[Envelope]) -> None:
    for envelope in applied:
        feeds.number(workspace.position, envelope)
