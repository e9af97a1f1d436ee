"""What operators are told of conversations that are theirs, or might become it."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing.events import Actor, Event
from shared.routing.ids import OperatorId
from shared.routing.notify.messages import (
    Notification,
    Recipient,
    changed,
    involved,
    seen_by,
    silently,
    to_operator,
)
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace

By = Actor | None
Told = list[Notification]


def _assigned(
    workspace: Workspace, conversation: Conversation, event: e.ConversationAssigned, by: By
) -> Told:
    its_id, owner = conversation.conversation_id, event.operator_id
    if event.reason != "directed" or by is None or by.kind == "visitor":
        told = to_operator(workspace, owner, "assigned", its_id, reason=event.reason)
        return [told, *changed(conversation, but=owner)]
    fields: dict[str, object] = {"by": by.id}
    if conversation.note is not None:
        fields["note_ref"] = conversation.note
    told = to_operator(workspace, owner, "forwarded", its_id, **fields)
    return [told, *changed(conversation, but=owner)]


def _offered(
    workspace: Workspace, conversation: Conversation, event: e.ConversationOffered, _by: By
) -> Told:
    fields: dict[str, object] = {"offer": event.offer, "expires_at": event.expires_at}
    if conversation.forward is not None:
        fields["by"] = conversation.forward.sender
        if conversation.forward.note is not None:
            fields["note_ref"] = conversation.forward.note
    its_id = conversation.conversation_id
    told = to_operator(workspace, event.operator_id, "offered", its_id, **fields)
    return [told, *changed(conversation, but=event.operator_id)]


def _offer_ended(
    event: e.OfferAccepted | e.OfferDeclined | e.OfferExpired | e.OfferRescinded, how: str
) -> Notification:
    return silently(
        event.operator_id, "offer_ended", event.conversation_id, offer=event.offer, how=how
    )


def _accepted(
    _workspace: Workspace, conversation: Conversation, event: e.OfferAccepted, _by: By
) -> Told:
    former = _released(conversation, event.previous_owner, "forwarded")
    return [_offer_ended(event, "accepted"), *former, *changed(conversation)]


def _declined(
    _workspace: Workspace, conversation: Conversation, event: e.OfferDeclined, _by: By
) -> Told:
    return [_offer_ended(event, "declined"), *changed(conversation)]


def _expired(
    _workspace: Workspace, conversation: Conversation, event: e.OfferExpired, _by: By
) -> Told:
    return [_offer_ended(event, "expired"), *changed(conversation)]


def _rescinded(
    _workspace: Workspace, conversation: Conversation, event: e.OfferRescinded, _by: By
) -> Told:
    return [_offer_ended(event, "rescinded"), *changed(conversation, but=event.operator_id)]


def _returned(
    workspace: Workspace, conversation: Conversation, event: e.ForwardReturned, _by: By
) -> Told:
    """Who is gone has it no more, and is told that instead."""
    if not event.kept:
        return [*_released(conversation, event.sender, "owner_offline"), *changed(conversation)]
    its_id, sender = conversation.conversation_id, event.sender
    told = to_operator(workspace, sender, "returned", its_id, reason=event.reason)
    return [told, *changed(conversation, but=sender)]


def _reopened(
    workspace: Workspace, conversation: Conversation, event: e.ConversationReopened, by: By
) -> Told:
    """The last owner has it again, by no doing of his own."""
    owner = event.owner
    if owner is None or (by is not None and (by.kind, by.id) == ("operator", owner)):
        return changed(conversation)
    its_id = conversation.conversation_id
    return [to_operator(workspace, owner, "assigned", its_id, reason="reopened")]


def _participant_joined(
    workspace: Workspace, conversation: Conversation, event: e.ParticipantJoined, _by: By
) -> Told:
    if event.added_by is None:
        return changed(conversation)
    its_id, who = conversation.conversation_id, event.operator_id
    told = to_operator(workspace, who, "added", its_id, by=event.added_by)
    return [told, *changed(conversation, but=who)]


def _broadcast(
    workspace: Workspace, conversation: Conversation, event: e.ConversationBroadcast, _by: By
) -> Told:
    its_id = conversation.conversation_id
    return [
        to_operator(workspace, operator_id, "queue_waiting", its_id, why="broadcast")
        for operator_id in event.operator_ids
    ]


def _escalated(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationEscalated, _by: By
) -> Told:
    """The one message that rings for invisible operators: they asked for it."""
    fields = {"conversation_id": conversation.conversation_id}
    return [
        Notification(Recipient("operator", operator_id), "escalated", alert=True, fields=fields)
        for operator_id in event.operator_ids
    ]


def _wrote(
    workspace: Workspace, conversation: Conversation, _event: e.VisitorWrote, _by: By
) -> Told:
    return [
        to_operator(workspace, operator_id, "visitor_wrote", conversation.conversation_id)
        for operator_id in involved(conversation)
    ]


def _slow(
    workspace: Workspace, conversation: Conversation, event: e.ConversationSlow, _by: By
) -> Told:
    if event.action != "notify":
        return []
    return [
        to_operator(workspace, operator_id, "slow", conversation.conversation_id)
        for operator_id in involved(conversation)
    ]


# --- no longer theirs -----------------------------------------------------------------------


def _released(conversation: Conversation, owner: OperatorId | None, reason: str) -> Told:
    if owner is None:
        return []
    return [silently(owner, "released", conversation.conversation_id, reason=reason)]


def _forwarded(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationForwarded, _by: By
) -> Told:
    former = _released(conversation, event.previous_owner, "forwarded")
    return [*former, *changed(conversation)]


def _put_back(
    _workspace: Workspace,
    conversation: Conversation,
    event: e.OwnerLeft | e.ConversationReleased,
    _by: By,
) -> Told:
    return [*_released(conversation, event.operator_id, "left"), *changed(conversation)]


def _reassigned(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationReassigned, _by: By
) -> Told:
    former = _released(conversation, event.operator_id, event.reason)
    return [*former, *changed(conversation)]


def _missed(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationMissed, _by: By
) -> Told:
    former = [event.owner] if event.owner is not None else []
    told = [silently(owner, "missed", conversation.conversation_id) for owner in former]
    return [*told, *changed(conversation)]


def _closed(
    _workspace: Workspace, conversation: Conversation, event: e.ConversationClosed, _by: By
) -> Told:
    former = [event.owner] if event.owner is not None else []
    return seen_by(conversation, *former, *conversation.participants)


def _participant_left(
    _workspace: Workspace, conversation: Conversation, event: e.ParticipantLeft, _by: By
) -> Told:
    return [*seen_by(conversation, event.operator_id), *changed(conversation)]


def _changed(_workspace: Workspace, conversation: Conversation, _event: Event, _by: By) -> Told:
    return changed(conversation)


TELL_OPERATORS: dict[type[Event], Callable[[Workspace, Conversation, Any, By], Told]] = {
    e.ConversationAssigned: _assigned,
    e.ConversationOffered: _offered,
    e.OfferAccepted: _accepted,
    e.OfferDeclined: _declined,
    e.OfferExpired: _expired,
    e.OfferRescinded: _rescinded,
    e.ForwardReturned: _returned,
    e.ParticipantJoined: _participant_joined,
    e.ConversationBroadcast: _broadcast,
    e.ConversationEscalated: _escalated,
    e.VisitorWrote: _wrote,
    e.ConversationSlow: _slow,
    e.ConversationForwarded: _forwarded,
    e.OwnerLeft: _put_back,
    e.ConversationReleased: _put_back,
    e.ConversationReassigned: _reassigned,
    e.ConversationMissed: _missed,
    e.ConversationClosed: _closed,
    e.ParticipantLeft: _participant_left,
    e.ConversationClaimed: _changed,
    e.ConversationChanged: _changed,
    e.ConversationReopened: _reopened,
    e.ConversationRedirected: _changed,
    e.ForwardOffered: _changed,
    e.SlotFreed: _changed,
    e.SlotRetaken: _changed,
}
"""Who is told what, by event; an event that is missing concerns no operator."""
