"""Whom an event concerns and what they are told: a function of the state and the event.

``notifications`` is called with the state as it is right after the event. Which messages reach
whom therefore follows from the log, and so does the number each of them carries.
"""

from typing import Any, Literal, NamedTuple

import msgspec

from shared.routing import events as e
from shared.routing.events import Envelope, EventUnion
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs
from shared.routing.state import Conversation
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


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """A notification as it goes out: ``id`` and ``seq`` never differ for the same message."""

    notification: Notification
    id: str
    seq: int | None
    """Gapless per recipient, from 1; none on the feeds of the team and of entry points."""
    position: Position
    at: UnixMs


TEAM = Recipient("team", "")
_COUNTED = ("operator", "visitor")


class Feeds:
    """Numbers the notifications of one workspace, so that a reader sees what it missed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._last: dict[Recipient, int] = {}

    def number(self, position: Position, envelope: Envelope) -> list[Numbered]:
        """What the event just applied tells whom, numbered; call once for every event."""
        numbered: list[Numbered] = []
        prefix = f"{self._workspace.workspace_id}:{position}:"
        last = self._last
        for notification in notifications(self._workspace, envelope):
            recipient = notification.recipient
            seq = None
            if recipient.kind in _COUNTED:
                seq = last[recipient] = last.get(recipient, 0) + 1
            its_id = f"{prefix}{len(numbered) + 1}"
            numbered.append(Numbered(notification, its_id, seq, position, envelope.at))
        return numbered


def notifications(workspace: Workspace, envelope: Envelope) -> list[Notification]:
    """The messages that the event just applied calls for, in a fixed order."""
    event: EventUnion = envelope.data
    match event:
        case e.OperatorStatusChanged():
            return [_status_changed(event)]
        case e.EntryPointModeChanged():
            return [_mode_changed(event)]
        case _:
            pass
    conversation_id: ConversationId | None = getattr(event, "conversation_id", None)
    if conversation_id is None or isinstance(event, e.StatusChosen):
        return []
    conversation = workspace.conversations[conversation_id]
    told = _to_operators(workspace, conversation, envelope)
    told += _to_visitor(workspace, conversation, event)
    told += _to_team(conversation, event)
    return told


def _status_changed(event: e.OperatorStatusChanged) -> Notification:
    fields = {
        "operator_id": event.operator_id,
        "effective": event.effective,
        "cause": event.cause,
    }
    return Notification(TEAM, "status_changed", alert=False, fields=fields)


def _mode_changed(event: e.EntryPointModeChanged) -> Notification:
    fields = {"entry_point_id": event.entry_point_id, "mode": event.mode}
    recipient = Recipient("entry", event.entry_point_id)
    return Notification(recipient, "mode_changed", alert=False, fields=fields)


# --- operators ------------------------------------------------------------------------------


def _to_operators(
    workspace: Workspace, conversation: Conversation, envelope: Envelope
) -> list[Notification]:
    event = envelope.data
    by = envelope.by.id if envelope.by is not None else None
    fields: dict[str, Any]
    match event:  # the most frequent events first
        case e.ConversationOpened() | e.ConversationQueued() | e.OperatorReplied():
            return []
        case e.ConversationAssigned():
            told = _assigned(workspace, conversation, event, by)
            return [told, *_changed(workspace, conversation, event.operator_id)]
        case e.ParticipantJoined() if event.added_by is not None:
            fields = {"by": event.added_by}
            told = _tell(workspace, event.operator_id, "added", conversation, fields)
            return [told, *_changed(workspace, conversation, event.operator_id)]
        case e.ConversationBroadcast():
            fields = {"why": "broadcast"}
            return [
                _tell(workspace, operator_id, "queue_waiting", conversation, fields)
                for operator_id in event.operator_ids
            ]
        case e.VisitorWrote():
            return [
                _tell(workspace, operator_id, "visitor_wrote", conversation, {})
                for operator_id in _involved(conversation)
            ]
        case e.ConversationForwarded():
            return _released(workspace, conversation, event.previous_owner, "forwarded")
        case e.ConversationReleased() | e.OwnerLeft():
            return _released(workspace, conversation, event.operator_id, "left")
        case e.ConversationClosed():
            former = [event.owner] if event.owner is not None else []
            return _silent(workspace, conversation, [*former, *conversation.participants])
        case e.ParticipantLeft():
            return [
                *_silent(workspace, conversation, [event.operator_id]),
                *_changed(workspace, conversation, None),
            ]
        case _:
            return _changed(workspace, conversation, None)


def _assigned(
    workspace: Workspace,
    conversation: Conversation,
    event: e.ConversationAssigned,
    by: str | None,
) -> Notification:
    fields: dict[str, Any] = {"reason": event.reason}
    if event.reason != "directed":
        return _tell(workspace, event.operator_id, "assigned", conversation, fields)
    fields = {"by": by}
    if conversation.note is not None:
        fields["note_ref"] = conversation.note
    return _tell(workspace, event.operator_id, "forwarded", conversation, fields)


def _released(
    workspace: Workspace, conversation: Conversation, owner: OperatorId | None, reason: str
) -> list[Notification]:
    told = []
    if owner is not None:
        fields = {"conversation_id": conversation.conversation_id, "reason": reason}
        told.append(
            Notification(Recipient("operator", owner), "released", alert=False, fields=fields)
        )
    return [*told, *_changed(workspace, conversation, None)]


def _tell(
    workspace: Workspace,
    operator_id: OperatorId,
    message_type: str,
    conversation: Conversation,
    fields: dict[str, Any],
) -> Notification:
    """A message that rings if the operator is effective online, and only then."""
    alert = workspace.operators[operator_id].effective == "online"
    fields = {"conversation_id": conversation.conversation_id, **fields}
    return Notification(Recipient("operator", operator_id), message_type, alert, fields)


def _changed(
    workspace: Workspace, conversation: Conversation, but: OperatorId | None
) -> list[Notification]:
    """Everybody in the conversation sees that it changed, without a ring."""
    if conversation.owner == but and not conversation.participants:
        return []
    others = [operator_id for operator_id in _involved(conversation) if operator_id != but]
    return _silent(workspace, conversation, others)


def _silent(
    workspace: Workspace, conversation: Conversation, operator_ids: list[OperatorId]
) -> list[Notification]:
    fields = {"conversation_id": conversation.conversation_id, "state": conversation.state}
    return [
        Notification(
            Recipient("operator", operator_id), "conversation_changed", alert=False, fields=fields
        )
        for operator_id in operator_ids
        if operator_id in workspace.operators
    ]


def _involved(conversation: Conversation) -> list[OperatorId]:
    owner = [conversation.owner] if conversation.owner is not None else []
    return [*owner, *conversation.participants]


# --- visitors and the team ------------------------------------------------------------------


def _to_visitor(
    workspace: Workspace, conversation: Conversation, event: EventUnion
) -> list[Notification]:
    told = _for_visitor(workspace, conversation, event)
    if told is None:
        return []
    message_type, fields = told
    fields = {"conversation_id": conversation.conversation_id, **fields}
    recipient = Recipient("visitor", conversation.visitor_id)
    alert = message_type == "operator_joined"
    return [Notification(recipient, message_type, alert, fields)]


def _for_visitor(
    workspace: Workspace, conversation: Conversation, event: EventUnion
) -> tuple[str, dict[str, Any]] | None:
    match event:
        case e.ConversationQueued():
            return "queued", {"place": workspace.place_in_line(conversation)}
        case e.ConversationAssigned() | e.ConversationClaimed() | e.ParticipantJoined():
            return "operator_joined", {"operator_id": event.operator_id}
        case e.OwnerLeft() | e.ConversationReleased() | e.ParticipantLeft():
            return "operator_left", {"operator_id": event.operator_id}
        case e.ConversationForwarded() if event.previous_owner is not None:
            return "operator_left", {"operator_id": event.previous_owner}
        case e.ConversationReopened() if event.owner is not None:
            return "operator_joined", {"operator_id": event.owner}
        case e.ConversationClosed():
            return "closed", {"reason": event.reason}
        case _:
            return None


def _to_team(conversation: Conversation, event: EventUnion) -> list[Notification]:
    if isinstance(event, e.ConversationBroadcast | e.OperatorReplied | e.VisitorWrote):
        return []
    fields = {"conversation_id": conversation.conversation_id, "state": conversation.state}
    return [Notification(TEAM, "conversation_changed", alert=False, fields=fields)]
