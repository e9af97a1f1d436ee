"""A log held against its seals: which event was touched first, and how far they reach."""

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from shared.audit.seals import DIGEST_BYTES, chain_start, chained, digest_of, is_signed
from shared.ports import StoredRow
from shared.ports.archive import Seal, SealReader
from shared.routing.ids import Position, WorkspaceId


class SealFault(NamedTuple):
    """The first position for which a seal does not hold."""

    position: Position
    what: str
    recorded: str | None = None
    expected: str | None = None


class SealedBy(msgspec.Struct, frozen=True):
    """A stretch of the log and the public key that signed for it, in hexadecimal."""

    key: str
    first: Position
    upto: Position


class Accepted(NamedTuple):
    """What was kept elsewhere to check by: public keys, and hashes of seals by position."""

    keys: frozenset[bytes] | None = None
    """Keys that may sign; none given: any may."""
    hashes: Mapping[Position, bytes] = {}


ANY = Accepted()
"""Nothing was kept elsewhere: any key may sign."""


class SealCheck:
    """Takes the rows of a log in order, and the seals as they are needed.

    It ends at the first ``fault``: what follows a broken link of the chain proves nothing.
    """

    def __init__(
        self, seals: SealReader, workspace_id: WorkspaceId, accepted: Accepted = ANY
    ) -> None:
        self._seals = seals
        self._workspace_id = workspace_id
        self._known = Position(0)
        self._accepted = accepted
        self._chunks: AsyncIterator[Sequence[Seal]] = seals.after(workspace_id, Position(0))
        self._arrived: deque[Seal] = deque()
        self._hash = chain_start(workspace_id)
        self._next = Position(1)
        self._good: deque[Seal] = deque()
        self._bad: SealFault | None = None
        self._missed = dict(accepted.hashes)
        self._signed: list[SealedBy] = []
        self._seen = Position(0)
        self.fault: SealFault | None = None

    @property
    def upto(self) -> Position:
        """The last position that was seen and stands under a seal that holds."""
        reached = min(Position(self._next - 1), self._seen)
        return reached if self.fault is None else min(reached, Position(self.fault.position - 1))

    @property
    def unsealed(self) -> int:
        """How many of the rows seen no good seal reaches."""
        return max(0, self._seen - (self._next - 1))

    @property
    def last(self) -> str | None:
        """``POSITION:HASH`` of the last seal that holds; none where none does."""
        if self._next == 1 or self.fault is not None:
            return None
        return f"{self._next - 1}:{self._hash.hex()}"

    @property
    def keys(self) -> Sequence[SealedBy]:
        """Which key signed for which stretch, in order."""
        return tuple(self._signed)

    async def begin(self) -> None:
        """Before the log is read: whatever is sealed by now must be in it."""
        last = await self._seals.last(self._workspace_id)
        self._known = last.upto if last is not None else Position(0)

    async def reach(self, position: Position) -> None:
        """Take seals until they reach ``position``, as far as there were any at the beginning."""
        while self._bad is None and self._next <= min(position, self._known):
            if not self._arrived:
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    return
                self._arrived.extend(chunk)
            self._take(self._arrived.popleft())

    def check(self, row: StoredRow) -> None:
        """Hold the next row against its seal, which ``reach`` has taken if there is one."""
        self._seen = row.position
        if self.fault is not None:
            return
        while self._good and self._good[0].upto < row.position:
            self._good.popleft()
        if self._bad is not None and row.position >= self._bad.position:
            self.fault = self._bad
        elif self._good and self._good[0].first <= row.position:
            self.fault = _differs(self._good[0], row)

    async def finish(self) -> None:
        """After the last row of the log: nothing may be sealed behind it."""
        await self.reach(self._known)
        if self.fault is None:
            self.fault = self._cut_off() or self._bad or self._unmet()

    # --- the chain --------------------------------------------------------------------------

    def _take(self, seal: Seal) -> None:
        what = self._wrong_with(seal)
        if what is not None:
            self._bad = SealFault(max(Position(1), min(seal.first, self._next)), what)
            return
        self._hash, self._next = seal.hash, Position(seal.upto + 1)
        self._good.append(seal)
        key = seal.key.hex()
        if self._signed and self._signed[-1].key == key:
            first = self._signed.pop().first
        else:
            first = seal.first
        self._signed.append(SealedBy(key, first, seal.upto))

    def _wrong_with(self, seal: Seal) -> str | None:
        which = f"the seal over positions {seal.first} to {seal.upto}"
        if seal.first > self._next:
            return f"the seal over positions {self._next} to {seal.first - 1} is missing"
        if seal.first < self._next:
            return f"{which} begins under another one"
        if seal.upto < seal.first or len(seal.digests) != DIGEST_BYTES * _events(seal):
            return f"{which} does not hold a digest for each event"
        if not is_signed(self._workspace_id, seal):
            return f"{which} is not signed by the key that it names"
        if self._accepted.keys is not None and seal.key not in self._accepted.keys:
            return f"{which} is signed by {seal.key.hex()}, a key that is not accepted"
        if chained(self._hash, seal.upto, seal.digests) != seal.hash:
            return f"{which} does not follow from the one before it"
        wanted = self._missed.pop(seal.upto, seal.hash)
        if wanted != seal.hash:
            return f"{which} has another hash than expected: {seal.hash.hex()}"
        return None

    # --- the end ----------------------------------------------------------------------------

    def _cut_off(self) -> SealFault | None:
        """Whether seals, or hashes kept elsewhere, know of more than is there."""
        known = max([Position(self._next - 1), *self._missed])
        if known <= self._seen:
            return None
        what = f"the log ends at position {self._seen}, and was sealed up to {known}"
        return SealFault(Position(self._seen + 1), what)

    def _unmet(self) -> SealFault | None:
        """A seal that was seen once, and is not there though its events are."""
        for position in sorted(self._missed):
            begun = [by.first for by in self._signed if by.upto >= position]
            what = f"no seal ends at position {position}, where one was expected"
            return SealFault(min([*begun, self._next, position]), what)
        return None


def _events(seal: Seal) -> int:
    return seal.upto - seal.first + 1


def _differs(seal: Seal, row: StoredRow) -> SealFault | None:
    start = (row.position - seal.first) * DIGEST_BYTES
    wanted, found = seal.digests[start : start + DIGEST_BYTES], digest_of(row)
    if found == wanted:
        return None
    what = "this is not the event that was sealed here"
    shown = f"{row.topic!s} {_shown(row.state)} (digest {found.hex() or 'none'})"
    return SealFault(row.position, what, shown, f"digest {wanted.hex()}, as sealed")


def _shown(state: object) -> str:
    return state.decode("utf-8", "backslashreplace") if isinstance(state, bytes) else repr(state)
