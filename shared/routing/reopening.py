"""Where a closed conversation goes when it is opened again."""

from shared.routing.eligibility import may_receive
from shared.routing.events import ConversationReopened
from shared.routing.ids import OperatorId
from shared.routing.scope import EVERYONE, Scope
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace

_SLOTS_OF_EXCESS = 1


def reopened(
    workspace: Workspace, conversation: Conversation, owner: OperatorId | None = None
) -> ConversationReopened:
    """Back to ``owner`` if given, else to the last owner if he can have it, else as if new.

    With an owner it keeps its home scope; without one the entry point's scope holds, and everyone
    where the entry point is no more.
    """
    owner = owner or _last_owner(workspace, conversation)
    if owner is not None and _exists(workspace, conversation.home_scope):
        scope = conversation.home_scope
    elif conversation.entry_point_id in workspace.entry_points:
        scope = Scope(entry_point=conversation.entry_point_id)
    else:
        scope = EVERYONE
    return ConversationReopened(conversation.conversation_id, scope, owner)


def _last_owner(workspace: Workspace, conversation: Conversation) -> OperatorId | None:
    """The last owner, if effective online, permitted and at most one slot over his capacity."""
    if conversation.last_owner is None:
        return None
    operator = workspace.operators[conversation.last_owner]
    if operator.removed or operator.effective != "online":
        return None
    if not may_receive(workspace.roles, operator):
        return None
    wrapped_up = operator.wrap_ups.get(conversation.conversation_id, 0)
    if operator.free + wrapped_up + _SLOTS_OF_EXCESS < conversation.weight:
        return None
    return operator.operator_id


def _exists(workspace: Workspace, scope: Scope) -> bool:
    if scope.group is not None:
        return scope.group in workspace.groups
    return scope.everyone or scope.entry_point in workspace.entry_points
