"""One workspace in memory: its tables and the indexes that make choosing cheap.

Indexes follow from the tables, are never stored and can be thrown away at any moment
(``reconsider``). Whatever could release waiting work is noted here for ``route`` to look at.
"""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

import msgspec
from sortedcontainers import SortedList

from shared.routing.eligibility import (
    ALONE,
    alone,
    atoms_of,
    is_member,
    may_receive,
    unavailable,
    unfit,
)
from shared.routing.ids import ConversationId, EntryPointId, GroupId, OperatorId, UnixMs
from shared.routing.policy import Policy, resolve
from shared.routing.queue import Lane, Order, excluded_from, order_of
from shared.routing.ranking import Demand, Pool
from shared.routing.scope import Scope
from shared.routing.state import EVERYBODY, Audience, Conversation, Operator, Tables, Timer
from shared.routing.vocabulary import AssignTo, Hold, OwnerCheck, RescindReason, SlowAction

POOLS_MAX = 1_000
"""Pools kept at a time; unused ones beyond it are dropped and built again when needed."""


_OUTDATED_TIMERS_MAX = 64
_SERVED: tuple[Hold, ...] = ("auto", "offer", "affinity_wait")
"""Holds that a free operator ends."""


class Standing(NamedTuple):
    """What the indexes know of an operator, kept to undo it when he changes."""

    atoms: dict[str, None]
    counted: bool
    online: bool
    available: bool
    """Gets conversations automatically."""
    reachable: bool
    """Gets them where ``assign_to`` is ``any``."""
    assignable: bool
    """Whether a person, or a fallback, may direct something to him."""

    def serves(self, assign_to: AssignTo) -> bool:
        return self.available if assign_to == "online" else self.reachable


_GONE = Standing(
    {}, counted=False, online=False, available=False, reachable=False, assignable=False
)


class Place(NamedTuple):
    """Where a waiting conversation stands."""

    hold: Hold
    demand: Demand
    line: Audience
    """The audience in whose line it is counted."""
    excluded: tuple[OperatorId, ...]
    order: Order


class Workspace(Tables):
    """``Tables`` with everything that is derived from them."""

    pools: dict[Demand, Pool] = {}
    pools_by_atom: dict[str, dict[Demand, Pool]] = {}
    standings: dict[OperatorId, Standing] = {}
    members: dict[str, int] = {}
    """Operators who may receive, by atom of an audience."""
    online: dict[str, int] = {}
    """Those of them who are effective online."""
    bound_groups: dict[str, None] = {}
    places: dict[ConversationId, Place] = {}
    lines: dict[Audience, SortedList[Order]] = {}
    """All placed conversations by audience, in the order of service."""
    broadcasts: dict[Audience, SortedList[Order]] = {}
    due: list[Timer] = []
    """A heap; what is not in ``timers`` any more is skipped when it surfaces."""
    declined_by: dict[OperatorId, dict[ConversationId, None]] = {}
    open: dict[ConversationId, None] = {}
    """By arrival."""
    closed: dict[ConversationId, None] = {}
    """By the moment they were closed."""
    policies: dict[tuple[GroupId | None, EntryPointId], Policy] = {}

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
    arrived: dict[OperatorId, None] = {}
    """Operators who became routable members of something."""
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

    # --- looking up -------------------------------------------------------------------------

    def audience_of(self, scope: Scope) -> Audience:
        """Atoms of the audience in ascending order; empty if nobody can be reached."""
        if scope.group is not None:
            group = self.groups.get(scope.group)
            return (scope.group,) if group is not None and group.enabled else ()
        if scope.everyone:
            return (EVERYBODY,)
        if scope.entry_point is None:
            return ()
        entry_point = self.entry_points.get(scope.entry_point)
        if entry_point is None:
            return ()
        if not entry_point.groups:
            return (EVERYBODY,)
        return tuple(sorted(g for g in entry_point.groups if self.groups[g].enabled))

    def policy_of(self, scope: Scope, entry_point_id: EntryPointId) -> Policy:
        """The policy for conversations of ``scope`` that entered at ``entry_point_id``."""
        key = (self._group_of(scope), entry_point_id)
        policy = self.policies.get(key)
        if policy is None:
            group_id, _ = key
            policy = self.policies[key] = resolve(
                (
                    self.group_policies.get(group_id, {}) if group_id is not None else {},
                    self.entry_point_policies.get(entry_point_id, {}),
                    self.workspace_policy,
                )
            )
        return policy

    def _group_of(self, scope: Scope) -> GroupId | None:
        if scope.group is not None:
            return scope.group
        if scope.entry_point is None:
            return None
        entry_point = self.entry_points.get(scope.entry_point)
        if entry_point is None or len(entry_point.groups) != 1:
            return None
        return entry_point.groups[0]

    def workspace_wide(self) -> Policy:
        """The policy of the workspace alone, for what cannot be set anywhere else."""
        return self.policy_of(Scope(everyone=True), EntryPointId(""))

    def policy_for(self, conversation: Conversation) -> Policy:
        """The policy that holds for it; that of its home scope where it is for one operator."""
        scope = conversation.scope
        if scope.operator is not None:
            scope = conversation.home_scope
        return self.policy_of(scope, conversation.entry_point_id)

    def demand_of(self, conversation: Conversation) -> Demand:
        """What it asks of an operator, with everything that widening added or dropped."""
        return self.demand_at(conversation, conversation.scope)

    def demand_at(self, conversation: Conversation, scope: Scope) -> Demand:
        """The same if it were for ``scope``."""
        policy = self.policy_of(scope, conversation.entry_point_id)
        audience = self.audience_of(scope)
        if conversation.reach and audience:
            audience = tuple(sorted({*audience, *filter(self._is_open, conversation.reach)}))
        skills = conversation.skills
        if conversation.optional_skills:
            kept = len(conversation.optional_skills) - conversation.optional_dropped
            skills = tuple(dict.fromkeys((*skills, *conversation.optional_skills[:kept])))
        return Demand(audience, policy.ranking, policy.assign_to, conversation.weight, skills)

    def _is_open(self, atom: str) -> bool:
        group = self.groups.get(GroupId(atom))
        return atom == EVERYBODY or (group is not None and group.enabled)

    def members_of(self, audience: Audience) -> dict[OperatorId, None]:
        """Ids of all operators in the audience, whatever their status."""
        found: dict[OperatorId, None] = {}
        for atom in audience:
            if atom.startswith(ALONE):
                found[OperatorId(atom.removeprefix(ALONE))] = None
            elif atom == EVERYBODY:
                for operator_id, standing in self.standings.items():
                    if EVERYBODY in standing.atoms:
                        found[operator_id] = None
            else:
                found.update(self.groups[GroupId(atom)].members)
        return found

    def somebody_online(self, audience: Audience) -> bool:
        return any(self.online.get(atom, 0) for atom in audience)

    def somebody_belongs(self, audience: Audience) -> bool:
        return any(self.members.get(atom, 0) for atom in audience)

    # --- operators --------------------------------------------------------------------------

    def operator_changed(self, operator: Operator) -> None:
        """Bring every index up to date with whatever changed about the operator."""
        operator_id = operator.operator_id
        before = self.standings.pop(operator_id, None)
        if before is not None:
            self._count(before, -1)
        if operator.removed:
            after = _GONE
        else:
            after = self._standing_of(operator)
            self.standings[operator_id] = after
            self._count(after, +1)
        pools = self._pools_at(after.atoms)
        if before is not None:
            pools.update(self._pools_at(before.atoms))
        for pool in pools.values():
            self._seat(pool, operator, after)
        self._note_arrival(operator_id, before, after)
        self._note_offers(operator, after)
        if before is None or before[2:] != after[2:]:
            self._note_fallback(operator_id)
        self.changed_operators[operator_id] = None

    def load_changed(self, operator: Operator) -> None:
        """The short way of ``operator_changed`` where only load and ranking changed."""
        standing = self.standings.get(operator.operator_id)
        if standing is None or not standing.reachable:
            return
        for atom in standing.atoms:
            for pool in self.pools_by_atom.get(atom, {}).values():
                self._seat(pool, operator, standing)

    def _standing_of(self, operator: Operator) -> Standing:
        human = operator.kind == "human"
        counted = human and may_receive(self.roles, operator)
        return Standing(
            atoms_of(operator, self.bound_groups),
            counted=counted,
            online=counted and operator.effective == "online",
            available=human and not unavailable(self.roles, operator),
            reachable=human and not unavailable(self.roles, operator, "any"),
            assignable=may_receive(self.roles, operator) and operator.effective != "offline",
        )

    def _count(self, standing: Standing, step: int) -> None:
        if not standing.counted:
            return
        for atom in standing.atoms:
            self.members[atom] = self.members.get(atom, 0) + step
            if standing.online:
                before = self.online.get(atom, 0)
                self.online[atom] = before + step
                if not before or not before + step:
                    self.changed_entry_points.update(dict.fromkeys(self.entry_points))
                if not before + step:
                    self._note_nobody_online(atom)

    def _note_nobody_online(self, atom: str) -> None:
        """Conversations that go elsewhere when nobody is online are looked at again."""
        lines = [line for audience, line in self.lines.items() if atom in audience]
        for order in [order for line in lines for order in line]:
            conversation = self.conversations[order.conversation_id]
            if self.policy_for(conversation).fallback_when_nobody_online:
                self.waits(conversation)

    def _pools_at(self, atoms: dict[str, None]) -> dict[Demand, Pool]:
        pools: dict[Demand, Pool] = {}
        for atom in atoms:
            pools.update(self.pools_by_atom.get(atom, {}))
        return pools

    def _seat(self, pool: Pool, operator: Operator, standing: Standing) -> None:
        eligible = (
            standing.serves(pool.demand.assign_to)
            and is_member(pool.demand.audience, standing.atoms)
            and not unfit(operator, pool.demand)
        )
        if not eligible:
            pool.remove(operator.operator_id)
        elif pool.place(operator):
            self.stirred[pool.demand] = pool

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
            demand = self.demand_of(self.conversations[conversation_id])
            if not after.serves(demand.assign_to):
                self.rescinding.setdefault(conversation_id, "unavailable")

    def _note_fallback(self, operator_id: OperatorId) -> None:
        """Modes that may hang on this one operator, and conversations held for want of him."""
        concerned = {
            entry_point_id: None
            for entry_point_id, entry_point in self.entry_points.items()
            if any(target.operator == operator_id for target in entry_point.fallback)
        }
        if not concerned:
            return
        self.changed_entry_points.update(concerned)
        for order in list(self.lines.get((), ())):
            conversation = self.conversations[order.conversation_id]
            if conversation.entry_point_id in concerned:
                self.waits(conversation)

    def pool(self, demand: Demand) -> Pool:
        """The pool for this demand, built by one walk over its audience if it is new."""
        pool = self.pools.get(demand)
        if pool is None:
            if len(self.pools) >= POOLS_MAX:
                self._drop_idle_pools()
            pool = self.pools[demand] = Pool(demand)
            for atom in demand.audience:
                self.pools_by_atom.setdefault(atom, {})[demand] = pool
            for operator_id in self.members_of(demand.audience):
                standing = self.standings[operator_id]
                operator = self.operators[operator_id]
                if standing.serves(demand.assign_to) and not unfit(operator, demand):
                    pool.place(operator)
        return pool

    def pool_size(self, demand: Demand) -> int:
        """Routable members with a free slot, before skills and personal exclusions."""
        return len(self.pool(demand._replace(skills=()) if demand.skills else demand))

    def _drop_idle_pools(self) -> None:
        idle = [demand for demand, pool in self.pools.items() if not pool.lanes]
        for demand in idle[: POOLS_MAX // 2]:
            del self.pools[demand]
            self.stirred.pop(demand, None)
            for atom in demand.audience:
                del self.pools_by_atom[atom][demand]

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
        _drop(self.lines, place.line, place.order)
        if place.hold in _SERVED:
            self._leave_lane(place)
        elif place.hold == "broadcast":
            _drop(self.broadcasts, place.line, place.order)
            self.unannounced.pop(conversation_id, None)

    def takes_place(self, conversation: Conversation, hold: Hold) -> None:
        """The conversation stands in its line until something releases it."""
        conversation_id = conversation.conversation_id
        order = self.undecided.pop(conversation_id)
        self.unplaced.remove(order)
        demand = self.demand_of(conversation)
        line = demand.audience
        if hold == "affinity_wait":
            acquaintance = self.acquaintance_of(conversation)
            assert acquaintance is not None
            demand = demand._replace(audience=(alone(acquaintance),))
        place = Place(hold, demand, line, excluded_from(conversation), order)
        self.places[conversation_id] = place
        self.lines.setdefault(line, SortedList()).add(order)
        if hold in _SERVED:
            self._enter_lane(place)
        elif hold == "broadcast":
            self.broadcasts.setdefault(line, SortedList()).add(order)
            self.unannounced[conversation_id] = None

    def acquaintance_of(self, conversation: Conversation) -> OperatorId | None:
        """Who spoke to this contact, else to this visitor, last."""
        if conversation.contact_id is not None:
            return self.acquaintances.get(conversation.contact_id)
        visitor = self.visitors.get(conversation.visitor_id)
        return visitor.last_operator if visitor is not None else None

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

    # --- timers -----------------------------------------------------------------------------

    def set_timer(self, timer_id: str, due: UnixMs) -> None:
        """Let the timer fall due at ``due``, and not at whatever was set for it before."""
        timer = self.timers[timer_id] = Timer(due, timer_id)
        heappush(self.due, timer)
        if len(self.due) > 2 * len(self.timers) + _OUTDATED_TIMERS_MAX:
            self.due = list(self.timers.values())
            heapify(self.due)

    def cancel_timer(self, timer_id: str) -> None:
        self.timers.pop(timer_id, None)

    def next_due(self) -> Timer | None:
        """The timer that falls due first; of those due together, the first by name."""
        while self.due and self.timers.get(self.due[0].timer_id) is not self.due[0]:
            heappop(self.due)
        return self.due[0] if self.due else None

    # --- everything -------------------------------------------------------------------------

    def restore(self) -> None:
        """Build every index from the tables, after these came from a snapshot."""
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
        self.bound_groups = {
            group_id: None for point in self.entry_points.values() for group_id in point.groups
        }
        self.pools, self.pools_by_atom, self.stirred = {}, {}, {}
        self.standings, self.members, self.online = {}, {}, {}
        self.places, self.lines, self.broadcasts, self.policies = {}, {}, {}, {}
        self.undecided = {
            conversation.conversation_id: order_of(conversation, self.policy_for(conversation))
            for conversation in self.conversations.values()
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
