"""Whom an event concerns and what they are told: a function of the state and the event.

``notifications`` is called with the state as it is right after the event. Which messages reach
whom therefore follows from the log, and so does the number each of them carries.
"""

import msgspec

from shared.routing import events as e
from shared.routing.events import Envelope
from shared.routing.ids import ConversationId, Position, UnixMs
from shared.routing.notify.messages import TEAM, Notification, Recipient
from shared.routing.notify.operators import TELL_OPERATORS
from shared.routing.notify.visitors import TELL_VISITOR, presence
from shared.routing.workspace import Workspace

__all__ = ["TEAM", "Feeds", "Notification", "Numbered", "Recipient", "notifications"]

_UNTOLD = (
    e.AffinityWaitEnded,
    e.ConversationBroadcast,
    e.ConversationSlow,
    e.ConversationUnused,
    e.NobodyElse,
    e.OperatorReplied,
    e.OwnerAwayTooLong,
    e.StatusChosen,
    e.VisitorWrote,
    e.WideningDue,
    e.WrapUpEnded,
)
"""Events that name a conversation without changing what the team sees of it; what they call for
tells of itself."""
_COUNTED = ("operator", "visitor")


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """A notification as it goes out: ``id`` and ``seq`` never differ for the same message."""

    notification: Notification
    id: str
    seq: int | None
    """Gapless per recipient, from 1; none on the feeds of the team and of entry points."""
    position: Position
    at: UnixMs


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
    event = envelope.data
    if isinstance(event, e.OperatorStatusChanged):
        return [_status_changed(event), *presence(workspace, event)]
    if isinstance(event, e.EntryPointModeChanged):
        return [_mode_changed(event)]
    conversation_id: ConversationId | None = getattr(event, "conversation_id", None)
    if conversation_id is None or isinstance(event, e.StatusChosen):
        return []
    conversation = workspace.conversations[conversation_id]
    told: list[Notification] = []
    tell = TELL_OPERATORS.get(type(event))
    if tell is not None:
        told.extend(tell(workspace, conversation, event, envelope.by))
    tell_visitor = TELL_VISITOR.get(type(event))
    if tell_visitor is not None:
        told.extend(tell_visitor(workspace, conversation, event))
    if not isinstance(event, _UNTOLD):
        fields = {"conversation_id": conversation_id, "state": conversation.state}
        told.append(Notification(TEAM, "conversation_changed", alert=False, fields=fields))
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
