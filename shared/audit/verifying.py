"""Verifying one workspace's log: every decision is made again, and everything else is held against
what was sealed, counted and kept.

Each check goes on to its own first finding. The first of all is where the log begins to differ;
what the others say tells why: where the bytes are as they were sealed, it is the rules that differ.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Literal

import msgspec

from shared.audit.checking_order import OrderCheck
from shared.audit.checking_seals import ANY, Accepted, SealCheck, SealedBy, SealFault
from shared.audit.checking_snapshots import SnapshotCheck, SnapshotFault
from shared.audit.shelf import PUT_AWAY_EVENTS, Shelf
from shared.ports import LogCorrupt, LogReader, StoredRow
from shared.ports.archive import Archive
from shared.routing.ids import Position, WorkspaceId
from shared.routing.replay import Divergence, Replay
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event

YIELD_EVENTS = 250
"""After so many events others get their turn: some 10 ms."""

Check = Literal["gap", "undecodable", "order", "decision", "snapshot", "seal"]
"""What a finding is about: a row that is missing, one that cannot be read, stamps and groups out of
order, a decision that comes out differently, a snapshot of another state, a seal that does not
hold."""

_UNFIT = (AssertionError, AttributeError, LookupError, TypeError, ValueError, ArithmeticError)


class Finding(msgspec.Struct, frozen=True):
    """Where the log is not as it should be: what stands there, and what ought to."""

    position: Position
    check: Check
    what: str
    recorded: Any = None
    expected: Any = None


class Sealed(msgspec.Struct, frozen=True):
    """How far the log is sealed. ``last`` is the last seal, to be kept elsewhere and expected."""

    upto: Position
    unsealed: int
    keys: tuple[SealedBy, ...]
    last: str | None
    """``POSITION:HASH``; none where nothing is sealed."""


class Verified(msgspec.Struct, frozen=True):
    """What came of verifying one workspace. ``findings`` stand in the order of their positions.

    ``events`` were read, ``decisions`` made again, ``folded_only`` applied alone: they were made by
    another revision. ``state_hash`` is that of the state as far as it could be folded, and so many
    ``snapshots`` were compared on the way.
    """

    workspace_id: WorkspaceId
    events: int
    decisions: int
    folded_only: int
    state_hash: str
    snapshots: int
    sealed: Sealed
    findings: tuple[Finding, ...]


class _Pass:
    """One walk over the log, row by row, in which every check sees every row."""

    def __init__(
        self, archive: Archive, workspace_id: WorkspaceId, accepted: Accepted, shelf: Shelf
    ) -> None:
        self.workspace_id = workspace_id
        self._log = archive.log
        self.shelf = shelf
        self.replay = Replay(shelf.workspace)
        self.seals = SealCheck(archive.seals, workspace_id, accepted)
        self.snapshots = SnapshotCheck(archive.snapshots, shelf)
        self.findings: list[Finding] = []
        self.events = 0
        self._order: OrderCheck | None = OrderCheck()
        self._folding = True

    async def begin(self, until: Position | None) -> None:
        """Before the first row: what is kept of this log, while it may grow beside us."""
        await self.seals.begin()
        head = await self._log.head(self.workspace_id)
        await self.snapshots.find(head if until is None else min(head, until))

    @property
    def over(self) -> bool:
        """Whether nothing that follows could tell any more."""
        return not self._folding and self.seals.fault is not None

    def take(self, row: StoredRow) -> None:
        """The next row, at its place."""
        self.events += 1
        self.seals.check(row)
        if self._folding:
            self._fold(row)

    async def compare(self, row: StoredRow) -> None:
        """After this row: what is kept of the state that was reached by it, if anything is."""
        if self._folding:
            await self.snapshots.compare(row)

    async def finish(self) -> None:
        """After the last row of the log."""
        if self._folding:
            self._note_divergence(self.replay.finish())
        await self.seals.finish()

    def note(self, finding: Finding) -> None:
        """Keep what was found; what comes after it is not folded."""
        self.findings.append(finding)
        self._folding = False

    def _fold(self, row: StoredRow) -> None:
        try:
            envelope = decode_event(row.topic, row.state)
        except (UndecodableEvent, *_UNFIT) as error:
            self.note(Finding(row.position, "undecodable", str(error), _shown(row)))
            return
        if self._order is not None:
            disorder = self._order.check(row.position, envelope)
            if disorder is not None:
                self.findings.append(Finding(row.position, "order", *disorder))
                self._order = None
        try:
            self.snapshots.foresee(self.shelf.before(row.position, envelope))
            self._note_divergence(self.replay.feed(row.position, envelope))
        except _UNFIT as error:
            what = f"the state before this event cannot be routed: {error!r}"
            self.note(Finding(row.position, "decision", what, envelope.data))

    def _note_divergence(self, divergence: Divergence | None) -> None:
        if divergence is not None:
            position, recorded, expected, what = msgspec.structs.astuple(divergence)
            self.note(Finding(position, "decision", what, recorded, expected))


async def verify(
    archive: Archive,
    workspace_id: WorkspaceId,
    *,
    until: Position | None = None,
    accepted: Accepted = ANY,
    progress: Callable[[int], None] = lambda _events: None,
    put_away_events: int = PUT_AWAY_EVENTS,
) -> Verified:
    """Read the log up to ``until``, or all of it, and check everything on the way.

    ``progress`` is told how many events more were read. What is settled is put away after every
    ``put_away_events``, so that a log of any length takes no more memory than what is live in it.
    Raises ``StoreUnavailable``, and ``LogCorrupt`` where the store itself cannot be read.
    """
    with closing(Shelf(Workspace(workspace_id=workspace_id), put_away_events)) as shelf:
        walk = _Pass(archive, workspace_id, accepted, shelf)
        await walk.begin(until)
        whole = await _walk(walk, archive.log, until, progress)
        if whole and (until is None or await archive.log.head(workspace_id) <= until):
            await walk.finish()
        return _verified(walk)


async def _walk(
    walk: _Pass, log: LogReader, until: Position | None, progress: Callable[[int], None]
) -> bool:
    """Read on until the end, or until there is nothing left to find; false if it ended early."""
    workspace_id = walk.workspace_id
    try:
        async for rows in log.read(workspace_id, Position(0), until):
            await walk.seals.reach(rows[-1].position)
            for some in _in_pieces(rows):
                for row in some:
                    walk.take(row)
                    if row.position == walk.snapshots.next:
                        await walk.compare(row)
                progress(len(some))
                await asyncio.sleep(0)
            if walk.over:
                return False
    except LogCorrupt as error:
        missing = Position(walk.events + 1)
        if await log.head(workspace_id) < missing:
            raise
        walk.note(Finding(missing, "gap", str(error)))
        return False
    return True


def _verified(walk: _Pass) -> Verified:
    seals = walk.seals
    findings = list(walk.findings)
    faults: list[tuple[Check, SnapshotFault | SealFault | None]] = [
        ("snapshot", walk.snapshots.fault),
        ("seal", seals.fault),
    ]
    for check, fault in faults:
        if fault is not None:
            position, what, recorded, expected = fault
            findings.append(Finding(position, check, what, recorded, expected))
    return Verified(
        workspace_id=walk.workspace_id,
        events=walk.events,
        decisions=walk.replay.remade,
        folded_only=walk.replay.folded_only,
        state_hash=walk.shelf.state_hash(),
        snapshots=walk.snapshots.compared,
        sealed=Sealed(seals.upto, seals.unsealed, tuple(seals.keys), seals.last),
        # Where several have found the same place, what the seals say comes last: it is the least
        # that is to be understood.
        findings=tuple(sorted(findings, key=lambda finding: finding.position)),
    )


def _in_pieces(rows: Sequence[StoredRow]) -> Iterator[Sequence[StoredRow]]:
    for start in range(0, len(rows), YIELD_EVENTS):
        yield rows[start : start + YIELD_EVENTS]


def _shown(row: StoredRow) -> str:
    state: object = row.state
    text = state.decode("utf-8", "backslashreplace") if isinstance(state, bytes) else repr(state)
    return f"{row.topic!s} {text}"
