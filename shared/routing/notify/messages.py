"""Messages and their recipients, before they are numbered."""

from typing import Any, Literal, NamedTuple

import msgspec

from shared.routing.ids import ConversationId, OperatorId, VisitorId
from shared.routing.state import Conversation
from shared.routing.status import not_routable
from shared.routing.workspace import Workspace

FeedKind = Literal["operator", "visitor", "team", "entry"]


class Recipient(NamedTuple):
    """A feed: of one operator, one visitor, one entry point, or of the whole team (``""``)."""

    kind: FeedKind
    id: str


class Notification(msgspec.Struct, frozen=True, gc=False):
    """One message to one feed. ``alert`` asks the front end to ring."""

    recipient: Recipient
    type: str
    alert: bool
    fields: dict[str, Any]


TEAM = Recipient("team", "")


def to_operator(
    workspace: Workspace,
    operator_id: OperatorId,
    message_type: str,
    conversation_id: ConversationId,
    **fields: object,
) -> Notification:
    """A message that rings if the operator is online and connected, and only then."""
    operator = workspace.operators[operator_id]
    alert = not_routable(operator) is None and operator.kind == "human"
    about = {"conversation_id": conversation_id, **fields}
    return Notification(Recipient("operator", operator_id), message_type, alert, about)


def silently(
    operator_id: OperatorId, message_type: str, conversation_id: ConversationId, **fields: object
) -> Notification:
    """A message that only keeps a screen up to date."""
    about = {"conversation_id": conversation_id, **fields}
    return Notification(Recipient("operator", operator_id), message_type, False, about)  # noqa: FBT003


def to_visitor(
    visitor_id: VisitorId,
    message_type: str,
    conversation_id: ConversationId,
    *,
    alert: bool = False,
    **fields: object,
) -> Notification:
    about = {"conversation_id": conversation_id, **fields}
    return Notification(Recipient("visitor", visitor_id), message_type, alert, about)


def changed(conversation: Conversation, but: OperatorId | None = None) -> list[Notification]:
    """Everybody in the conversation sees that it changed, without a ring."""
    if conversation.owner == but and not conversation.participants:
        return []
    return seen_by(conversation, *(o for o in involved(conversation) if o != but))


def seen_by(conversation: Conversation, *operator_ids: OperatorId) -> list[Notification]:
    """These operators see how the conversation stands now."""
    return [
        silently(
            operator_id,
            "conversation_changed",
            conversation.conversation_id,
            state=conversation.state,
        )
        for operator_id in operator_ids
    ]


def involved(conversation: Conversation) -> list[OperatorId]:
    owner = [conversation.owner] if conversation.owner is not None else []
    return [*owner, *conversation.participants]
