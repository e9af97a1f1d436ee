"""What ``route`` has to look at: noted as events are applied, empty when the state is at rest."""

from heapq import heapify, heappop, heappush

import msgspec
from sortedcontainers import SortedList

from shared.routing.ids import ConversationId, EntryPointId, OperatorId, UnixMs
from shared.routing.queue import Order
from shared.routing.ranking import Demand, Pool
from shared.routing.scopes import Scopes
from shared.routing.state import Timer
from shared.routing.vocabulary import OwnerCheck, RescindReason, SlowAction

CONTINUES = "continues"
"""The timer of a pass that was cut; it comes before all others."""

_OUTDATED_TIMERS_MAX = 64


class Agenda(Scopes):
    """``Scopes`` with everything that is still to be decided, now or when it falls due."""

    changed_operators: dict[OperatorId, None] = {}
    changed_entry_points: dict[EntryPointId, None] = {}
    adrift: dict[ConversationId, None] = {}
    """Owned conversations whose scope has ceased to exist."""
    undecided: dict[ConversationId, Order] = {}
    unplaced: SortedList[Order] = msgspec.field(default_factory=SortedList)
    """Waiting conversations for which nothing is decided yet."""
    stirred: dict[Demand, Pool] = {}
    """Pools that somebody entered since they were last looked at."""
    unannounced: dict[ConversationId, None] = {}
    arrived: dict[OperatorId, list[ConversationId] | None] = {}
    """Operators who became routable members of something, with what is left to tell them."""
    rescinding: dict[ConversationId, RescindReason] = {}
    """Live offers that something has overtaken."""
    forwarding: dict[ConversationId, None] = {}
    """Forwards on offer of which nobody holds a live offer."""
    slow: dict[ConversationId, SlowAction] = {}
    """Conversations for which a step of ``on_slow`` is to be taken."""
    widening: dict[ConversationId, int] = {}
    """Conversations for which a step of ``widening`` is to be taken."""
    owner_checks: dict[ConversationId, OwnerCheck] = {}
    """Conversations whose owner may be gone, at a moment at which that counts."""
    unanswering: dict[OperatorId, None] = {}
    """Operators who let an offer expire."""

    due: list[Timer] = []
    """A heap; what is not in ``timers`` any more is skipped when it surfaces."""

    def set_timer(self, timer_id: str, due: UnixMs) -> None:
        """Let the timer fall due at ``due``, and not at whatever was set for it before."""
        timer = self.timers[timer_id] = Timer(due, timer_id)
        heappush(self.due, timer)
        if len(self.due) > 2 * len(self.timers) + _OUTDATED_TIMERS_MAX:
            self.due = list(self.timers.values())
            heapify(self.due)

    def cancel_timer(self, timer_id: str) -> None:
        self.timers.pop(timer_id, None)

    @property
    def is_cut(self) -> bool:
        """Whether decisions are outstanding that a timer, due at once, is to go on with."""
        return CONTINUES in self.timers

    def next_due(self) -> Timer | None:
        """The timer that falls due first; of those due together, the first by name.

        What a pass that was cut has left over comes before anything new.
        """
        if self.is_cut:
            return self.timers[CONTINUES]
        while self.due and self.timers.get(self.due[0].timer_id) is not self.due[0]:
            heappop(self.due)
        return self.due[0] if self.due else None

    def forget(self) -> None:
        """Nothing is left to look at."""
        self.changed_operators, self.changed_entry_points = {}, {}
        self.adrift, self.unannounced, self.arrived = {}, {}, {}
        self.rescinding, self.forwarding, self.slow = {}, {}, {}
        self.widening, self.owner_checks, self.unanswering = {}, {}, {}
