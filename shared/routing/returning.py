"""Forwards on offer: whom to ask next, or back to the sender."""

from shared.routing.events import ConversationOffered, Decision, ForwardReturned
from shared.routing.forwards import next_to_ask
from shared.routing.ids import OperatorId
from shared.routing.placing import offered
from shared.routing.reach import may_be_given
from shared.routing.state import Conversation, Forwarding
from shared.routing.status import not_routable
from shared.routing.vocabulary import ReturnReason
from shared.routing.workspace import Workspace


def forward_step(workspace: Workspace) -> Decision | None:
    """The next offer of a forward, or its return."""
    for conversation_id in workspace.forwarding:
        conversation = workspace.conversations[conversation_id]
        forward = conversation.forward
        assert forward is not None
        if forward.over is not None:
            return _returned(workspace, conversation, forward, forward.over)
        if forward.to.operator is not None:
            return _ask_named(workspace, conversation, forward, forward.to.operator)
        return _ask_next(workspace, conversation, forward)
    return None


def _ask_named(
    workspace: Workspace,
    conversation: Conversation,
    forward: Forwarding,
    operator_id: OperatorId,
) -> ConversationOffered | ForwardReturned:
    routable = not_routable(workspace.operators[operator_id]) is None
    if not routable or not may_be_given(workspace, operator_id):
        return _returned(workspace, conversation, forward, "nobody_reachable")
    return ConversationOffered(
        conversation_id=conversation.conversation_id,
        operator_id=operator_id,
        offer=conversation.offers_made + 1,
        expires_at=forward.deadline,
        reason="directed",
        decided_at=workspace.position,
        policy_version=workspace.policy_version,
        pool_size=1,
        ranking=None,
        key=(),
        tie_break=None,
        presence_stale=workspace.presence_stale,
    )


def _ask_next(
    workspace: Workspace, conversation: Conversation, forward: Forwarding
) -> ConversationOffered | ForwardReturned:
    found = next_to_ask(workspace, conversation, forward.to, forward.asked)
    if found is None:
        reason: ReturnReason = "declined" if forward.asked else "nobody_reachable"
        return _returned(workspace, conversation, forward, reason)
    choice, demand = found
    return offered(workspace, conversation, choice, demand, "routed", expires_at=forward.deadline)


def _returned(
    workspace: Workspace,
    conversation: Conversation,
    forward: Forwarding,
    reason: ReturnReason,
) -> ForwardReturned:
    sender = workspace.operators[forward.sender]
    kept = not sender.removed and sender.effective != "offline"
    return ForwardReturned(conversation.conversation_id, forward.sender, reason, kept)
