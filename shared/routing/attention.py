"""When a visitor waits for an answer although somebody owns the conversation, or nobody can."""

from shared.routing.events import (
    ConversationEscalated,
    ConversationReassigned,
    Decision,
    NobodyElse,
)
from shared.routing.ids import OperatorId
from shared.routing.queue import excluded_from
from shared.routing.reach import may_be_given
from shared.routing.state import Audience, Conversation
from shared.routing.status import absence_of, not_routable
from shared.routing.vocabulary import OwnerCheck
from shared.routing.workspace import Workspace

# --- slow answers ---------------------------------------------------------------------------


def slow_action(workspace: Workspace) -> Decision | None:
    """What a step of ``on_slow`` calls for, beyond telling those whom it names."""
    while workspace.slow:
        conversation_id, action = next(iter(workspace.slow.items()))
        conversation = workspace.conversations[conversation_id]
        if action == "reassign" and conversation.owner is not None:
            return _elsewhere(workspace, conversation, conversation.owner)
        if action == "escalate_invisible":
            reached = _consenting(workspace, conversation)
            if reached:
                return ConversationEscalated(conversation_id, reached)
        del workspace.slow[conversation_id]
    return None


def _elsewhere(
    workspace: Workspace, conversation: Conversation, owner: OperatorId
) -> ConversationReassigned | NobodyElse:
    home = workspace.demand_at(conversation, conversation.home_scope)
    excluded = (*excluded_from(conversation), owner)
    if home.audience and workspace.pool(home).choose(excluded) is not None:
        return ConversationReassigned(conversation.conversation_id, owner, "slow")
    return NobodyElse(conversation.conversation_id, owner)


def _consenting(workspace: Workspace, conversation: Conversation) -> tuple[OperatorId, ...]:
    """Invisible operators of the scope who are connected, agreed to it, and do not know yet."""
    if conversation.entry_mode == "messenger":
        return ()
    audience = _audience(workspace, conversation)
    return tuple(
        operator_id
        for operator_id in sorted(workspace.alertable_in(audience))
        if operator_id not in conversation.escalated
        and operator_id != conversation.owner
        and operator_id not in conversation.participants
    )


def _audience(workspace: Workspace, conversation: Conversation) -> Audience:
    scope = conversation.scope
    if scope.operator is not None:
        scope = conversation.home_scope
    return workspace.demand_at(conversation, scope).audience


# --- absent owners --------------------------------------------------------------------------


def owner_gone(workspace: Workspace) -> ConversationReassigned | None:
    """Conversations that are taken from an owner who is gone, as policy has it."""
    while workspace.owner_checks:
        conversation_id, check = next(iter(workspace.owner_checks.items()))
        conversation = workspace.conversations[conversation_id]
        owner = conversation.owner
        if owner is not None and _is_to_move(workspace, conversation, owner, check):
            return ConversationReassigned(conversation_id, owner, "owner_offline")
        del workspace.owner_checks[conversation_id]
    return None


def _is_to_move(
    workspace: Workspace, conversation: Conversation, owner: OperatorId, check: OwnerCheck
) -> bool:
    operator = workspace.operators[owner]
    if operator.effective != "offline":
        return False
    policy = workspace.policy_for(conversation)
    absence = absence_of(operator)
    gone = absence == "gone" or (absence == "idle" and conversation.owner_away)
    if policy.assign_to == "any" and not _somebody_online(workspace, conversation, owner):
        return False
    match policy.on_owner_offline:
        case "reassign":
            return gone
        case "reassign_after":
            return gone and conversation.owner_away
        case "reassign_on_next_message":
            return gone and check == "message"
        case _:
            return False


def _somebody_online(workspace: Workspace, conversation: Conversation, owner: OperatorId) -> bool:
    """Whether it would go to somebody who is there, and not from one who is away to the next."""
    for operator_id in conversation.participants:
        human = workspace.operators[operator_id].kind == "human"
        if human and may_be_given(workspace, operator_id):
            return True
    home = workspace.demand_at(conversation, conversation.home_scope)
    choice = workspace.pool(home).choose((*excluded_from(conversation), owner))
    return choice is not None and not_routable(workspace.operators[choice.operator_id]) is None
