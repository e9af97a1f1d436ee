"""Whether a target of forwarding and assigning exists and may be used."""

from shared.routing.commands import Refused
from shared.routing.decide.rights import operator_removed, require_to_receive, unknown
from shared.routing.ids import GroupId, OperatorId
from shared.routing.scope import Scope
from shared.routing.state import Group, Operator
from shared.routing.status import is_assignable
from shared.routing.workspace import Workspace


def find_operator(workspace: Workspace, operator_id: OperatorId) -> Operator | Refused:
    operator = workspace.operators.get(operator_id)
    if operator is None:
        return unknown("operator", operator_id)
    return operator_removed(operator_id) if operator.removed else operator


def find_group(workspace: Workspace, group_id: GroupId) -> Group | Refused:
    group = workspace.groups.get(group_id)
    return unknown("group", group_id) if group is None else group


def refuse_scope(workspace: Workspace, scope: Scope) -> Refused | None:
    """Refuse a scope that names something that does not exist."""
    found: object = None
    if scope.operator is not None:
        found = find_operator(workspace, scope.operator)
    elif scope.group is not None:
        found = find_group(workspace, scope.group)
    elif scope.entry_point is not None and scope.entry_point not in workspace.entry_points:
        found = unknown("entry_point", scope.entry_point)
    return found if isinstance(found, Refused) else None


def refuse_entry_point(to: Scope) -> Refused | None:
    """Refuse the one kind of scope to which nothing can be directed."""
    if to.entry_point is None:
        return None
    return Refused("malformed", "a target is an operator, a group or everyone")


def refuse_target(workspace: Workspace, to: Scope) -> Refused | None:
    """Refuse a target that cannot be given a conversation now."""
    refusal = refuse_scope(workspace, to) or refuse_entry_point(to)
    if refusal is not None:
        return refusal
    if to.group is not None and not workspace.groups[to.group].enabled:
        return Refused(
            "group_disabled", f"the group {to.group} is disabled", {"group_id": to.group}
        )
    if to.operator is not None:
        return refuse_receiver(workspace, workspace.operators[to.operator])
    return None


def refuse_receiver(workspace: Workspace, operator: Operator) -> Refused | None:
    """Refuse an operator to whom a person may not direct a conversation."""
    if not is_assignable(operator):
        return Refused(
            "operator_offline",
            f"the operator {operator.operator_id} is offline ({operator.cause})",
            {"operator_id": operator.operator_id, "cause": operator.cause},
        )
    return require_to_receive(workspace, operator)
