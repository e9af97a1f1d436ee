"""How offers and forwards on offer change a conversation."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from shared.routing import events as e
from shared.routing import timers
from shared.routing.events import Event
from shared.routing.evolve.ownership import (
    call_off,
    change_load,
    disown,
    drop_forward,
    end_offer,
    exclude,
    forgive,
    own,
    put_back,
    set_scope,
)
from shared.routing.state import Conversation, Forwarding, Offer
from shared.routing.workspace import Workspace


def _conversation_offered(workspace: Workspace, event: e.ConversationOffered) -> None:
    conversation = workspace.conversations[event.conversation_id]
    operator = workspace.operators[event.operator_id]
    conversation.offer = Offer(event.operator_id, event.offer, event.expires_at)
    conversation.offers_made = event.offer
    workspace.set_timer(timers.name(timers.OFFER, event.conversation_id), event.expires_at)
    if conversation.forward is None:
        workspace.leaves_queue(conversation)
        conversation.state = "offered"
        conversation.fresh = False
        timers.set_widening(workspace, conversation)
    else:
        del workspace.forwarding[event.conversation_id]
    if event.ranking == "round_robin":
        scope = conversation.scope if conversation.forward is None else conversation.forward.to
        audience = workspace.demand_at(conversation, scope).audience
        operator.last_assigned_in[audience] = workspace.position
    operator.offered[event.conversation_id] = None
    change_load(workspace, operator, conversation.weight)


def _offer_accepted(workspace: Workspace, event: e.OfferAccepted) -> None:
    conversation = workspace.conversations[event.conversation_id]
    operator = workspace.operators[event.operator_id]
    operator.missed_offers = 0
    end_offer(workspace, conversation, "accepted")
    forward = conversation.forward
    if forward is not None:
        drop_forward(workspace, conversation)
        disown(workspace, conversation)
        timers.end_slow(workspace, conversation)
        set_scope(conversation, forward.to)
        conversation.note = forward.note
    own(workspace, conversation, event.operator_id)
    if operator.unresponsive:
        operator.unresponsive = False
        workspace.operator_changed(operator)


def _offer_declined(workspace: Workspace, event: e.OfferDeclined) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.operators[event.operator_id].missed_offers = 0
    end_offer(workspace, conversation, "declined")
    _passed_by(workspace, conversation, event)


def _offer_expired(workspace: Workspace, event: e.OfferExpired) -> None:
    conversation = workspace.conversations[event.conversation_id]
    end_offer(workspace, conversation, "expired")
    if event.counted:
        workspace.operators[event.operator_id].missed_offers += 1
        workspace.unanswering[event.operator_id] = None
    _passed_by(workspace, conversation, event)


def _passed_by(
    workspace: Workspace, conversation: Conversation, event: e.OfferDeclined | e.OfferExpired
) -> None:
    """Whoever was asked does not take it: on to the next."""
    forward = conversation.forward
    if forward is None:
        conversation.state = "waiting"
        exclude(workspace, conversation, event.operator_id)
        workspace.waits(conversation)
        return
    reason = "declined" if isinstance(event, e.OfferDeclined) else "expired"
    over = reason if forward.to.operator is not None else forward.over
    asked = (*forward.asked, event.operator_id)
    conversation.forward = replace(forward, asked=asked, over=over)
    workspace.forwarding[conversation.conversation_id] = None


def _offer_rescinded(workspace: Workspace, event: e.OfferRescinded) -> None:
    conversation = workspace.conversations[event.conversation_id]
    end_offer(workspace, conversation, "rescinded")
    if conversation.forward is not None:
        workspace.forwarding[event.conversation_id] = None
    elif conversation.state == "offered":
        conversation.state = "waiting"
        workspace.waits(conversation)


def _round_ended(workspace: Workspace, event: e.RoundEnded) -> None:
    conversation = workspace.conversations[event.conversation_id]
    conversation.round = event.round
    conversation.back_off_until = event.until
    if event.until is not None:
        workspace.set_timer(timers.name(timers.BACK_OFF, event.conversation_id), event.until)


def _back_off_ended(workspace: Workspace, event: e.BackOffEnded) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.cancel_timer(timers.name(timers.BACK_OFF, event.conversation_id))
    conversation.back_off_until = None
    forgive(workspace, conversation)
    if conversation.state == "waiting":
        workspace.waits(conversation)


# --- forwards -------------------------------------------------------------------------------


def _forward_offered(workspace: Workspace, event: e.ForwardOffered) -> None:
    conversation = workspace.conversations[event.conversation_id]
    drop_forward(workspace, conversation)
    conversation.forward = Forwarding(event.to, event.sender, event.deadline, event.note)
    workspace.set_timer(timers.name(timers.FORWARD, event.conversation_id), event.deadline)
    workspace.forwarding[event.conversation_id] = None


def _forward_recalled(workspace: Workspace, event: e.ForwardRecalled) -> None:
    call_off(workspace, workspace.conversations[event.conversation_id], "recalled")


def _forward_expired(workspace: Workspace, event: e.ForwardExpired) -> None:
    workspace.cancel_timer(timers.name(timers.FORWARD, event.conversation_id))
    call_off(workspace, workspace.conversations[event.conversation_id], "expired")


def _forward_returned(workspace: Workspace, event: e.ForwardReturned) -> None:
    conversation = workspace.conversations[event.conversation_id]
    drop_forward(workspace, conversation)
    if not event.kept:
        put_back(workspace, conversation)


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.ConversationOffered: _conversation_offered,
    e.OfferAccepted: _offer_accepted,
    e.OfferDeclined: _offer_declined,
    e.OfferExpired: _offer_expired,
    e.OfferRescinded: _offer_rescinded,
    e.RoundEnded: _round_ended,
    e.BackOffEnded: _back_off_ended,
    e.ForwardOffered: _forward_offered,
    e.ForwardRecalled: _forward_recalled,
    e.ForwardExpired: _forward_expired,
    e.ForwardReturned: _forward_returned,
}
