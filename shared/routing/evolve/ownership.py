"""Who owns a conversation and who takes part: the moves that several events share."""

from shared.routing.ids import OperatorId
from shared.routing.scope import Scope
from shared.routing.state import Conversation, Operator
from shared.routing.workspace import Workspace


def drop_participant(workspace: Workspace, conversation: Conversation, operator: Operator) -> None:
    participants_change(workspace, conversation)
    conversation.participants.pop(operator.operator_id, None)
    operator.takes_part.pop(conversation.conversation_id, None)


def participants_change(workspace: Workspace, conversation: Conversation) -> None:
    """Participants are not asked to own it, so a waiting one changes its lane."""
    if conversation.state == "waiting":
        workspace.waits(conversation)


def to_home_scope(conversation: Conversation) -> None:
    conversation.scope = conversation.home_scope


def set_scope(conversation: Conversation, scope: Scope) -> None:
    conversation.scope = scope
    conversation.hold = None
    conversation.told = {}
    conversation.fallbacks_tried = 0
    if scope.operator is None:
        conversation.home_scope = scope


def forgive(workspace: Workspace, conversation: Conversation) -> None:
    for operator_id in conversation.declined:
        workspace.declined_by[operator_id].pop(conversation.conversation_id, None)
    conversation.declined = ()


def own(workspace: Workspace, conversation: Conversation, operator_id: OperatorId) -> None:
    operator = workspace.operators[operator_id]
    workspace.leaves_queue(conversation)
    conversation.state = "assigned"
    conversation.owner = operator_id
    conversation.handover = False
    conversation.hold = None
    conversation.told = {}
    forgive(workspace, conversation)
    conversation.participants.pop(operator_id, None)
    operator.takes_part.pop(conversation.conversation_id, None)
    operator.owned[conversation.conversation_id] = None
    operator.load += conversation.weight
    operator.last_assigned = workspace.position
    operator.idle_since = workspace.position
    workspace.load_changed(operator)


def disown(workspace: Workspace, conversation: Conversation) -> None:
    assert conversation.owner is not None
    operator = workspace.operators[conversation.owner]
    conversation.last_owner = conversation.owner
    conversation.owner = None
    conversation.state = "waiting"
    conversation.hold = None
    del operator.owned[conversation.conversation_id]
    operator.load -= conversation.weight
    operator.idle_since = workspace.position
    workspace.load_changed(operator)
