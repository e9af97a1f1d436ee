"""A naive reading of the rules, to hold the engine against.

It walks over all operators and all conversations for every answer, looks only at plain tables, and
keeps its own record of who was assigned when. It knows nothing of pools, lanes and lines.
"""

from fractions import Fraction
from typing import Any, NamedTuple

from shared.routing.events import (
    ConversationAssigned,
    ConversationClosed,
    ConversationForwarded,
    ConversationReleased,
    Event,
    OperatorRegistered,
    OwnerLeft,
    StatusChosen,
)
from shared.routing.ids import ConversationId, GroupId, OperatorId
from shared.routing.scope import Scope
from shared.routing.state import Conversation, EntryPoint, Operator, Tables
from shared.routing.transaction import Recorded

Rank = tuple[Fraction, int, str]


class Look(NamedTuple):
    """What there is to say about one conversation that waits to be routed."""

    order: tuple[int, int]
    delivery: str
    ranking: str
    groups: tuple[str, ...]
    members: list[OperatorId]
    routable: list[OperatorId]
    with_room: list[OperatorId]
    skilled: list[OperatorId]
    eligible: dict[OperatorId, Rank]
    heir: OperatorId | None


class Reference:
    """The rules once more, without any speed."""

    def __init__(self) -> None:
        self.owners: dict[ConversationId, OperatorId | None] = {}
        self.last_assigned: dict[OperatorId, int] = {}
        self.idle_since: dict[OperatorId, int] = {}
        self.turns: dict[tuple[tuple[str, ...], OperatorId], int] = {}
        self.signed_in: dict[OperatorId, bool] = {}
        self.declined: dict[ConversationId, set[OperatorId]] = {}

    # --- what happened ----------------------------------------------------------------------

    def note(self, tables: Tables, recorded: Recorded, before: dict[ConversationId, Look]) -> None:
        """Take note of who owns what and who has come since the last event."""
        position, event = recorded.position, recorded.envelope.data
        for its_id, conversation in tables.conversations.items():
            old, new = self.owners.get(its_id), conversation.owner
            if old != new:
                self.owners[its_id] = new
                if old is not None:
                    self.idle_since[old] = position
                if new is not None:
                    self.idle_since[new] = self.last_assigned[new] = position
        for operator_id, operator in tables.operators.items():
            if operator.sessions and not self.signed_in.get(operator_id):
                self.idle_since[operator_id] = position
            self.signed_in[operator_id] = bool(operator.sessions)
        self._note_refusals(event)
        if isinstance(event, OperatorRegistered):
            self._forget(event.operator_id)
        if isinstance(event, ConversationAssigned) and event.ranking == "round_robin":
            groups = before[event.conversation_id].groups
            self.turns[groups, event.operator_id] = position

    def _note_refusals(self, event: Event) -> None:
        """Who gave something back is not asked until another had it or he sets a status."""
        match event:
            case OwnerLeft(its_id, operator_id) | ConversationReleased(its_id, operator_id):
                self.declined.setdefault(its_id, set()).add(operator_id)
            case ConversationForwarded(its_id) | ConversationClosed(its_id):
                self.declined.pop(its_id, None)
            case StatusChosen(operator_id):
                for refused_by in self.declined.values():
                    refused_by.discard(operator_id)
            case _:
                for its_id in [i for i in self.declined if self.owners.get(i) is not None]:
                    del self.declined[its_id]

    def _forget(self, operator_id: OperatorId) -> None:
        """Whoever is registered again after a removal begins anew."""
        self.last_assigned.pop(operator_id, None)
        self.idle_since.pop(operator_id, None)
        for key in [key for key in self.turns if key[1] == operator_id]:
            del self.turns[key]

    # --- what follows -----------------------------------------------------------------------

    def look(self, tables: Tables) -> dict[ConversationId, Look]:
        return {
            its_id: self._look(tables, conversation)
            for its_id, conversation in tables.conversations.items()
            if conversation.state == "waiting" and conversation.scope.operator is None
        }

    def _look(self, tables: Tables, conversation: Conversation) -> Look:
        ranking = policy(tables, conversation, "ranking", "most_free_slots")
        groups = groups_of(tables, conversation.scope)
        members = members_of(tables, conversation.scope)
        routable = [its_id for its_id in members if is_routable(tables, its_id)]
        with_room = [its_id for its_id in routable if room(tables, its_id) >= conversation.weight]
        skilled = [
            its_id
            for its_id in with_room
            if set(conversation.skills) <= set(tables.operators[its_id].skills)
        ]
        heir = heir_of(tables, conversation)
        refused_by = self.declined.get(conversation.conversation_id, set())
        excluded = {*refused_by, *conversation.participants}
        return Look(
            order=(conversation.queued_at - 120_000 * conversation.priority, conversation.arrival),
            delivery=policy(tables, conversation, "delivery", "auto"),
            ranking=ranking,
            groups=groups,
            members=members,
            routable=routable,
            with_room=with_room,
            skilled=skilled,
            eligible={
                its_id: self._rank(tables, its_id, conversation, ranking, groups)
                for its_id in skilled
                if its_id not in excluded and heir is None
            },
            heir=heir,
        )

    def _rank(
        self,
        tables: Tables,
        operator_id: OperatorId,
        conversation: Conversation,
        ranking: str,
        groups: tuple[str, ...],
    ) -> Rank:
        capacity = tables.operators[operator_id].capacity
        owned = sum(owner == operator_id for owner in self.owners.values())
        free = room(tables, operator_id)
        rank = {
            "most_free_slots": Fraction(-free),
            "highest_free_ratio": Fraction(conversation.weight - free, max(capacity, 1)),
            "fewest_open": Fraction(owned),
            "round_robin": Fraction(self.turns.get((groups, operator_id), 0)),
            "longest_idle": Fraction(self.idle_since.get(operator_id, 0)),
        }[ranking]
        return rank, self.last_assigned.get(operator_id, 0), operator_id


# --- plain questions ------------------------------------------------------------------------


def may_receive(tables: Tables, operator: Operator) -> bool:
    permissions = tables.roles[operator.role_id]
    return permissions.assigned == permissions.unassigned == "write"


def is_routable(tables: Tables, operator_id: OperatorId) -> bool:
    operator = tables.operators[operator_id]
    return not operator.removed and operator.effective == "online" and may_receive(tables, operator)


def is_assignable(tables: Tables, operator_id: OperatorId) -> bool:
    operator = tables.operators[operator_id]
    return (
        not operator.removed and operator.effective != "offline" and may_receive(tables, operator)
    )


def load(tables: Tables, operator_id: OperatorId) -> int:
    return sum(
        conversation.weight
        for conversation in tables.conversations.values()
        if conversation.state == "assigned" and conversation.owner == operator_id
    )


def room(tables: Tables, operator_id: OperatorId) -> int:
    return tables.operators[operator_id].capacity - load(tables, operator_id)


def heir_of(tables: Tables, conversation: Conversation) -> OperatorId | None:
    """The participant who follows an owner who has just left."""
    if conversation.handover:
        for operator_id in conversation.participants:
            if is_assignable(tables, operator_id):
                return operator_id
    return None


def groups_of(tables: Tables, scope: Scope) -> tuple[str, ...]:
    """Enabled groups of the scope; a star for everyone."""
    if scope.group is not None:
        named: tuple[GroupId, ...] = (scope.group,)
    elif scope.everyone:
        return ("*",)
    else:
        assert scope.entry_point is not None
        entry_point = tables.entry_points.get(scope.entry_point)
        if entry_point is None:
            return ()
        if not entry_point.groups:
            return ("*",)
        named = entry_point.groups
    return tuple(sorted(g for g in named if g in tables.groups and tables.groups[g].enabled))


def members_of(tables: Tables, scope: Scope) -> list[OperatorId]:
    groups = groups_of(tables, scope)
    bound = {g for entry_point in tables.entry_points.values() for g in entry_point.groups}
    found = []
    for operator_id, operator in tables.operators.items():
        own = set(operator.groups)
        if groups == ("*",):
            belongs = not bound or not own or bool(own & bound)
        else:
            belongs = bool(own & set(groups))
        if belongs and not operator.removed:
            found.append(operator_id)
    return sorted(found)


def policy(tables: Tables, conversation: Conversation, field: str, default: str) -> str:
    layers: list[dict[str, Any]] = []
    scope = conversation.scope
    if scope.group is not None:
        layers.append(tables.group_policies.get(scope.group, {}))
    if scope.entry_point in tables.entry_points:
        bound = tables.entry_points[scope.entry_point].groups
        if len(bound) == 1:
            layers.append(tables.group_policies.get(bound[0], {}))
    layers += [
        tables.entry_point_policies.get(conversation.entry_point_id, {}),
        tables.workspace_policy,
    ]
    return next((str(layer[field]) for layer in layers if field in layer), default)


def fallbacks_left(tables: Tables, conversation: Conversation) -> list[Scope]:
    """Fallbacks not tried yet that could take it now."""
    entry_point = tables.entry_points.get(conversation.entry_point_id)
    if entry_point is None:
        return []
    return [
        target
        for target in entry_point.fallback[conversation.fallbacks_tried :]
        if (
            groups_of(tables, target)
            if target.operator is None
            else target.operator in tables.operators and is_assignable(tables, target.operator)
        )
    ]


def mode_of(tables: Tables, entry_point: EntryPoint) -> str:
    scope = Scope(entry_point=entry_point.entry_point_id)
    reached = members_of(tables, scope)
    if not groups_of(tables, scope):
        for target in entry_point.fallback:
            if target.operator is None:
                reached += members_of(tables, target)
                if groups_of(tables, target):
                    break  # it goes there, whoever is online
            elif target.operator in tables.operators:
                reached.append(target.operator)
                if is_assignable(tables, target.operator):
                    break
    if any(is_routable(tables, operator_id) for operator_id in reached):
        return "live"
    return entry_point.offline_display


def reason_of(tables: Tables, conversation: Conversation, look: Look) -> str:
    """Why it waits: the first that holds."""
    if not look.groups:
        return "held" if conversation.fallbacks_tried else "group_disabled"
    permitted = [its_id for its_id in look.members if may_receive(tables, tables.operators[its_id])]
    holds = {
        "group_empty": not permitted,
        "nobody_online": not look.routable,
        "all_full": not look.with_room,
        "skill_missing": not look.skilled,
        look.delivery: look.delivery != "auto",
    }
    return next((reason for reason, held in holds.items() if held), "all_declined")
