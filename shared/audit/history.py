"""One workspace's past: its events, its state at any position, and which position a time is.

It reads and never writes. What it was asked about last is kept, so that stepping on from there
costs what lies in between.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from shared.ports import LogCorrupt, StoredRow
from shared.ports.archive import Archive, Seal
from shared.routing.events import Envelope, RoutingCut
from shared.routing.following import Retracing, Unfit
from shared.routing.ids import ConversationId, Position, UnixMs, VisitorId, WorkspaceId
from shared.routing.workspace import Workspace
from shared.wire.audit import Moment
from shared.wire.log_codec import UndecodableEvent, decode_event

YIELD_EVENTS = 128
"""After so many the loop gets its turn: some three milliseconds."""

Answer = TypeVar("Answer")


class Recorded(NamedTuple):
    """An event with its place in the log and the bytes that are stored."""

    position: Position
    envelope: Envelope
    row: StoredRow


class Named(NamedTuple):
    """Whom a question is about, beyond what is live anyhow."""

    conversations: Sequence[ConversationId] = ()
    visitors: Sequence[VisitorId] = ()


NOBODY = Named()


def about(*conversation_ids: ConversationId) -> Named:
    """A question about these conversations."""
    return Named(conversations=conversation_ids)


class Beyond(Exception):
    """A position that the log does not reach; the message says where it ends."""


def _is_cut(recorded: Recorded) -> bool:
    """Whether more was to follow from the same command or timer."""
    return isinstance(recorded.envelope.data, RoutingCut)


class _Stamp(msgspec.Struct, frozen=True, gc=False):
    at: UnixMs


_stamp_of = msgspec.json.Decoder(_Stamp).decode


class History:
    """The past of one workspace. All methods raise ``LogCorrupt`` and ``StoreUnavailable``."""

    def __init__(self, archive: Archive, workspace_id: WorkspaceId) -> None:
        self._archive = archive
        self._log = archive.log
        self.workspace_id = workspace_id
        self._kept: Retracing | None = None
        self._one_at_a_time = asyncio.Lock()

    # --- events -----------------------------------------------------------------------------

    async def head(self) -> Position:
        """Position of the last event, 0 if there is none."""
        return await self._log.head(self.workspace_id)

    async def events(
        self, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        """The events after a position in order, in chunks, up to ``upto`` or the head."""
        async for rows in self._log.read(self.workspace_id, after, upto):
            for start in range(0, len(rows), YIELD_EVENTS):
                yield [self._recorded(row) for row in rows[start : start + YIELD_EVENTS]]
                await asyncio.sleep(0)

    async def events_at(self, positions: Sequence[Position]) -> Sequence[Recorded]:
        """The events at these positions, in ascending order. Raises ``Beyond``."""
        if not positions:
            return []
        rows = await self._log.read_at(self.workspace_id, positions)
        if len(rows) != len(positions):
            there = {row.position for row in rows}
            missing = next(position for position in positions if position not in there)
            raise Beyond(f"there is no position {missing} in the log of {self.workspace_id}")
        return [self._recorded(row) for row in rows]

    async def event_at(self, position: Position) -> Recorded:
        """The event at this position. Raises ``Beyond``."""
        return (await self.events_at([position]))[0]

    async def seals(self, position: Position) -> AsyncIterator[Seal]:
        """The seals that begin behind a position, in order."""
        async for some in self._archive.seals.after(self.workspace_id, position):
            for seal in some:
                yield seal

    def _recorded(self, row: StoredRow) -> Recorded:
        try:
            return Recorded(row.position, decode_event(row.topic, row.state), row)
        except UndecodableEvent as error:
            where = f"position {row.position} of workspace {self.workspace_id}"
            raise LogCorrupt(f"{where}: {error}") from error

    # --- moments ----------------------------------------------------------------------------

    async def position_of(self, moment: Moment) -> Position:
        """The last position that counts as of a moment. Raises ``Beyond``."""
        head = await self.head()
        if moment.position is not None:
            if moment.position > head:
                raise Beyond(f"the log of {self.workspace_id} ends at position {head}")
            return Position(moment.position)
        if moment.at is not None:
            return await self._position_at(UnixMs(moment.at), head)
        return head

    async def stamp_of(self, position: Position) -> UnixMs:
        """The time of the event at a position; 0 before the first. Raises ``Beyond``."""
        if position == 0:
            return UnixMs(0)
        rows = await self._log.read_at(self.workspace_id, [position])
        if not rows:
            raise Beyond(f"there is no position {position} in the log of {self.workspace_id}")
        try:
            return _stamp_of(rows[0].state).at
        except msgspec.DecodeError as error:
            where = f"position {position} of workspace {self.workspace_id}"
            raise LogCorrupt(f"{where}: {error}") from error

    async def rest_at(self, position: Position) -> Position:
        """The end of the group of events that a position lies in, where the state is at rest.

        A command or timer and all that follows from it are one moment to whoever looks from
        outside. Where the log ends in a pass that was cut, the last rest before that pass.
        """
        if position == 0:
            return position
        before = await self.event_at(position)
        async for recorded in self._onward(position):
            if recorded.envelope.first == recorded.position and not _is_cut(before):
                return before.position
            before = recorded
        while _is_cut(before):
            if before.envelope.first == 1:
                return Position(0)
            before = await self.event_at(Position(before.envelope.first - 1))
        return before.position

    async def _onward(self, position: Position) -> AsyncIterator[Recorded]:
        """The events after a position, few at first: most groups are small."""
        size, head = 16, await self.head()
        while position < head:
            last = Position(min(position + size, head))
            async for some in self.events(position, last):
                for recorded in some:
                    yield recorded
            position, size = last, 4 * size

    async def _position_at(self, at: UnixMs, head: Position) -> Position:
        """The last event stamped ``at`` or before: stamps never go back."""
        low, high = 0, head
        while low < high:
            middle = (low + high + 1) // 2
            if await self.stamp_of(Position(middle)) <= at:
                low = middle
            else:
                high = Position(middle - 1)
        return Position(low)

    # --- states -----------------------------------------------------------------------------

    async def look(
        self, position: Position, view: Callable[[Workspace], Answer], whom: Named = NOBODY
    ) -> Answer:
        """What ``view`` makes of the state at a position, which it must not change.

        In the middle of a group the state is what the next decision was made on. What is settled
        by then, as closed conversations are, need only be there if it is named by ``whom``.
        Raises ``Beyond``, and whatever ``view`` raises.
        """
        async with self._one_at_a_time:
            kept, self._kept = self._kept, None  # half-way it is of no use
            if kept is None or kept.workspace.position > position:
                kept = await self._begun(position, whom)
            await self._fold(kept, position)
            kept.rest()
            answer = view(kept.workspace)
            self._kept = kept
            return answer

    async def walk(
        self, after: Position, upto: Position
    ) -> AsyncIterator[tuple[Recorded | None, Workspace]]:
        """Each event after a position with the state that it led to; and without an event the
        state at rest, at ``after`` and between two groups of events. Raises ``Beyond``.
        """
        kept = await self._begun(after, NOBODY)
        await self._fold(kept, after)
        kept.rest()
        yield None, kept.workspace
        async for some in self._following(kept, upto):
            for recorded in some:
                if recorded.envelope.first == recorded.position > after + 1:
                    kept.rest()
                    yield None, kept.workspace
                self._feed(kept, recorded)
                yield recorded, kept.workspace

    async def _begun(self, _position: Position, _whom: Named) -> Retracing:
        """A state not behind the position, from which it can be folded on to it."""
        return Retracing(Workspace(workspace_id=self.workspace_id))

    async def _fold(self, kept: Retracing, upto: Position) -> None:
        """Apply what follows, up to a position."""
        async for some in self._following(kept, upto):
            for recorded in some:
                self._feed(kept, recorded)

    def _feed(self, kept: Retracing, recorded: Recorded) -> None:
        try:
            kept.feed(recorded.position, recorded.envelope)
        except Unfit as error:
            raise LogCorrupt(f"workspace {self.workspace_id}: {error}") from error

    async def _following(
        self, kept: Retracing, upto: Position
    ) -> AsyncIterator[Sequence[Recorded]]:
        """The events from where a state is up to a position, to be applied to it."""
        if kept.workspace.position == upto:
            return
        async for some in self.events(kept.workspace.position, upto):
            yield some
        if kept.workspace.position != upto:
            reached = kept.workspace.position
            raise Beyond(f"the log of {self.workspace_id} ends at position {reached}")
