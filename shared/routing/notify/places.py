"""What those who wait know of their places in line, and who of them is to hear of another.

A visitor hears a new place at most every ten seconds of the log's time, so in a quiet workspace the
last change of a burst is told with the first event after that. Nobody's place is looked at unless
the line has moved before it: what a pass costs grows with those it tells, not with those who wait.
"""

from collections.abc import Iterable, Iterator

import msgspec
from sortedcontainers import SortedList

from shared.routing.fifo import Fifo
from shared.routing.ids import ConversationId, UnixMs
from shared.routing.queue import Order
from shared.routing.state import Audience
from shared.routing.workspace import Spot, Workspace

PAUSE_MS = 10_000
"""Between two places told to the same visitor."""


class _Told(msgspec.Struct):
    """What one conversation's visitor was told last; ``rests_at`` once the pause is over."""

    place: int
    at: UnixMs
    rests_at: Spot | None = None


class Places:
    """Follows the lines of one workspace. ``moved`` says whether the last pass found any change."""

    def __init__(self, workspace: Workspace) -> None:
        workspace.moved = {}
        self._workspace = workspace
        self._told: dict[ConversationId, _Told] = {}
        self._recent: Fifo[tuple[UnixMs, ConversationId]] = Fifo()
        """By when they were told, until the pause is over; what was told again since is void."""
        self._resting: dict[Audience, SortedList[Order]] = {}
        """Those whom the next change before them is told at once."""
        self.moved = False

    def forget(self, conversation_id: ConversationId) -> None:
        """It waits no more: should it wait again, that is news."""
        told = self._told.pop(conversation_id, None)
        if told is not None:
            self._wake(told)

    def may_have_news(self) -> bool:
        """Whether somebody moved, or a pause is over; if not, ``news`` would tell nothing."""
        return bool(self._workspace.moved) or self._a_pause_is_over(self._workspace.at)

    def _a_pause_is_over(self, at: UnixMs) -> bool:
        return bool(self._recent) and self._recent.first[0] <= at - PAUSE_MS

    def news(self) -> Iterator[tuple[ConversationId, int]]:
        """Who is to be told which place, now that the state is at rest."""
        at = self._workspace.at
        for conversation_id in self._concerned(at):
            place = self._judge(conversation_id, at)
            if place is not None:
                yield conversation_id, place

    def _concerned(self, at: UnixMs) -> Iterable[ConversationId]:
        """Whoever moved, rests behind a change, or has a pause behind him, each once."""
        moved = self._workspace.moved or {}
        self._workspace.moved = {}
        concerned: dict[ConversationId, None] = {}
        foremost: dict[Audience, Order] = {}
        for conversation_id, before in moved.items():
            after = self._spot(conversation_id)
            if before == after:
                continue
            concerned[conversation_id] = None
            for line, order in (spot for spot in (before, after) if spot is not None):
                foremost[line] = min(order, foremost.get(line, order))
        self.moved = bool(foremost)
        for line, order in foremost.items():
            resting = self._resting.get(line)
            if resting is not None:
                behind = resting.islice(resting.bisect_left(order))
                concerned.update((one.conversation_id, None) for one in behind)
        while self._a_pause_is_over(at):
            told_at, conversation_id = self._recent.first
            self._recent.drop_first()
            told = self._told.get(conversation_id)
            if told is not None and told.at == told_at:
                concerned[conversation_id] = None
        return concerned

    def _spot(self, conversation_id: ConversationId) -> Spot | None:
        place = self._workspace.places.get(conversation_id)
        return None if place is None else (place.line, place.order)

    def _judge(self, conversation_id: ConversationId, at: UnixMs) -> int | None:
        """The place to tell, if it is another than he knows and his pause is over."""
        told = self._told.get(conversation_id)
        if told is not None:
            self._wake(told)
        spot = self._spot(conversation_id)
        if spot is None or self._workspace.conversations[conversation_id].missed:
            return None
        line, order = spot
        place = self._workspace.lines[line].bisect_left(order) + 1
        if told is not None and at - told.at < PAUSE_MS:
            return None
        if told is not None and told.place == place:
            told.rests_at = spot
            self._resting.setdefault(line, SortedList()).add(order)
            return None
        self._told[conversation_id] = _Told(place, at)
        self._recent.append((at, conversation_id))
        return place

    def _wake(self, told: _Told) -> None:
        if told.rests_at is None:
            return
        line, order = told.rests_at
        told.rests_at = None
        resting = self._resting[line]
        resting.remove(order)
        if not resting:
            del self._resting[line]
