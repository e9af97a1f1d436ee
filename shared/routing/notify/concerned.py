"""Whom an event concerns: the messages it calls for, as a function of the state right after it."""

from collections.abc import Sequence

from shared.routing import events as e
from shared.routing.events import Envelope
from shared.routing.events.visitors import VisitorAsked, VisitorInvited
from shared.routing.ids import ConversationId
from shared.routing.notify.messages import TEAM, Notification, Recipient, changed
from shared.routing.notify.operators import TELL_OPERATORS
from shared.routing.notify.visitors import TELL_VISITOR, asked, invited, parted_from, presence
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace

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


def notifications(
    workspace: Workspace, envelope: Envelope, parted: Sequence[ConversationId] = ()
) -> list[Notification]:
    """The messages that the event just applied calls for, in a fixed order.

    ``parted``: the conversations that the operator was in whom it removed.
    """
    event = envelope.data
    if isinstance(event, e.OperatorStatusChanged):
        return [_status_changed(event), *presence(workspace, event)]
    if isinstance(event, e.EntryPointModeChanged):
        return [_mode_changed(event)]
    if isinstance(event, e.OperatorRemoved):
        conversations = [workspace.conversations[its_id] for its_id in parted]
        return [note for one in conversations for note in _removed(one, event)]
    if isinstance(event, VisitorInvited):
        return [invited(workspace, event)]
    if isinstance(event, VisitorAsked):
        return [asked(workspace, event)]
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
        told.append(_shown_to_team(conversation))
    return told


def _shown_to_team(conversation: Conversation) -> Notification:
    fields = {"conversation_id": conversation.conversation_id, "state": conversation.state}
    return Notification(TEAM, "conversation_changed", alert=False, fields=fields)


def _removed(conversation: Conversation, event: e.OperatorRemoved) -> list[Notification]:
    """Nobody hears of it by the events that follow but those who get the conversation."""
    return [
        *changed(conversation),
        *parted_from(conversation, event.operator_id),
        _shown_to_team(conversation),
    ]


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
