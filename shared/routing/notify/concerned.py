"""Whom an event concerns: the messages it calls for, as a function of the state right after it."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.routing import events as e
from shared.routing.events import Envelope, Event
from shared.routing.events.visitors import VisitorAsked, VisitorInvited
from shared.routing.ids import ConversationId
from shared.routing.notify.messages import TEAM, Notification, Recipient, changed
from shared.routing.notify.operators import TELL_OPERATORS
from shared.routing.notify.visitors import TELL_VISITOR, asked, invited, parted_from, presence
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace

_UNTOLD: frozenset[type[Event]] = frozenset(
    {
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
    }
)
"""Events that name a conversation without changing what the team sees of it; what they call for
tells of itself."""

Parted = Sequence[ConversationId]


def notifications(
    workspace: Workspace, envelope: Envelope, parted: Parted = ()
) -> list[Notification]:
    """The messages that the event just applied calls for, in a fixed order.

    ``parted``: the conversations that the operator was in whom it removed.
    """
    event = envelope.data
    kind = type(event)
    tell_others = _TELL_OTHERS.get(kind)
    if tell_others is not None:
        return tell_others(workspace, event, parted)
    conversation_id: ConversationId | None = getattr(event, "conversation_id", None)
    if conversation_id is None:
        return []
    conversation = workspace.conversations[conversation_id]
    told: list[Notification] = []
    tell = TELL_OPERATORS.get(kind)
    if tell is not None:
        told += tell(workspace, conversation, event, envelope.by)
    tell_visitor = TELL_VISITOR.get(kind)
    if tell_visitor is not None:
        told += tell_visitor(workspace, conversation, event)
    if kind not in _UNTOLD:
        told.append(_shown_to_team(conversation))
    return told


def _shown_to_team(conversation: Conversation) -> Notification:
    fields = {"conversation_id": conversation.conversation_id, "state": conversation.state}
    return Notification(TEAM, "conversation_changed", alert=False, fields=fields)


def _status_changed(
    workspace: Workspace, event: e.OperatorStatusChanged, _parted: Parted
) -> list[Notification]:
    fields = {
        "operator_id": event.operator_id,
        "effective": event.effective,
        "cause": event.cause,
    }
    told = Notification(TEAM, "status_changed", alert=False, fields=fields)
    return [told, *presence(workspace, event)]


def _mode_changed(
    _workspace: Workspace, event: e.EntryPointModeChanged, _parted: Parted
) -> list[Notification]:
    fields = {"entry_point_id": event.entry_point_id, "mode": event.mode}
    recipient = Recipient("entry", event.entry_point_id)
    return [Notification(recipient, "mode_changed", alert=False, fields=fields)]


def _operator_removed(
    workspace: Workspace, event: e.OperatorRemoved, parted: Parted
) -> list[Notification]:
    conversations = [workspace.conversations[its_id] for its_id in parted]
    return [note for one in conversations for note in _removed(one, event)]


def _removed(conversation: Conversation, event: e.OperatorRemoved) -> list[Notification]:
    """Nobody hears of it by the events that follow but those who get the conversation."""
    return [
        *changed(conversation),
        *parted_from(conversation, event.operator_id),
        _shown_to_team(conversation),
    ]


def _invited(workspace: Workspace, event: VisitorInvited, _parted: Parted) -> list[Notification]:
    return [invited(workspace, event)]


def _asked(workspace: Workspace, event: VisitorAsked, _parted: Parted) -> list[Notification]:
    return [asked(workspace, event)]


_TELL_OTHERS: dict[type[Event], Callable[[Workspace, Any, Parted], list[Notification]]] = {
    e.OperatorStatusChanged: _status_changed,
    e.EntryPointModeChanged: _mode_changed,
    e.OperatorRemoved: _operator_removed,
    VisitorInvited: _invited,
    VisitorAsked: _asked,
}
"""Events that are of no one conversation."""
