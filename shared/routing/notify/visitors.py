"""What a visitor is told of the conversation it has."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing.events import Event
from shared.routing.ids import OperatorId
from shared.routing.notify.messages import Notification, to_visitor
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace

SLOW_NOTICE = "please_wait"
"""Code of the notice that an answer takes longer."""


def presence(workspace: Workspace, event: e.OperatorStatusChanged) -> list[Notification]:
    """Visitors see an operator of theirs come and go; busy or invisible, he is still there."""
    operator = workspace.operators[event.operator_id]
    if operator.came_or_went != workspace.position:
        return []
    shown = "offline" if event.effective == "offline" else "online"
    return [
        _told(
            workspace.conversations[conversation_id],
            "operator_presence",
            operator_id=event.operator_id,
            shown=shown,
        )
        for conversation_id in (*operator.owned, *operator.takes_part)
    ]


def _joined(conversation: Conversation, operator_id: OperatorId) -> list[Notification]:
    return [_told(conversation, "operator_joined", alert=True, operator_id=operator_id)]


def _left(conversation: Conversation, operator_id: OperatorId) -> list[Notification]:
    return [_told(conversation, "operator_left", operator_id=operator_id)]


def _told(
    conversation: Conversation, message_type: str, *, alert: bool = False, **fields: object
) -> Notification:
    return to_visitor(
        conversation.visitor_id,
        message_type,
        conversation.conversation_id,
        alert=alert,
        **fields,
    )


def _queued(
    workspace: Workspace, conversation: Conversation, _event: e.ConversationQueued
) -> list[Notification]:
    return [_told(conversation, "queued", place=workspace.place_in_line(conversation))]


def _somebody_joined(
    _workspace: Workspace,
    conversation: Conversation,
    event: e.ConversationAssigned | e.ConversationClaimed | e.ParticipantJoined,
) -> list[Notification]:
    return _joined(conversation, event.operator_id)


def _somebody_left(
    _workspace: Workspace,
    conversation: Conversation,
    event: e.OwnerLeft | e.ConversationReleased | e.ParticipantLeft,
) -> list[Notification]:
    return _left(conversation, event.operator_id)


def _accepted(
    _workspace: Workspace, conversation: Conversation, event: e.OfferAccepted
) -> list[Notification]:
    former = event.previous_owner
    gone = _left(conversation, former) if former is not None else []
    return [*gone, *_joined(conversation, event.operator_id)]


def _forwarded(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationForwarded
) -> list[Notification]:
    former = event.previous_owner
    return _left(conversation, former) if former is not None else []


def _reassigned(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationReassigned
) -> list[Notification]:
    return [_told(conversation, "reassigned", operator_id=event.operator_id)]


def _returned(
    _workspace: Workspace, conversation: Conversation, event: e.ForwardReturned
) -> list[Notification]:
    return [] if event.kept else _left(conversation, event.sender)


def _slow(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationSlow
) -> list[Notification]:
    if event.action != "message_visitor":
        return []
    return [_told(conversation, "notice", alert=True, code=SLOW_NOTICE)]


def _reopened(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationReopened
) -> list[Notification]:
    return _joined(conversation, event.owner) if event.owner is not None else []


def _closed(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationClosed
) -> list[Notification]:
    return [_told(conversation, "closed", reason=event.reason)]


TELL_VISITOR: dict[type[Event], Callable[[Workspace, Conversation, Any], list[Notification]]] = {
    e.ConversationQueued: _queued,
    e.ConversationAssigned: _somebody_joined,
    e.ConversationClaimed: _somebody_joined,
    e.ParticipantJoined: _somebody_joined,
    e.OwnerLeft: _somebody_left,
    e.ConversationReleased: _somebody_left,
    e.ParticipantLeft: _somebody_left,
    e.OfferAccepted: _accepted,
    e.ConversationForwarded: _forwarded,
    e.ConversationReassigned: _reassigned,
    e.ForwardReturned: _returned,
    e.ConversationSlow: _slow,
    e.ConversationReopened: _reopened,
    e.ConversationClosed: _closed,
}
