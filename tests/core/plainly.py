"""Plain questions to plain tables, answered by walking over everything.

It knows nothing of pools, lanes and lines: what it says follows from the rules as they are written
down, without any speed.
"""

from collections.abc import Iterator

import msgspec

from shared.routing.ids import ConversationId, OperatorId
from shared.routing.policy import Layer, Policy
from shared.routing.scope import Scope
from shared.routing.state import Conversation, EntryPoint, Operator, Tables

_FIELDS = Policy.__struct_fields__


# --- policies and scopes --------------------------------------------------------------------


def policy_for(tables: Tables, conversation: Conversation) -> Policy:
    """What holds for it: an operator scope uses its home scope's."""
    scope = conversation.scope if conversation.scope.operator is None else conversation.home_scope
    return policy_at(tables, conversation, scope)


def policy_at(tables: Tables, conversation: Conversation, scope: Scope) -> Policy:
    layers = [*_group_layers(tables, scope)]
    layers.append(tables.entry_point_policies.get(conversation.entry_point_id, {}))
    return resolved([*layers, tables.workspace_policy])


def _group_layers(tables: Tables, scope: Scope) -> Iterator[Layer]:
    if scope.group is not None:
        yield tables.group_policies.get(scope.group, {})
    if scope.entry_point in tables.entry_points:
        bound = tables.entry_points[scope.entry_point].groups
        if len(bound) == 1:
            yield tables.group_policies.get(bound[0], {})


def resolved(layers: list[Layer]) -> Policy:
    """Field by field, the first layer that names it."""
    named = {
        field: next(layer[field] for layer in layers if field in layer)
        for field in _FIELDS
        if any(field in layer for layer in layers)
    }
    return msgspec.convert(named, Policy)


def audience_of(tables: Tables, scope: Scope) -> tuple[str, ...]:
    """Enabled groups of the scope; a star for everyone."""
    if scope.everyone:
        return ("*",)
    named = [scope.group] if scope.group is not None else []
    if scope.entry_point is not None:
        entry_point = tables.entry_points.get(scope.entry_point)
        if entry_point is None:
            return ()
        if not entry_point.groups:
            return ("*",)
        named = list(entry_point.groups)
    return tuple(sorted(g for g in named if g in tables.groups and tables.groups[g].enabled))


def widened(tables: Tables, conversation: Conversation, scope: Scope) -> tuple[str, ...]:
    """The audience of ``scope`` with what widening added for the conversation."""
    audience = audience_of(tables, scope)
    open_groups = {g for g, group in tables.groups.items() if group.enabled}
    return tuple(sorted({*audience, *({"*", *open_groups} & set(conversation.reach))}))


def skills_asked(conversation: Conversation) -> set[str]:
    kept = len(conversation.optional_skills) - conversation.optional_dropped
    return {*conversation.skills, *conversation.optional_skills[:kept]}


# --- people ---------------------------------------------------------------------------------


def may_receive(tables: Tables, operator: Operator) -> bool:
    permissions = tables.roles[operator.role_id]
    return permissions.assigned == permissions.unassigned == "write"


def is_connected(operator: Operator) -> bool:
    return operator.kind == "bot" or bool(set(operator.sessions) - set(operator.lapsed))


def is_routable(tables: Tables, operator_id: OperatorId, assign_to: str = "online") -> bool:
    """Whether conversations may come to this human by themselves."""
    operator = tables.operators[operator_id]
    if operator.removed or operator.kind == "bot" or not may_receive(tables, operator):
        return False
    if assign_to == "any" and operator.effective == "offline":
        return not operator.unresponsive
    there = is_connected(operator) or assign_to == "any"
    return operator.effective == "online" and there


def is_askable(tables: Tables, operator_id: OperatorId) -> bool:
    """Whether he, or it, may be asked by name to take over."""
    operator = tables.operators[operator_id]
    return _is_there(tables, operator) == "online" and is_connected(operator)


def shows_online(tables: Tables, operator_id: OperatorId) -> bool:
    """Whether a visitor would meet this human here, however full."""
    operator = tables.operators[operator_id]
    return operator.kind == "human" and _is_there(tables, operator) == "online"


def _is_there(tables: Tables, operator: Operator) -> str:
    if operator.removed or not may_receive(tables, operator):
        return "offline"
    return operator.effective


def is_assignable(tables: Tables, operator_id: OperatorId | None) -> bool:
    """Whether a person may direct something to this operator."""
    operator = tables.operators.get(operator_id) if operator_id is not None else None
    return operator is not None and _is_there(tables, operator) != "offline"


def status_of(operator: Operator) -> tuple[str, str]:
    """Effective status and its cause, the first that holds."""
    if operator.kind == "bot":
        return ("offline", "logout") if operator.removed else ("online", "chosen")
    unresponsive = operator.unresponsive and operator.chosen == "online"
    causes = {
        ("offline", "never_logged_in"): not operator.signed_in,
        ("offline", "logout"): operator.logged_out or not operator.sessions,
        ("offline", "disconnected"): operator.grace_over,
        ("offline", "shift_end"): operator.off_shift,
        ("offline", "idle"): operator.idle,
        ("busy", "unresponsive"): unresponsive,
    }
    return next((cause for cause, holds in causes.items() if holds), (operator.chosen, "chosen"))


def is_gone(operator: Operator) -> bool:
    """Whether he chose to be away, left, or was lost; a shift that ends is none of these."""
    left = operator.logged_out or not operator.sessions
    return left or operator.grace_over or operator.chosen == "offline"


def members_of(tables: Tables, audience: tuple[str, ...]) -> list[OperatorId]:
    bound = {g for entry_point in tables.entry_points.values() for g in entry_point.groups}
    found = []
    for operator_id, operator in tables.operators.items():
        own = set(operator.groups)
        in_everyone = "*" in audience and (not bound or not own or bool(own & bound))
        if not operator.removed and (in_everyone or own & set(audience)):
            found.append(operator_id)
    return sorted(found)


def somebody_online(tables: Tables, audience: tuple[str, ...]) -> bool:
    return any(shows_online(tables, its_id) for its_id in members_of(tables, audience))


def heir_of(tables: Tables, conversation: Conversation) -> OperatorId | None:
    """The participant who follows an owner who is gone."""
    if conversation.handover:
        for operator_id in conversation.participants:
            human = tables.operators[operator_id].kind == "human"
            if human and is_assignable(tables, operator_id):
                return operator_id
    return None


# --- entry points ---------------------------------------------------------------------------


def can_take(tables: Tables, target: Scope) -> bool:
    if target.operator is not None:
        return is_assignable(tables, target.operator)
    return bool(audience_of(tables, target))


def is_attended(tables: Tables, target: Scope) -> bool:
    """Whether somebody is online there."""
    if target.operator is None:
        return somebody_online(tables, audience_of(tables, target))
    operator = tables.operators.get(target.operator)
    return operator is not None and _is_there(tables, operator) == "online"


def fallbacks_left(tables: Tables, conversation: Conversation) -> list[Scope]:
    """Fallbacks not tried yet that could take it now."""
    entry_point = tables.entry_points.get(conversation.entry_point_id)
    if entry_point is None:
        return []
    left = entry_point.fallback[conversation.fallbacks_tried :]
    return [target for target in left if can_take(tables, target)]


def overflows_to(tables: Tables, conversation: Conversation, line: tuple[str, ...]) -> list[Scope]:
    """Fallbacks that could take what its scope cannot serve now, or does not serve at all."""
    left = fallbacks_left(tables, conversation)
    if not line:
        return left
    entered = conversation.scope.entry_point is not None or conversation.fallbacks_tried > 0
    parked = (
        tables.visitors[conversation.visitor_id].away
        and policy_for(tables, conversation).on_visitor_left == "park"
    )
    if conversation.missed or not entered or parked:
        return []
    if out_of_hours(tables, conversation):
        return left
    flag = policy_for(tables, conversation).fallback_when_nobody_online
    if flag and not somebody_online(tables, line):
        return [target for target in left if is_attended(tables, target)]
    return []


def out_of_hours(tables: Tables, conversation: Conversation) -> bool:
    its_id = conversation.scope.entry_point
    return its_id in tables.entry_points and tables.entry_points[its_id].closed


def mode_of(tables: Tables, entry_point: EntryPoint) -> str:
    audience = audience_of(tables, Scope(entry_point=entry_point.entry_point_id))
    if not entry_point.closed and somebody_online(tables, audience):
        return "live"
    layers = [tables.entry_point_policies.get(entry_point.entry_point_id, {})]
    if len(entry_point.groups) == 1:
        layers.insert(0, tables.group_policies.get(entry_point.groups[0], {}))
    flag = resolved([*layers, tables.workspace_policy]).fallback_when_nobody_online
    if not audience or entry_point.closed or flag:
        for target in entry_point.fallback:
            if is_attended(tables, target):
                return "live"
            if can_take(tables, target) and not flag:
                break
    return entry_point.offline_display


# --- slots ----------------------------------------------------------------------------------


def wrap_up_of(
    tables: Tables, operator_id: OperatorId, wrapping: dict[ConversationId, OperatorId]
) -> int:
    return sum(
        tables.conversations[its_id].weight
        for its_id, who in wrapping.items()
        if who == operator_id
    )
