"""What a visitor is told of the conversation it has."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing.events import Event
from shared.routing.events.visitors import VisitorAsked, VisitorInvited
from shared.routing.ids import OperatorId, VisitorId
from shared.routing.notify.messages import (
    Notification,
    Recipient,
    Wording,
    in_language,
    languages_of,
)
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace

SLOW_NOTICE = "please_wait"
"""Code of the notice that an answer takes longer."""
MISSED_NOTICE = "missed"
"""Code of the notice that nobody could answer, and that somebody will later."""


def invited(workspace: Workspace, event: VisitorInvited) -> Notification:
    """A rule speaks to the visitor before it has a conversation."""
    wording = Wording(_languages(workspace, event.visitor_id), ref=event.message)
    fields = {"entry_point_id": event.entry_point_id}
    return Notification(_feed_of(event.visitor_id), "invitation", True, fields, wording)  # noqa: FBT003


def asked(workspace: Workspace, event: VisitorAsked) -> Notification:
    """Which group it wants, by their names in the visitor's language."""
    languages = _languages(workspace, event.visitor_id)
    groups = [
        {"group_id": group_id, "name": in_language(group.names, languages) or group.name}
        for group_id in event.groups
        if (group := workspace.groups.get(group_id)) is not None
    ]
    fields = {"entry_point_id": event.entry_point_id, "groups": groups}
    return Notification(_feed_of(event.visitor_id), "ask_group", True, fields)  # noqa: FBT003


def parted_from(conversation: Conversation, operator_id: OperatorId) -> list[Notification]:
    """An operator who was in the conversation exists no more."""
    return _left(conversation, operator_id)


def queued(conversation: Conversation, place: int) -> Notification:
    """Where it stands in line."""
    return _told(conversation, "queued", place=place)


def _feed_of(visitor_id: VisitorId) -> Recipient:
    return Recipient("visitor", visitor_id)


def _languages(workspace: Workspace, visitor_id: VisitorId) -> tuple[str, ...]:
    """Those of its last open conversation, else of the workspace."""
    visitor = workspace.visitors.get(visitor_id)
    its_id = next(reversed(visitor.conversations), None) if visitor is not None else None
    conversation = workspace.conversations[its_id] if its_id is not None else None
    return languages_of(workspace, conversation)


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
    about = {"conversation_id": conversation.conversation_id, **fields}
    return Notification(_feed_of(conversation.visitor_id), message_type, alert, about)


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
    workspace: Workspace, conversation: Conversation, event: e.ConversationSlow
) -> list[Notification]:
    if event.action != "message_visitor":
        return []
    return [_notice(workspace, conversation, SLOW_NOTICE)]


def _missed(
    workspace: Workspace, conversation: Conversation, event: e.ConversationMissed
) -> list[Notification]:
    gone = _left(conversation, event.owner) if event.owner is not None else []
    return [*gone, _notice(workspace, conversation, MISSED_NOTICE)]


def _notice(workspace: Workspace, conversation: Conversation, code: str) -> Notification:
    wording = Wording(languages_of(workspace, conversation), code=code)
    fields = {"conversation_id": conversation.conversation_id, "code": code}
    return Notification(_feed_of(conversation.visitor_id), "notice", True, fields, wording)  # noqa: FBT003


def _reopened(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationReopened
) -> list[Notification]:
    return _joined(conversation, event.owner) if event.owner is not None else []


def _closed(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationClosed
) -> list[Notification]:
    return [_told(conversation, "closed", reason=event.reason)]


TELL_VISITOR: dict[type[Event], Callable[[Workspace, Conversation, Any], list[Notification]]] = {
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
    e.ConversationMissed: _missed,
    e.ConversationReopened: _reopened,
    e.ConversationClosed: _closed,
}
