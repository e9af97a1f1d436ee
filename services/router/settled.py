"""What of a workspace on duty is settled and not in memory: how it gets back, and how it goes.

At any moment, whatever is not in memory is in its row beside the log as it is now. So it is enough
to bring in what a request names before that is decided. What is in memory goes once its row is the
same to the byte.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import structlog

from services.router.naming import Asked, named_in
from services.router.settled_keys import SettledKeys
from shared.adapters.snapshot_rows import in_slices
from shared.audit.liveness import Keys, live_of
from shared.audit.past import Past
from shared.audit.snapshots import BadSnapshot, fold_key
from shared.ports import LogReader, StoreError
from shared.ports.archive import SettledKey, SettledKind, SettledRow, SnapshotReader
from shared.routing.ids import Position, WorkspaceId
from shared.routing.state import Conversation, Visitor
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from shared.runtime.tasks import Tasks

log = structlog.get_logger()

LOOK_EVERY_S = 60.0
THINGS_MIN = 2_000
"""By so many conversations and visitors memory has to have grown before a look is worth it."""
LET_GO_AT_ONCE = 500
"""Rows compared in one go: some milliseconds."""


class Settled:
    """Beside the ``Decider`` of one workspace, as long as that. Whatever it reads may raise
    ``StoreError``, ``SnapshotsGone`` and ``BadSnapshot``: after the last two the state is void."""

    def __init__(
        self, past: Past, snapshots: SnapshotReader, events: LogReader, tasks: Tasks
    ) -> None:
        self.events = events
        self.tasks = tasks
        """What reads for it, beside serving."""
        self.drops = 0
        """How often things went: what was read before may have changed since it went."""
        self._past = past
        self._snapshots = snapshots
        self._keys = SettledKeys()
        self._knows_keys = past.is_whole
        """Until then everything that is not there is looked for."""
        self._touched: Keys | None = None
        """What requests named since a round of letting go began."""
        self._things = 0
        """How many there were after the last round."""
        self._over = asyncio.Event()

    @property
    def workspace(self) -> Workspace:
        return self._past.workspace

    @property
    def is_whole(self) -> bool:
        """Whether everything is in memory."""
        return self._past.is_whole

    @property
    def _whose(self) -> WorkspaceId:
        return WorkspaceId(self.workspace.workspace_id)

    def note(self, recorded: Sequence[Recorded]) -> None:
        """Rules were deleted: who is not in memory has to forget them when he comes back."""
        self._past.abridged.note_deletions(recorded)

    # --- coming back ------------------------------------------------------------------------

    def lacking(self, asked: Asked) -> Sequence[SettledKey]:
        """What has to be in memory before this is decided. To be asked until it is nothing."""
        if self._past.is_whole and self._touched is None:
            return ()
        abridged, named = self._past.abridged, named_in(asked)
        if self._touched is not None:
            self._touched.update(abridged.with_what_hangs_on(named))
        if self._past.is_whole:
            return ()
        lacking = abridged.lacking(named)
        if not lacking or not self._knows_keys:
            return lacking
        return [key for key in lacking if key in self._keys]

    async def fetch(self, keys: Sequence[SettledKey]) -> None:
        """Put these in, where they are."""
        self._past.abridged.put_in(keys, await self.rows(keys))

    def put(self, rows: Sequence[SettledRow]) -> None:
        """Put in what was read, but what is there already."""
        self._past.abridged.put(rows)
        self._past.abridged.put_in_order()

    async def rows(self, keys: Sequence[SettledKey]) -> Sequence[SettledRow]:
        """The rows of these, as of now unless they are in memory."""
        since = self._past.abridged.since
        rows = await self._snapshots.settled(self._whose, fold_key(), since, keys)
        await self._past.see_that_it_is_kept(since)
        return rows

    async def every(
        self, kind: SettledKind
    ) -> AsyncIterator[tuple[SettledRow, Conversation | Visitor]]:
        """All of one kind that is settled, with what each is now unless it is in memory."""
        since = self._past.abridged.since
        async for rows in self._snapshots.all_settled(self._whose, fold_key(), since):
            for row in rows:
                if row.kind == kind:
                    yield row, self.read(row)
            await asyncio.sleep(0)
        await self._past.see_that_it_is_kept(since)

    def read(self, row: SettledRow) -> Conversation | Visitor:
        thing = self._past.abridged.restored(row)
        assert isinstance(thing, Conversation | Visitor)
        return thing

    # --- beside serving ---------------------------------------------------------------------

    def end(self) -> None:
        """The state is void, or nobody serves any more."""
        self._over.set()

    async def run(self, every_s: float = LOOK_EVERY_S) -> None:
        """Learn which keys there are, and then let go of what is kept, until ``end``."""
        while not self._over.is_set():
            try:
                if not self._knows_keys:
                    await self.know_keys()
                elif self._has_grown():
                    await self.let_go()
            except BadSnapshot as error:
                log.error("settled_kept_in_memory", workspace=self._whose, reason=error)
                return
            except StoreError as error:
                log.warning("settled_not_read", workspace=self._whose, reason=error)
            try:
                async with asyncio.timeout(every_s):
                    await self._over.wait()
            except TimeoutError:
                continue

    async def know_keys(self) -> None:
        """Read which keys there are, so that what is new need not be looked for."""
        since, keys = self._past.abridged.since, self._keys
        async for some in self._snapshots.settled_keys(self._whose, fold_key(), since):
            keys.add(some)
            await asyncio.sleep(0)
        await self._past.see_that_it_is_kept(since)
        self._knows_keys = True
        log.info("settled_keys_known", workspace=self._whose, size_bytes=keys.size_bytes)

    def _has_grown(self) -> bool:
        return self._count() >= self._things + THINGS_MIN

    def _count(self) -> int:
        return len(self.workspace.conversations) + len(self.workspace.visitors)

    async def let_go(self) -> int:
        """Let go of everything settled whose row is the same; how many that were."""
        workspace = self.workspace
        kept = await self._snapshots.last(self._whose, fold_key(), workspace.position)
        if kept is None:
            return 0
        gone = 0
        self._touched = {}
        try:
            for some in in_slices(list(_settled_in(workspace)), LET_GO_AT_ONCE):
                rows = await self._snapshots.settled(self._whose, fold_key(), kept, some)
                await self._past.see_that_it_is_kept(kept)
                if self._over.is_set():
                    return gone
                gone += self._let_go_of(rows, kept)
        finally:
            self._touched = None
        workspace.conversations = dict(workspace.conversations)  # without the gaps
        workspace.visitors = dict(workspace.visitors)
        self._things = self._count()
        log.info("let_go", workspace=self._whose, things=gone, left=self._things)
        return gone

    def _let_go_of(self, rows: Sequence[SettledRow], kept: Position) -> int:
        """Whatever was named since the round began may be live by now, or have changed."""
        assert self._touched is not None
        untouched = [row for row in rows if (row.kind, row.id) not in self._touched]
        gone = self._past.abridged.let_go_of(untouched, kept)
        if gone:
            self._keys.add(gone)
            self._past.is_whole = False
            self.drops += 1
        return len(gone)


def _settled_in(workspace: Workspace) -> Iterator[SettledKey]:
    """What is in memory and settled now."""
    live = live_of(workspace)
    for its_id in workspace.conversations:
        if its_id not in live.conversations:
            yield ("conversation", its_id)
    for visitor_id in workspace.visitors:
        if visitor_id not in live.visitors:
            yield ("visitor", visitor_id)
    for contact_id in workspace.acquaintances:
        if contact_id not in live.contacts:
            yield ("acquaintance", contact_id)
