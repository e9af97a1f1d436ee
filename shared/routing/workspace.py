"""One workspace in memory: its tables and the indexes that make choosing cheap.

Indexes follow from the tables, are never stored and can be thrown away at any moment
(``reconsider``). Whatever could release waiting work is noted here for ``route`` to look at.
"""

from typing import NamedTuple

import msgspec
from sortedcontainers import SortedList

from shared.routing.eligibility import atoms_of, is_member, may_receive, unavailable, unfit
from shared.routing.fifo import Fifo
from shared.routing.ids import ConversationId, EntryPointId, GroupId, OperatorId
from shared.routing.policy import Policy, resolve
from shared.routing.queue import Lane, Order, excluded_from, order_of
from shared.routing.ranking import Demand, Pool
from shared.routing.scope import Scope
from shared.routing.state import (
    EVERYBODY,
    Audience,
    CommandKey,
    Conversation,
    Operator,
    Tables,
    Timer,
)
from shared.routing.vocabulary import Delivery

POOLS_MAX = 1_000
"""Pools kept at a time; unused ones beyond it are dropped and built again when needed."""


class Standing(NamedTuple):
    """What the indexes know of an operator, kept to undo it when he changes."""

    atoms: dict[str, None]
    counted: bool
    online: bool
    available: bool
    assignable: bool
    """Whether a person, or a fallback, may direct something to him."""


class Place(NamedTuple):
    """Where a waiting conversation stands."""

    hold: Delivery
    demand: Demand
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
    due: SortedList[Timer] = msgspec.field(default_factory=SortedList)
    declined_by: dict[OperatorId, dict[ConversationId, None]] = {}
    open: dict[ConversationId, None] = {}
    """By arrival."""
    closed: dict[ConversationId, None] = {}
    """By the moment they were closed."""
    policies: dict[tuple[GroupId | None, EntryPointId], Policy] = {}
    commands_by_age: Fifo[CommandKey] = msgspec.field(default_factory=Fifo)
    """The keys of ``commands`` in their order."""

    changed_operators: dict[OperatorId, None] = {}
    changed_entry_points: dict[EntryPointId, None] = {}
    adrift: dict[ConversationId, None] = {}
    """Owned conversations whose scope has ceased to exist."""
    unplaced: SortedList[Order] = msgspec.field(default_factory=SortedList)
    """Waiting conversations for which nothing is decided yet."""
    stirred: dict[Demand, Pool] = {}
    """Pools that somebody entered since they were last looked at."""
    unannounced: dict[ConversationId, None] = {}
    arrived: dict[OperatorId, list[ConversationId] | None] = {}
    """Operators who became routable members of something, with what is left to tell them."""

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
        return tuple(sorted([g for g in entry_point.groups if self.groups[g].enabled]))

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

    def demand_of(self, conversation: Conversation) -> Demand:
        scope = conversation.scope
        policy = self.policy_of(scope, conversation.entry_point_id)
        return Demand(
            self.audience_of(scope), policy.ranking, conversation.weight, conversation.skills
        )

    def members_of(self, audience: Audience) -> dict[OperatorId, None]:
        """Ids of all operators in the audience, whatever their status."""
        found: dict[OperatorId, None] = {}
        for atom in audience:
            if atom == EVERYBODY:
                for operator_id, standing in self.standings.items():
                    if EVERYBODY in standing.atoms:
                        found[operator_id] = None
            else:
                found.update(self.groups[GroupId(atom)].members)
        return found

    def somebody_online(self, audience: Audience) -> bool:
        for atom in audience:
            if self.online.get(atom, 0):
                return True
        return False

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
            after = Standing({}, counted=False, online=False, available=False, assignable=False)
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
        if before is None or before[2:] != after[2:]:
            self._note_fallback(operator_id)
        self.changed_operators[operator_id] = None

    def load_changed(self, operator: Operator) -> None:
        """The short way of ``operator_changed`` where only load and ranking changed."""
        standing = self.standings.get(operator.operator_id)
        if standing is None or not standing.available:
            return
        for atom in standing.atoms:
            for pool in self.pools_by_atom.get(atom, {}).values():
                self._seat(pool, operator, standing)

    def _standing_of(self, operator: Operator) -> Standing:
        counted = may_receive(self.roles, operator)
        return Standing(
            atoms_of(operator, self.bound_groups),
            counted=counted,
            online=counted and operator.effective == "online",
            available=not unavailable(self.roles, operator),
            assignable=counted and operator.effective != "offline",
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

    def _pools_at(self, atoms: dict[str, None]) -> dict[Demand, Pool]:
        pools: dict[Demand, Pool] = {}
        for atom in atoms:
            pools.update(self.pools_by_atom.get(atom, {}))
        return pools

    def _seat(self, pool: Pool, operator: Operator, standing: Standing) -> None:
        eligible = (
            standing.available
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
                if standing.available and not unfit(operator, demand):
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
        self.unplaced.add(order_of(conversation))

    def leaves_queue(self, conversation: Conversation) -> None:
        """Take the conversation out of wherever it waits; call before its order changes."""
        place = self.places.pop(conversation.conversation_id, None)
        if place is None:
            self.unplaced.discard(order_of(conversation))
            return
        _drop(self.lines, place.demand.audience, place.order)
        if place.hold == "auto":
            self._leave_lane(place)
        elif place.hold == "broadcast":
            _drop(self.broadcasts, place.demand.audience, place.order)
            self.unannounced.pop(conversation.conversation_id, None)

    def takes_place(self, conversation: Conversation, hold: Delivery) -> None:
        """The conversation stands in its line until something releases it."""
        order = order_of(conversation)
        self.unplaced.discard(order)
        demand = self.demand_of(conversation)
        place = Place(hold, demand, excluded_from(conversation), order)
        self.places[conversation.conversation_id] = place
        self.lines.setdefault(demand.audience, SortedList()).add(order)
        if hold == "auto":
            self._enter_lane(place)
        elif hold == "broadcast":
            self.broadcasts.setdefault(demand.audience, SortedList()).add(order)
            self.unannounced[conversation.conversation_id] = None

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
        return self.lines[place.demand.audience].bisect_left(place.order) + 1

    # --- everything -------------------------------------------------------------------------

    def restore(self) -> None:
        """Build every index from the tables, after these were folded or came from a snapshot.

        ``evolve`` alone leaves behind what ``route`` was to look at, and whom it would have put
        back into a line.
        """
        self.changed_operators, self.changed_entry_points = {}, {}
        self.adrift, self.unannounced, self.arrived = {}, {}, {}
        self.due = SortedList(self.timers.values())
        self.commands_by_age = Fifo(self.commands)
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
        self.unplaced = SortedList(
            order_of(conversation)
            for conversation in self.conversations.values()
            if conversation.state == "waiting"
        )
        for operator in self.operators.values():
            self.operator_changed(operator)
        self.changed_entry_points.update(dict.fromkeys(self.entry_points))


def _drop(lines: dict[Audience, SortedList[Order]], audience: Audience, order: Order) -> None:
    line = lines[audience]
    line.remove(order)
    if not line:
        del lines[audience]
