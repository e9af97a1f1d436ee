"""One workspace in memory: its tables and the indexes that make choosing cheap.

Indexes follow from the tables, are never stored and can be thrown away at any moment
(``reconsider``). ``Scopes`` looks up, ``Agenda`` notes, ``Seats`` holds operators; here wait the
conversations.
"""

from heapq import heapify

import msgspec
from sortedcontainers import SortedList

from shared.routing.eligibility import alone
from shared.routing.fifo import Fifo
from shared.routing.ids import ContactId, ConversationId, EntryPointId, GroupId, OperatorId
from shared.routing.queue import Lane, Order, excluded_from, order_of
from shared.routing.ranking import Demand
from shared.routing.scope import Scope
from shared.routing.seats import Seats, Standing
from shared.routing.state import EVERYBODY, Audience, CommandKey, Conversation, Operator
from shared.routing.status import not_routable
from shared.routing.vocabulary import Hold

_SERVED: tuple[Hold, ...] = ("auto", "offer", "affinity_wait")
"""Holds that a free operator ends."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a waiting conversation stands."""

    hold: Hold
    demand: Demand
    line: Audience
    """The audience in whose line it is counted: that of its scope, whoever else is reached."""
    excluded: tuple[OperatorId, ...]
    order: Order


Spot = tuple[Audience, Order]
"""In whose line, and where in it."""


class Workspace(Seats):
    """``Seats`` with the lines in which conversations wait, and the lists of them."""

    places: dict[ConversationId, Place] = {}
    lines: dict[Audience, SortedList[Order]] = {}
    """All placed conversations by audience, in the order of service."""
    broadcasts: dict[Audience, SortedList[Order]] = {}
    overflowing: dict[EntryPointId, dict[ConversationId, None]] = {}
    """Placed ones that go elsewhere as soon as a fallback of their entry point can take them."""
    awaiting: dict[ContactId, dict[ConversationId, None]] = {}
    """Conversations that wait for an acquaintance, by contact."""
    declined_by: dict[OperatorId, dict[ConversationId, None]] = {}
    open: dict[ConversationId, None] = {}
    """By arrival."""
    closed: dict[ConversationId, None] = {}
    """By the moment they were closed."""
    moved: dict[ConversationId, Spot | None] | None = None
    """Where each conversation stood that has moved since somebody looked; null if nobody does."""
    commands_by_age: Fifo[CommandKey] = msgspec.field(default_factory=Fifo)
    """The keys of ``commands`` in their order."""

    # --- operators --------------------------------------------------------------------------

    def operator_changed(self, operator: Operator) -> None:
        """Bring every index up to date with whatever changed about the operator."""
        before, after, emptied, filled = self.reseat(operator)
        self._note_arrival(operator.operator_id, before, after)
        self._note_offers(operator, after)
        self._note_acquaintance(operator.operator_id)
        if before is None or before[3:] != after[3:]:
            self._note_fallback(operator.operator_id)
        for atom in emptied:
            self._note_nobody_online(atom)
        for atom in filled:
            self._note_somebody_online(atom)
        self.changed_operators[operator.operator_id] = None

    def consent_changed(self, operator: Operator) -> None:
        """The short way of ``operator_changed`` where only his preferences changed."""
        self.reseat(operator)

    def _note_arrival(
        self, operator_id: OperatorId, before: Standing | None, after: Standing
    ) -> None:
        if not self.broadcasts or not after.available:
            return
        if before is None or not before.available or before.atoms != after.atoms:
            self.arrived[operator_id] = None

    def _note_offers(self, operator: Operator, after: Standing) -> None:
        """Offers to somebody who cannot take them any more are to be rescinded."""
        for conversation_id in operator.offered:
            conversation = self.conversations[conversation_id]
            if conversation.forward is not None:  # may have been made to a bot, by name
                takes = after.assignable and not_routable(operator) is None
            else:
                takes = after.serves(self.demand_of(conversation).assign_to)
            if not takes:
                self.rescinding.setdefault(conversation_id, "unavailable")

    def _note_acquaintance(self, operator_id: OperatorId) -> None:
        """Whether to wait for him any longer is a question again."""
        by_skill = self.pools_by_atom.get(alone(operator_id), {})
        for pool in [pool for pools in by_skill.values() for pool in pools.values()]:
            orders = [order for lane in pool.lanes.values() for order in lane.orders]
            for order in orders:
                self.waits(self.conversations[order.conversation_id])

    def met(self, conversation: Conversation) -> None:
        """The visitor has a new acquaintance: no other is waited for."""
        visitor = self.visitors[conversation.visitor_id]
        same = dict.fromkeys(visitor.conversations)
        if conversation.contact_id is not None:
            same.update(self.awaiting.get(conversation.contact_id, {}))
        for conversation_id in same:
            place = self.places.get(conversation_id)
            if place is not None and place.hold == "affinity_wait":
                self.waits(self.conversations[conversation_id])

    def _note_fallback(self, operator_id: OperatorId) -> None:
        """Modes that may hang on this one operator, and conversations held for want of him."""
        concerned = {
            entry_point_id: None
            for entry_point_id, entry_point in self.entry_points.items()
            if any(target.operator == operator_id for target in entry_point.fallback)
        }
        self.changed_entry_points.update(concerned)
        self._look_for_fallbacks(concerned)

    def _note_somebody_online(self, atom: str) -> None:
        """Conversations that pass over fallbacks with nobody online have one more."""
        scope = Scope(everyone=True) if atom == EVERYBODY else Scope(group=GroupId(atom))
        self._look_for_fallbacks(
            {
                entry_point_id: None
                for entry_point_id, entry_point in self.entry_points.items()
                if scope in entry_point.fallback
            }
        )

    def _look_for_fallbacks(self, concerned: dict[EntryPointId, None]) -> None:
        for entry_point_id in concerned:
            for conversation_id in list(self.overflowing.get(entry_point_id, ())):
                self.waits(self.conversations[conversation_id])

    def _note_nobody_online(self, atom: str) -> None:
        """Conversations that go elsewhere when nobody is online are looked at again."""
        for conversation_id in [its_id for each in self.overflowing.values() for its_id in each]:
            conversation = self.conversations[conversation_id]
            somewhere_else = atom not in self.places[conversation_id].line
            if not somewhere_else and self.policy_for(conversation).fallback_when_nobody_online:
                self.waits(conversation)

    def _may_overflow(self, conversation: Conversation, place: Place) -> bool:
        """Whether it is there only because no fallback could take it, or may be one day."""
        if not place.line or place.hold == "out_of_hours":
            return True
        return self.policy_for(conversation).fallback_when_nobody_online

    # --- conversations ----------------------------------------------------------------------

    def waits(self, conversation: Conversation) -> None:
        """The conversation is without an owner from here on; ``route`` is to decide on it."""
        self.leaves_queue(conversation)
        order = order_of(conversation, self.policy_for(conversation))
        self.undecided[conversation.conversation_id] = order
        self.unplaced.add(order)

    def leaves_queue(self, conversation: Conversation) -> None:
        """Take the conversation out of wherever it waits."""
        conversation_id = conversation.conversation_id
        order = self.undecided.pop(conversation_id, None)
        if order is not None:
            self.unplaced.remove(order)
            return
        place = self.places.pop(conversation_id, None)
        if place is None:
            return
        if self.moved is not None:
            self.moved.setdefault(conversation_id, (place.line, place.order))
        _drop(self.lines, place.line, place.order)
        self.overflowing.get(conversation.entry_point_id, {}).pop(conversation_id, None)
        if place.hold in _SERVED:
            self._leave_lane(place)
            self._awaits_nobody(conversation)
        elif place.hold == "broadcast":
            _drop(self.broadcasts, place.demand.audience, place.order)
            self.unannounced.pop(conversation_id, None)

    def takes_place(self, conversation: Conversation, hold: Hold) -> None:
        """The conversation stands in its line until something releases it."""
        conversation_id = conversation.conversation_id
        order = self.undecided.pop(conversation_id)
        self.unplaced.remove(order)
        demand = self.demand_of(conversation)
        line = self.audience_of(conversation.scope)
        if hold == "affinity_wait":
            acquaintance = self.acquaintance_of(conversation)
            assert acquaintance is not None
            demand = demand._replace(audience=(alone(acquaintance),))
            if conversation.contact_id is not None:
                known = self.awaiting.setdefault(conversation.contact_id, {})
                known[conversation_id] = None
        if hold in _SERVED:
            demand = self.pool(demand).demand  # the same for all, and not one for each
        place = Place(hold, demand, line, excluded_from(conversation), order)
        self.places[conversation_id] = place
        if self.moved is not None:
            self.moved.setdefault(conversation_id, None)
        self.lines.setdefault(line, SortedList()).add(order)
        if self._may_overflow(conversation, place):
            theirs = self.overflowing.setdefault(conversation.entry_point_id, {})
            theirs[conversation_id] = None
        if hold in _SERVED:
            self._enter_lane(place)
        elif hold == "broadcast":
            self.broadcasts.setdefault(demand.audience, SortedList()).add(order)
            self.unannounced[conversation_id] = None

    def _awaits_nobody(self, conversation: Conversation) -> None:
        known = self.awaiting.get(conversation.contact_id) if conversation.contact_id else None
        if known is not None and conversation.contact_id is not None:
            known.pop(conversation.conversation_id, None)
            if not known:
                del self.awaiting[conversation.contact_id]

    def _enter_lane(self, place: Place) -> None:
        pool = self.pool(place.demand)
        lane = pool.lanes.get(place.excluded)
        if lane is None:
            lane = pool.lanes[place.excluded] = Lane(place.excluded)
        elif lane.orders[0] > place.order:
            pool.heads.remove((lane.orders[0], place.excluded))
        lane.orders.add(place.order)
        if lane.orders[0] is place.order:
            pool.heads.add((place.order, place.excluded))

    def _leave_lane(self, place: Place) -> None:
        pool = self.pools[place.demand]
        lane = pool.lanes[place.excluded]
        was_head = lane.orders[0] == place.order
        lane.orders.remove(place.order)
        if was_head:
            pool.heads.remove((place.order, place.excluded))
            if lane.orders:
                pool.heads.add((lane.orders[0], place.excluded))
        if not lane.orders:
            del pool.lanes[place.excluded]

    def place_in_line(self, conversation: Conversation) -> int | None:
        """How many of the same audience are served before it, plus one; none if not waiting."""
        place = self.places.get(conversation.conversation_id)
        if place is None:
            return None
        return self.lines[place.line].bisect_left(place.order) + 1

    # --- everything -------------------------------------------------------------------------

    def restore(self) -> None:
        """Build every index from the tables, after these were folded or came from a snapshot.

        ``evolve`` alone leaves behind what ``route`` was to look at, and whom it would have put
        back into a line.
        """
        self.forget()
        self.commands_by_age = Fifo(self.commands)
        self.due = list(self.timers.values())
        heapify(self.due)
        by_arrival = sorted(self.conversations.values(), key=lambda c: c.arrival)
        self.open = {c.conversation_id: None for c in by_arrival if c.state != "closed"}
        ended = [c for c in by_arrival if c.closed_position is not None]
        ended.sort(key=lambda c: c.closed_position or 0)
        self.closed = {c.conversation_id: None for c in ended}
        for conversation in self.conversations.values():
            for operator_id in conversation.declined:
                waiting = self.declined_by.setdefault(operator_id, {})
                waiting[conversation.conversation_id] = None
        self.reconsider()

    def reconsider(self) -> None:
        """Forget every index and look at everything again: who may take what has changed."""
        if self.moved is not None:
            for conversation_id, place in self.places.items():
                self.moved.setdefault(conversation_id, (place.line, place.order))
        self.bound_groups = {
            group_id: None for point in self.entry_points.values() for group_id in point.groups
        }
        self.pools, self.pools_by_atom, self.stirred, self.combinations = {}, {}, {}, {}
        self.standings, self.members, self.online, self.alertable = {}, {}, {}, {}
        self.places, self.lines, self.broadcasts, self.policies = {}, {}, {}, {}
        self.audiences = {}
        self.awaiting, self.overflowing = {}, {}
        under_way = [self.conversations[its_id] for its_id in self.open]
        self.undecided = {
            conversation.conversation_id: order_of(conversation, self.policy_for(conversation))
            for conversation in under_way
            if conversation.state == "waiting"
        }
        self.unplaced = SortedList(self.undecided.values())
        for operator in self.operators.values():
            self.operator_changed(operator)
        self.changed_entry_points.update(dict.fromkeys(self.entry_points))


def _drop(lines: dict[Audience, SortedList[Order]], audience: Audience, order: Order) -> None:
    line = lines[audience]
    line.remove(order)
    if not line:
        del lines[audience]
