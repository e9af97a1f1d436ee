"""From the log to a workspace on duty: the last snapshot, and every event since folded.

Without one that can be used the log is folded from its beginning: nothing is lost but time.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence

import structlog

from services.router.decider import Decider
from services.router.live import LiveWorkspace
from services.router.settled import Settled
from shared.adapters.open_store import Store
from shared.audit.past import Past, restored
from shared.audit.snapshots import Abridged, BadSnapshot, fold_key
from shared.ports import Clock, Erasure, LogCorrupt, StoredRow
from shared.ports.archive import Archive
from shared.routing.folding import Folding
from shared.routing.ids import Position, WorkspaceId
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from shared.runtime.tasks import Tasks
from shared.wire.log_codec import UndecodableEvent, decode_event

log = structlog.get_logger()

LATEST = Position(2**63 - 1)
LONG_EVENTS = 5_000
"""Shorter logs are folded at once, so that nobody asks why."""


async def load(
    store: Store, live: LiveWorkspace, clock: Clock, epoch: int, tasks: Tasks
) -> Decider:
    """Read what there is of the workspace. Raises ``LogCorrupt`` naming the first bad position.

    What was erased by then is deleted again: the vault may have been restored from a backup.
    """
    began = time.monotonic()
    workspace_id = live.workspace_id
    past: Past = await _begun(store, live)
    misfit: BadSnapshot | None = None
    begun = past.workspace.position
    try:
        await _fold(store, past)
    except BadSnapshot as error:
        past, begun, misfit = _nothing(store, workspace_id), Position(0), error
        await _fold(store, past)
    workspace = past.workspace
    if workspace.erased:
        erasures = [Erasure(subject, upto) for subject, upto in workspace.erased.items()]
        if left := await store.vault.erase(workspace_id, erasures):
            log.warning("erased_again", workspace=workspace_id, texts=left)
    loaded = log.bind(workspace=workspace_id, position=workspace.position, from_snapshot=begun)
    if not begun:
        loaded = loaded.bind(why=misfit or await _why_from_beginning(store, live, workspace))
    level = logging.WARNING if misfit else logging.INFO
    loaded.log(level, "workspace_loaded", took_ms=round((time.monotonic() - began) * 1_000))
    settled = Settled(past, store.snapshots, store.events, tasks)
    tasks.start(settled.run(), f"settled {workspace_id}")
    return Decider(workspace, clock, epoch, settled)


# --- what to begin with ---------------------------------------------------------------------


async def _begun(store: Store, live: LiveWorkspace) -> Past:
    """The workspace at a snapshot; else one before its first event."""
    past: Past | None = None
    if live.trusts_snapshots:
        archive = Archive(store.events, store.snapshots, store.seals)
        past = await restored(archive, live.workspace_id, LATEST, commands=True)
    return past or _nothing(store, live.workspace_id)


async def _why_from_beginning(store: Store, live: LiveWorkspace, workspace: Workspace) -> str:
    if workspace.position < LONG_EVENTS:
        return "the log is short"
    if not live.trusts_snapshots:
        return "what was kept could not be read"
    kept = await store.snapshots.last(live.workspace_id, fold_key(), LATEST)
    return "there is no snapshot" if kept is None else f"the snapshot at {kept} does not fit"


def _nothing(store: Store, workspace_id: WorkspaceId) -> Past:
    past = Past(store.snapshots, Abridged(Workspace(workspace_id=workspace_id)))
    past.is_whole = True
    return past


# --- what happened since --------------------------------------------------------------------


async def _fold(store: Store, past: Past) -> None:
    """Everything in the log that comes after it."""
    folding = Folding(past.workspace)
    begun = past.workspace.position
    workspace_id = WorkspaceId(past.workspace.workspace_id)
    past.abridged.workspace = folding.folded  # what events name is put in where they are applied
    async for rows in store.events.read(workspace_id, begun):
        events = _decoded(workspace_id, rows, folding.next_position)
        if past.is_whole:
            past.abridged.note_deletions(events)
        else:
            await past.prepare(events)
        try:
            for _, envelope in events:
                deque(folding.feed(envelope), maxlen=0)
        except (AssertionError, LookupError, ValueError) as misfit:
            if past.is_whole:
                raise
            raise BadSnapshot(f"the log does not fit the snapshot: {misfit!r}") from misfit
        await asyncio.sleep(0)  # a long log must not starve the workspaces already on duty
    deque(folding.finish(), maxlen=0)
    past.abridged.workspace = folding.workspace
    if not past.is_whole:
        await past.see_that_it_is_kept(begun)


def _decoded(
    workspace_id: WorkspaceId, rows: Sequence[StoredRow], expected: Position
) -> list[Recorded]:
    """The events in the rows, which are to begin at a position."""
    events: list[Recorded] = []
    for position, row in enumerate(rows, start=expected):
        if row.position != position:
            raise LogCorrupt(
                f"{workspace_id}: position {position} is missing, {row.position} follows"
            )
        try:
            envelope = decode_event(row.topic, row.state)
        except UndecodableEvent as error:
            raise LogCorrupt(f"{workspace_id}: position {row.position}: {error}") from error
        events.append(Recorded(row.position, envelope))
    return events
