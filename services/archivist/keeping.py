"""One workspace followed from its last snapshot, to take the next ones."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from shared.adapters.log_follower import Events
from shared.audit.past import Past, restored
from shared.audit.snapshots import Abridged, anchor_of, compressed, fold_key
from shared.ports import LogCorrupt
from shared.ports.archive import Archive, Snapshot, SnapshotHead, Snapshots
from shared.routing.following import Following, Unfit
from shared.routing.ids import Position, WorkspaceId
from shared.routing.workspace import Workspace

log = structlog.get_logger()

SNAPSHOT_EVENTS = 5_000
"""Events from one snapshot to the next: what somebody who asks has to fold at most, in 0.2 s."""
BYTES_PER_EVENT = 100
"""A third of what an event itself takes: larger heads are written more rarely, and so are the
commands, of which there may be some megabytes."""
DROPPED_AT_ONCE = 1_000
LATEST = Position(2**63 - 1)


class Settings(NamedTuple):
    """What tests may want otherwise."""

    snapshot_events: int = SNAPSHOT_EVENTS
    bytes_per_event: int = BYTES_PER_EVENT


DEFAULTS = Settings()


class Keeping:
    """The snapshots of one workspace. All methods may be called again after ``StoreUnavailable``
    and ``CommitInDoubt``."""

    def __init__(
        self,
        archive: Archive,
        snapshots: Snapshots,
        workspace_id: WorkspaceId,
        settings: Settings = DEFAULTS,
    ) -> None:
        self._archive = archive
        self._snapshots = snapshots
        self._workspace_id = workspace_id
        self._settings = settings
        self.taken = 0
        """Snapshots."""
        self._from(self._scratch())

    def _scratch(self) -> Past:
        nothing = Workspace(workspace_id=self._workspace_id)
        return Past(self._archive.snapshots, Abridged(nothing))

    def _from(self, past: Past) -> None:
        self._past = past
        self._following = Following(past.workspace)
        self._head_bytes = past.head_bytes
        self._commands_bytes = past.commands_bytes
        self._commands_at = past.workspace.position

    async def begin(self) -> Position:
        """Go on from the last snapshot, else from the beginning: the position that was reached.

        What is kept but is not of this log, or cannot be read, is dropped.
        """
        past = await restored(self._archive, self._workspace_id, LATEST, commands=True)
        if past is not None:
            self._from(past)
            return past.workspace.position
        self._from(self._scratch())
        dropped = await self._drop_all()
        if dropped:
            log.warning("snapshots_dropped", workspace=self._workspace_id, settled=dropped)
        return Position(0)

    async def take(self, events: Events) -> None:
        """Follow these, whole groups of events, and take a snapshot where one is due.

        Raises ``Unfit``, ``LogCorrupt`` if a row of the log is gone that was there just now, and
        ``SnapshotsGone``.
        """
        come = self._past.workspace.position
        ahead = [(position, envelope) for position, envelope in events if position > come]
        await self._past.prepare(ahead)
        try:
            for position, envelope in ahead:
                self._following.feed(position, envelope)
        except Unfit:
            await self._see_that_all_is_there()
            raise
        self._following.rest()
        since = self._past.abridged.since
        if self._is_due(since, self._head_bytes) and not self._past.workspace.is_cut:
            await self._keep()

    def _is_due(self, since: Position, size_bytes: int) -> bool:
        """Whether enough happened since for as much to be written."""
        by_size = size_bytes // self._settings.bytes_per_event
        due = max(self._settings.snapshot_events, by_size)
        return self._past.workspace.position - since >= due

    async def _keep(self) -> None:
        """Take a snapshot. Nothing else happens to this workspace meanwhile."""
        await self._see_that_all_is_there()
        abridged, position = self._past.abridged, self._past.workspace.position
        rows = await self._archive.log.read_at(self._workspace_id, [position])
        if not rows:
            raise LogCorrupt(f"position {position} of workspace {self._workspace_id} is gone")
        body = await asyncio.to_thread(compressed, abridged.head())
        settled = abridged.settled()
        commands = await self._commands()
        head = SnapshotHead(position, anchor_of(rows[0]), body)
        snapshot = Snapshot(head, commands, settled)
        await self._snapshots.add(self._workspace_id, fold_key(), snapshot)
        abridged.let_go()
        self._head_bytes = len(body)
        if commands:
            self._commands_bytes, self._commands_at = sum(map(len, commands)), position
        self.taken += 1
        log.info(
            "snapshot_taken",
            workspace=self._workspace_id,
            position=position,
            head_bytes=len(body),
            settled=len(settled),
            commands_bytes=sum(map(len, commands)),
        )

    async def _commands(self) -> Sequence[bytes]:
        """In pieces; none while those that are kept are young enough."""
        if self._commands_at and not self._is_due(self._commands_at, self._commands_bytes):
            return ()
        pieces = self._past.abridged.commands()
        return [await asyncio.to_thread(compressed, piece) for piece in pieces]

    async def _see_that_all_is_there(self) -> None:
        """What was settled may have been missed, if somebody emptied the tables meanwhile: then
        this term is over, and the next begins with what there is."""
        since = self._past.abridged.since
        if since:
            await self._past.see_that_it_is_kept(since)

    async def _drop_all(self) -> int:
        dropped = 0
        while some := await self._snapshots.drop(self._workspace_id, fold_key(), DROPPED_AT_ONCE):
            dropped += some
        return dropped

    async def drop_others(self) -> None:
        """Drop what was kept by releases that folded in another way."""
        dropped = 0
        while some := await self._snapshots.drop_others(
            self._workspace_id, fold_key(), DROPPED_AT_ONCE
        ):
            dropped += some
        if dropped:
            log.info("other_folds_dropped", workspace=self._workspace_id, settled=dropped)
