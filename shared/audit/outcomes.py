"""What came of a stretch of time: how long visitors waited, and how much operators had to carry.

Measured the same way on what was recorded and on what would have been. Whole numbers only: waits
in milliseconds, loads in thousandths, percentiles by nearest rank.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import msgspec

from shared.audit.watching import Watched, stage_of
from shared.routing.events import ConversationQueued, Event, SlotRetaken
from shared.routing.ids import ConversationId, OperatorId, UnixMs
from shared.routing.state import Conversation
from shared.routing.vocabulary import WaitingReason

WAIT_BOUNDS_MS = (1_000, 5_000, 15_000, 30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000)
"""Upper bounds of the buckets in which waits are counted; a last bucket takes the longer ones."""


class Waited(msgspec.Struct, frozen=True):
    """How one conversation fared until a person had it.

    ``waited_ms`` leaves out the time that a bot had it. ``first_owner`` is null where nobody had
    it; ``reason`` is the last one that it was queued for before that, null where it never was.
    """

    first_owner: OperatorId | None
    waited_ms: int
    reason: WaitingReason | None
    waits_still: bool


class Waits(msgspec.Struct, frozen=True):
    """How long the assigned ones waited. All zero where there are none."""

    p50_ms: int
    p90_ms: int
    p99_ms: int
    max_ms: int
    mean_ms: int
    counts: tuple[int, ...]
    """By the bounds of ``WAIT_BOUNDS_MS``, and one more for what lies beyond."""


class Load(msgspec.Struct, frozen=True):
    """What one operator had to carry.

    ``excess`` counts how often something came on top of a full load.
    """

    operator_id: OperatorId
    capacity: int
    """At the end of the stretch."""
    assignments: int
    peak_load: int
    mean_load_thousandths: int
    excess: int


class Outcome(msgspec.Struct, frozen=True):
    """What came of the conversations that began to wait in the stretch, or waited already."""

    conversations: int
    assigned: int
    gave_up: int
    """Ended before a person had them."""
    waiting_still: int
    with_bots: int
    """With a bot at the end, and no person had them before."""
    missed: int
    waits: Waits
    loads: tuple[Load, ...]


# --- one conversation -----------------------------------------------------------------------


class _Wait(msgspec.Struct):
    since: UnixMs | None
    """Since when it waits; null while it does not."""
    waited_ms: int = 0
    first_owner: OperatorId | None = None
    by_person: bool = False
    over: bool = False
    reason: WaitingReason | None = None

    def pause(self, at: UnixMs) -> None:
        if self.since is not None:
            self.waited_ms += at - self.since
            self.since = None


class _Carried(msgspec.Struct):
    load: int
    since: UnixMs
    peak: int
    area: int = 0
    assignments: int = 0
    excess: int = 0

    def now(self, load: int, at: UnixMs) -> None:
        self.area += self.load * (at - self.since)
        self.load, self.since = load, at
        self.peak = max(self.peak, load)


class Meter:
    """Told of every event of a workspace that is being folded or played, right after it."""

    def __init__(self, workspace: Watched) -> None:
        self._workspace = workspace
        self._missed = 0
        self._owners: dict[ConversationId, OperatorId | None] = {}
        self._waits: dict[ConversationId, _Wait] = {}
        self._carried: dict[OperatorId, _Carried] = {}
        for its_id, conversation in workspace.conversations.items():
            self._owners[its_id] = conversation.owner
            if stage_of(conversation) == "waiting":
                self._waits[its_id] = _Wait(conversation.queued_at)
        for operator_id, operator in workspace.operators.items():
            if not operator.removed:
                self._carry(operator_id, operator.load)

    def _carry(self, operator_id: OperatorId, load: int) -> _Carried:
        carried = _Carried(load, self._workspace.at, load)
        self._carried[operator_id] = carried
        return carried

    def note(self, event: Event, touched: Sequence[ConversationId]) -> None:
        """``touched``: the conversations that the event may have moved."""
        for conversation_id in touched:
            self._note_conversation(self._workspace.conversations[conversation_id])
        for operator_id in self._workspace.loaded:
            load = self._workspace.operators[operator_id].load
            carried = self._carried.get(operator_id) or self._carry(operator_id, 0)
            carried.now(load, self._workspace.at)
        if isinstance(event, ConversationQueued):
            wait = self._waits.get(event.conversation_id)
            if wait is not None and not wait.over:
                wait.reason = event.reason
        elif isinstance(event, SlotRetaken) and event.excess:
            self._carried[event.operator_id].excess += 1

    def _note_conversation(self, conversation: Conversation) -> None:
        its_id, at = conversation.conversation_id, self._workspace.at
        owner, before = conversation.owner, self._owners.get(its_id)
        stage = stage_of(conversation)
        if stage != "closed" and before is None and its_id not in self._waits:
            self._waits[its_id] = _Wait(at)
        wait = self._waits.get(its_id)
        self._owners[its_id] = owner
        if owner is not None and owner != before:
            carried = self._carried.get(owner) or self._carry(owner, 0)
            carried.assignments += 1
            carried.excess += self._is_full(owner)
        if wait is None or wait.over:
            return
        if owner is not None:
            wait.pause(at)
            self._is_owned(wait, owner)
        elif stage == "closed":
            wait.pause(at)
            wait.over = True
        elif wait.since is None:
            wait.since = at

    def _is_full(self, operator_id: OperatorId) -> bool:
        operator = self._workspace.operators[operator_id]
        return operator.load > operator.capacity

    def _is_owned(self, wait: _Wait, owner: OperatorId) -> None:
        wait.by_person = wait.over = self._workspace.operators[owner].kind == "human"
        if wait.by_person or wait.first_owner is None:
            wait.first_owner = owner

    # --- at the end -------------------------------------------------------------------------

    def waited(self, ends_at: UnixMs) -> dict[ConversationId, Waited]:
        """Every conversation that waited in the stretch."""
        return {its_id: _fared(wait, ends_at) for its_id, wait in self._waits.items()}

    def outcome(self, begins_at: UnixMs, ends_at: UnixMs) -> Outcome:
        """All of it in numbers; mean loads are those over this time."""
        waits = list(self._waits.values())
        assigned = [wait.waited_ms for wait in waits if wait.by_person]
        pending = [wait for wait in waits if not wait.over]
        still = sum(wait.since is not None for wait in pending)
        missed = sum(self._workspace.conversations[its_id].missed for its_id in self._waits)
        return Outcome(
            conversations=len(waits),
            assigned=len(assigned),
            gave_up=len(waits) - len(assigned) - len(pending),
            waiting_still=still,
            with_bots=len(pending) - still,
            missed=missed,
            waits=summed_up(assigned),
            loads=tuple(self._loads(max(ends_at - begins_at, 1), ends_at)),
        )

    def _loads(self, lasted_ms: int, ends_at: UnixMs) -> Iterator[Load]:
        for operator_id, operator in sorted(self._workspace.operators.items()):
            carried = self._carried.get(operator_id)
            if carried is None and operator.removed:
                continue
            carried = carried or self._carry(operator_id, 0)
            carried.now(carried.load, ends_at)
            yield Load(
                operator_id=operator_id,
                capacity=operator.capacity,
                assignments=carried.assignments,
                peak_load=carried.peak,
                mean_load_thousandths=carried.area * 1_000 // lasted_ms,
                excess=carried.excess,
            )


def _fared(wait: _Wait, ends_at: UnixMs) -> Waited:
    still = wait.since is not None
    running = ends_at - wait.since if wait.since is not None else 0
    return Waited(wait.first_owner, wait.waited_ms + running, wait.reason, still)


def summed_up(waits_ms: Sequence[int]) -> Waits:
    """Percentiles, mean and buckets of any number of waits."""
    ordered = sorted(waits_ms)
    counts = [0] * (len(WAIT_BOUNDS_MS) + 1)
    for waited_ms in ordered:
        counts[bisect_left(WAIT_BOUNDS_MS, waited_ms)] += 1
    if not ordered:
        return Waits(0, 0, 0, 0, 0, tuple(counts))
    return Waits(
        p50_ms=nearest_rank(ordered, 50),
        p90_ms=nearest_rank(ordered, 90),
        p99_ms=nearest_rank(ordered, 99),
        max_ms=ordered[-1],
        mean_ms=sum(ordered) // len(ordered),
        counts=tuple(counts),
    )


def nearest_rank(ordered: Sequence[int], percent: int) -> int:
    """The smallest value that at least ``percent`` of all do not exceed."""
    return ordered[(percent * len(ordered) + 99) // 100 - 1]
