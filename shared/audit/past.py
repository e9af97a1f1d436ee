"""A workspace as it was, from the last snapshot before a position instead of the whole log."""

from collections.abc import Iterable
from typing import Self

from shared.audit.liveness import Fed, Keys
from shared.audit.snapshots import (
    Abridged,
    BadSnapshot,
    anchor_of,
    commands_from,
    fold_key,
)
from shared.ports import StoreError
from shared.ports.archive import Archive, KeptCommands, SnapshotReader
from shared.routing.ids import ContactId, ConversationId, Position, VisitorId, WorkspaceId
from shared.routing.route import next_decision
from shared.routing.workspace import Workspace


class SnapshotsGone(StoreError):
    """Somebody emptied the tables: what was settled cannot be told from what never was."""


class Past:
    """A workspace that holds what is live, and of what is settled only what was named.

    It is at rest at a snapshot's position, to be folded on from there: before each chunk of events,
    ``prepare`` for them. Then everything live, and everything that was named, is as if the log had
    been folded from its beginning; but for ``commands``, which is empty. Whatever walks over all
    conversations or visitors sees the open ones. All methods raise ``StoreUnavailable``, and
    ``BadSnapshot`` for what cannot be read: then there is still the log.
    """

    def __init__(self, snapshots: SnapshotReader, abridged: Abridged, head_bytes: int = 0) -> None:
        self._snapshots = snapshots
        self.abridged = abridged
        self.head_bytes = head_bytes
        """What the head takes that it came from."""
        self.commands_bytes = 0
        """The same of the commands that were put in."""
        self.is_whole = False
        """Whether it holds everything that is settled."""

    @property
    def workspace(self) -> Workspace:
        return self.abridged.workspace

    @classmethod
    async def at(cls, archive: Archive, workspace_id: WorkspaceId, upto: Position) -> Self | None:
        """From the last snapshot at or before ``upto``; none if there is none of this log."""
        found = await archive.snapshots.latest(workspace_id, fold_key(), upto)
        if found is None or found.position < 1:
            return None
        rows = await archive.log.read_at(workspace_id, [found.position])
        if not rows or anchor_of(rows[0]) != found.anchor:
            return None
        return cls(archive.snapshots, Abridged.from_head(found.body), len(found.body))

    def rest(self) -> None:
        """Build what is derived. Raises ``BadSnapshot`` if something were left to be decided."""
        self.workspace.restore()
        if self.workspace.is_cut or next_decision(self.workspace) is not None:
            raise BadSnapshot(f"the snapshot at position {self.workspace.position} is not at rest")

    async def prepare(self, events: Fed) -> None:
        """Put in whatever these events name: they are the next to be folded."""
        await self._put_in(self.abridged.foresee(events))

    async def name(
        self,
        conversations: Iterable[ConversationId] = (),
        visitors: Iterable[VisitorId] = (),
        contacts: Iterable[ContactId] = (),
    ) -> None:
        """Put in these, as they are now; what never was is left out."""
        named: Keys = {("conversation", its_id): None for its_id in conversations}
        named.update({("visitor", its_id): None for its_id in visitors})
        named.update({("acquaintance", its_id): None for its_id in contacts})
        await self._put_in(named)

    async def see_that_it_is_kept(self, position: Position) -> None:
        """Raises ``SnapshotsGone`` unless the snapshot at ``position`` is there.

        To be called after settled rows were read: where tables are emptied the heads go first, so
        that until now nothing was missing.
        """
        whose = WorkspaceId(self.workspace.workspace_id)
        if await self._snapshots.last(whose, fold_key(), position) != position:
            raise SnapshotsGone(f"the snapshot of {whose} at {position} is gone")

    async def _put_in(self, named: Keys) -> None:
        whose = WorkspaceId(self.workspace.workspace_id)
        while not self.is_whole and (keys := self.abridged.lacking(named)):
            since = self.abridged.since
            rows = await self._snapshots.settled(whose, fold_key(), since, keys)
            self.abridged.put_in(keys, rows)

    def put_commands_in(self, kept: KeptCommands) -> None:
        """Put in what retries are recognised by, before ``rest``."""
        if kept.position != self.abridged.since:
            raise BadSnapshot(f"the commands are those at position {kept.position}")
        self.workspace.commands = commands_from(kept.pieces)
        self.commands_bytes = sum(map(len, kept.pieces))

    async def put_everything_in(self) -> None:
        """Put in all that is settled, before ``rest``."""
        whose, since = WorkspaceId(self.workspace.workspace_id), self.abridged.since
        async for rows in self._snapshots.all_settled(whose, fold_key(), since):
            self.abridged.put(rows)
        self.abridged.put_in_order()
        self.is_whole = True


async def restored(
    archive: Archive,
    workspace_id: WorkspaceId,
    upto: Position,
    *,
    commands: bool = False,
    everything: bool = False,
) -> Past | None:
    """The workspace at rest at its last snapshot at or before ``upto``.

    It holds what is settled only with ``everything``, and what retries are recognised by only with
    ``commands`` or ``everything``: as that is kept of one snapshot alone, it may be an older one
    then. None if there is nothing to begin from: then the log is to be folded from its beginning.
    """
    try:
        if not commands and not everything:
            past = await Past.at(archive, workspace_id, upto)
        else:
            past = await _with_commands(archive, workspace_id, upto)
        if past is None:
            return None
        if everything:
            await past.put_everything_in()
        past.rest()
    except BadSnapshot:
        return None
    return past


async def _with_commands(
    archive: Archive, workspace_id: WorkspaceId, upto: Position
) -> Past | None:
    kept = await archive.snapshots.commands(workspace_id, fold_key())
    if kept is None or kept.position > upto:
        return None
    past = await Past.at(archive, workspace_id, kept.position)
    if past is not None:
        past.put_commands_in(kept)
    return past
