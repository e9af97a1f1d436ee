"""One workspace's past: its events, its state at any position, and which position a time is.

It reads and never writes. What it was asked about last is kept, so that stepping on from there
costs what lies in between.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from shared.audit.past import Past
from shared.audit.state import NOBODY, Named, State
from shared.audit.stored import Beyond, Recorded, Stored
from shared.ports.archive import Archive
from shared.routing.events import RoutingCut
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.workspace import Workspace
from shared.wire.audit import Moment

STATES_KEPT = 3
"""Of one workspace: somebody looks at now, and somebody steps through the past."""
STEP_EVENTS = 10_000
"""From a state kept by further than that one begins from a snapshot again."""

Answer = TypeVar("Answer")


class History(Stored):
    """The past of one workspace. All methods raise ``LogCorrupt``, ``StoreUnavailable`` and, where
    they look at states, ``BadSnapshot``: after ``distrust_snapshots`` there is still the log."""

    def __init__(self, archive: Archive, workspace_id: WorkspaceId) -> None:
        super().__init__(archive, workspace_id)
        self._kept: list[State] = []
        """States that were looked at last; each goes on from where it is."""
        self._trusts_snapshots = True
        self._one_at_a_time = asyncio.Lock()

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
            kept = await self._reached(position, whom)
            kept.rest()
            answer = view(kept.workspace)
            self._kept = [*self._kept[1 - STATES_KEPT :], kept]
            return answer

    async def walk(
        self, after: Position, upto: Position
    ) -> AsyncIterator[tuple[Recorded | None, Workspace]]:
        """Each event after a position with the state that it led to; and without an event the
        state at rest, at ``after`` and between two groups of events. Raises ``Beyond``.
        """
        kept = await self._begun(after, NOBODY)
        await kept.fold(self, after)
        kept.rest()
        yield None, kept.workspace
        async for some in kept.following(self, upto):
            for recorded in some:
                if recorded.envelope.first == recorded.position > after + 1:
                    kept.rest()
                    yield None, kept.workspace
                kept.take(recorded)
                yield recorded, kept.workspace

    async def _reached(self, position: Position, whom: Named) -> State:
        """The state at a position, out of what is kept; half-way it would be of no use."""
        behind = [
            kept
            for kept in self._kept
            if kept.workspace.position <= position and kept.can_show(whom)
        ]
        kept = max(behind, key=lambda one: one.workspace.position, default=None)
        if kept is not None and position - kept.workspace.position <= STEP_EVENTS:
            self._kept.remove(kept)
        else:
            kept = await self._begun(position, whom)
        await kept.fold(self, position)
        await kept.name(whom)
        return kept

    async def _begun(self, position: Position, whom: Named) -> State:
        """A state not behind the position, from which it can be folded on to it."""
        past = None
        if self._trusts_snapshots:
            past = await Past.at(self.archive, self.workspace_id, position)
        if past is None:
            return State(Workspace(workspace_id=self.workspace_id), None)
        if whom.everybody:
            await past.put_everything_in()
        past.rest()
        return State(past.workspace, past)

    def distrust_snapshots(self) -> None:
        """From here on go by the log alone."""
        self._trusts_snapshots = False
        self._kept = []


def _is_cut(recorded: Recorded) -> bool:
    """Whether more was to follow from the same command or timer."""
    return isinstance(recorded.envelope.data, RoutingCut)
