"""From the log to a workspace on duty: every event folded, and the feeds numbered on the way."""

import asyncio
from collections.abc import Iterator

import structlog

from services.router.decider import Decider
from shared.adapters.open_store import Store
from shared.ports import Clock, Erasure, LogCorrupt
from shared.routing.events import Envelope
from shared.routing.folding import Folding
from shared.routing.ids import Position, WorkspaceId
from shared.routing.notify import Feeds
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event

log = structlog.get_logger()


async def load(store: Store, workspace_id: WorkspaceId, clock: Clock, epoch: int) -> Decider:
    """Read the whole log of the workspace. Raises ``LogCorrupt`` naming the first bad position.

    What was erased by then is deleted again: the vault may have been restored from a backup.
    """
    workspace = Workspace(workspace_id=workspace_id)
    feeds = Feeds(workspace)
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
            _number(feeds, workspace, folding.feed(envelope))
        await asyncio.sleep(0)  # a long log must not starve the workspaces already on duty
    _number(feeds, workspace, folding.finish())
    if workspace.erased:
        erasures = [Erasure(subject, upto) for subject, upto in workspace.erased.items()]
        if left := await store.vault.erase(workspace_id, erasures):
            log.warning("erased_again", workspace=workspace_id, texts=left)
    return Decider(workspace, feeds, clock, epoch)


def _number(feeds: Feeds, workspace: Workspace, applied: Iterator[Envelope]) -> None:
    for envelope in applied:
        feeds.number(workspace.position, envelope)
