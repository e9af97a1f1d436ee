"""What becomes of conversations when their visitor is through with them."""

from shared.routing.events import ConversationClosed, ConversationMissed, Fact
from shared.routing.ids import Ref, VisitorId
from shared.routing.state import Conversation
from shared.routing.vocabulary import CloseReason
from shared.routing.workspace import Workspace


def ended_by_visitor(
    conversation: Conversation, reason: CloseReason, text: Ref | None = None
) -> Fact:
    """Closed; but one that nobody answered is kept as missed, once."""
    if not conversation.answered and not conversation.missed:
        return ConversationMissed(conversation.conversation_id, conversation.owner, due=None)
    return ConversationClosed(conversation.conversation_id, conversation.owner, reason, text)


def closed_unused(conversation: Conversation) -> Fact:
    """Closed because nobody wrote any more."""
    return ConversationClosed(
        conversation.conversation_id, conversation.owner, "abandoned", text=None
    )


def left_behind(workspace: Workspace, visitor_id: VisitorId) -> list[Fact]:
    """The ends of the open conversations that policy closes when the visitor leaves."""
    visitor = workspace.visitors.get(visitor_id)
    if visitor is None:
        return []
    conversations = [workspace.conversations[its_id] for its_id in visitor.conversations]
    return [
        ended_by_visitor(conversation, "abandoned")
        for conversation in conversations
        if workspace.policy_for(conversation).on_visitor_left == "close" and not conversation.missed
    ]
