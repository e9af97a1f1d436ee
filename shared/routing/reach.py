"""Whether a scope can take a conversation at all, and whether anybody is there to take it."""

from shared.routing.eligibility import may_receive
from shared.routing.ids import OperatorId
from shared.routing.scope import Scope
from shared.routing.status import is_assignable
from shared.routing.workspace import Workspace


def can_take(workspace: Workspace, scope: Scope) -> bool:
    """Whether ``scope`` may be used now: an assignable operator, an enabled group."""
    if scope.operator is not None:
        return may_be_given(workspace, scope.operator)
    return bool(workspace.audience_of(scope))


def may_be_given(workspace: Workspace, operator_id: OperatorId) -> bool:
    """Whether a conversation may be directed to this operator."""
    operator = workspace.operators.get(operator_id)
    return (
        operator is not None and is_assignable(operator) and may_receive(workspace.roles, operator)
    )


def somebody_there(workspace: Workspace, scope: Scope) -> bool:
    """Whether somebody whom ``scope`` names is effective online and may receive."""
    if scope.operator is None:
        return workspace.somebody_online(workspace.audience_of(scope))
    if not may_be_given(workspace, scope.operator):
        return False
    return workspace.operators[scope.operator].effective == "online"
