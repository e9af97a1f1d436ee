"""How visitors and conversations change, from opening to closing."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing import timers
from shared.routing.events import Event
from shared.routing.evolve.ownership import (
    change_load,
    disown,
    drop_participant,
    drop_participants,
    overtake_offer,
    own,
    put_back,
    set_scope,
    stops_waiting,
)
from shared.routing.evolve.visitors import known_visitor
from shared.routing.ids import OperatorId, UnixMs, VisitorId
from shared.routing.scope import Scope
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace


def _visitor_identified(workspace: Workspace, event: e.VisitorIdentified) -> None:
    visitor = known_visitor(workspace, event.visitor_id)
    visitor.contact_id = event.contact_id
    for conversation_id in visitor.conversations:
        conversation = workspace.conversations[conversation_id]
        if conversation.state == "waiting":
            workspace.waits(conversation)  # who it knows may be another now
        conversation.contact_id = event.contact_id
        owner = conversation.owner
        if owner is not None and workspace.operators[owner].kind == "human":
            workspace.acquaintances[event.contact_id] = owner
            workspace.met(conversation)


def _visitor_assigned(workspace: Workspace, event: e.VisitorAssigned) -> None:
    known_visitor(workspace, event.visitor_id).ahead[event.source] = event.to


def _visitor_unassigned(workspace: Workspace, event: e.VisitorUnassigned) -> None:
    known_visitor(workspace, event.visitor_id).ahead.pop(event.source, None)


def _conversation_opened(workspace: Workspace, event: e.ConversationOpened) -> None:
    scope = event.scope
    home = Scope(entry_point=event.entry_point_id) if scope.operator is not None else scope
    conversation = Conversation(
        conversation_id=event.conversation_id,
        visitor_id=event.visitor_id,
        contact_id=event.contact_id,
        entry_point_id=event.entry_point_id,
        entry_mode=event.entry_mode,
        opened_at=workspace.at,
        arrival=workspace.position,
        scope=scope,
        home_scope=home,
        priority=event.priority,
        skills=event.skills,
        optional_skills=event.optional_skills,
        weight=event.weight,
        language=event.language,
        attributes=event.attributes,
        queued_at=workspace.at,
        waits_since=workspace.at,
    )
    workspace.conversations[event.conversation_id] = conversation
    workspace.open[event.conversation_id] = None
    visitor = known_visitor(workspace, event.visitor_id)
    visitor.conversations[event.conversation_id] = None
    visitor.ahead.pop("person", None)
    visitor.ahead.pop("visitor", None)
    timers.await_reply(workspace, conversation)
    timers.see_visitor(workspace, visitor)
    workspace.waits(conversation)


def _visitor_wrote(workspace: Workspace, event: e.VisitorWrote) -> None:
    conversation = workspace.conversations[event.conversation_id]
    timers.await_reply(workspace, conversation)
    timers.see_visitor(workspace, workspace.visitors[conversation.visitor_id])
    if conversation.owner is not None:
        workspace.owner_checks[event.conversation_id] = "message"


def _slot_freed(workspace: Workspace, event: e.SlotFreed) -> None:
    conversation = workspace.conversations[event.conversation_id]
    conversation.slot_free = True
    workspace.cancel_timer(timers.name(timers.QUIET, event.conversation_id))
    change_load(workspace, workspace.operators[event.operator_id], -conversation.weight)


def _slot_retaken(workspace: Workspace, event: e.SlotRetaken) -> None:
    conversation = workspace.conversations[event.conversation_id]
    conversation.slot_free = False
    change_load(workspace, workspace.operators[event.operator_id], conversation.weight)


def _visitor_left(workspace: Workspace, event: e.VisitorLeft) -> None:
    known_visitor(workspace, event.visitor_id).away = True
    workspace.cancel_timer(timers.name(timers.GONE, event.visitor_id))
    _look_again(workspace, event.visitor_id)


def _visitor_back(workspace: Workspace, event: e.VisitorBack) -> None:
    visitor = known_visitor(workspace, event.visitor_id)
    visitor.away = False
    timers.see_visitor(workspace, visitor)
    _look_again(workspace, event.visitor_id)


def _look_again(workspace: Workspace, visitor_id: VisitorId) -> None:
    for conversation_id in workspace.visitors[visitor_id].conversations:
        conversation = workspace.conversations[conversation_id]
        if conversation.state == "waiting":
            workspace.waits(conversation)


def _conversation_changed(workspace: Workspace, event: e.ConversationChanged) -> None:
    conversation = workspace.conversations[event.conversation_id]
    conversation.priority = event.priority
    conversation.skills = event.skills
    conversation.optional_skills = event.optional_skills
    conversation.tags = event.tags
    if conversation.state == "waiting":
        workspace.waits(conversation)


def _conversation_claimed(workspace: Workspace, event: e.ConversationClaimed) -> None:
    conversation = workspace.conversations[event.conversation_id]
    former = conversation.owner
    overtake_offer(workspace, conversation, "claimed")
    if former is not None:
        disown(workspace, conversation)
    _answers(workspace, event.operator_id)
    own(workspace, conversation, event.operator_id)
    timers.end_escalation(workspace, conversation)
    if former is not None:
        uses_slot = workspace.policy_for(conversation).participants_use_slot
        _takes_part(workspace, conversation, former, uses_slot=uses_slot)


def _operator_replied(workspace: Workspace, event: e.OperatorReplied) -> None:
    conversation = workspace.conversations[event.conversation_id]
    _answers(workspace, event.operator_id)
    conversation.answered = True
    timers.owe_nothing(workspace, conversation)
    timers.await_visitor(workspace, conversation)
    timers.set_unused(workspace, conversation)


def _answers(workspace: Workspace, operator_id: OperatorId) -> None:
    """Whoever claims or replies is there."""
    operator = workspace.operators[operator_id]
    if operator.unresponsive:
        operator.unresponsive = False
        workspace.operator_changed(operator)


def _participant_joined(workspace: Workspace, event: e.ParticipantJoined) -> None:
    conversation = workspace.conversations[event.conversation_id]
    if conversation.state == "waiting":
        workspace.waits(conversation)  # participants are not asked: it changes its lane
    _takes_part(workspace, conversation, event.operator_id, uses_slot=event.uses_slot)


def _takes_part(
    workspace: Workspace, conversation: Conversation, operator_id: OperatorId, *, uses_slot: bool
) -> None:
    operator = workspace.operators[operator_id]
    conversation.participants[operator_id] = uses_slot
    operator.takes_part[conversation.conversation_id] = None
    if uses_slot:
        change_load(workspace, operator, conversation.weight)


def _participant_left(workspace: Workspace, event: e.ParticipantLeft) -> None:
    conversation = workspace.conversations[event.conversation_id]
    drop_participant(workspace, conversation, workspace.operators[event.operator_id])


def _owner_left(workspace: Workspace, event: e.OwnerLeft) -> None:
    conversation = workspace.conversations[event.conversation_id]
    put_back(workspace, conversation)
    conversation.handover = True


def _conversation_released(workspace: Workspace, event: e.ConversationReleased) -> None:
    put_back(workspace, workspace.conversations[event.conversation_id])


def _conversation_forwarded(workspace: Workspace, event: e.ConversationForwarded) -> None:
    conversation = workspace.conversations[event.conversation_id]
    if conversation.owner is not None:
        disown(workspace, conversation)
    unmet = conversation.fresh
    overtake_offer(workspace, conversation, "forwarded")
    timers.end_slow(workspace, conversation)
    stops_waiting(workspace, conversation)
    conversation.fresh = unmet and event.previous_owner is not None
    conversation.note = event.note
    conversation.waits_since = workspace.at
    set_scope(conversation, event.to)
    if conversation.state == "waiting":
        workspace.waits(conversation)


def _conversation_missed(workspace: Workspace, event: e.ConversationMissed) -> None:
    conversation = workspace.conversations[event.conversation_id]
    timers.end_all(workspace, conversation)
    overtake_offer(workspace, conversation, "closed")
    if conversation.owner is not None:
        disown(workspace, conversation)
    stops_waiting(workspace, conversation)
    conversation.missed = True
    conversation.scope = conversation.home_scope
    if conversation.state == "waiting":
        workspace.waits(conversation)


def _conversation_unused(_workspace: Workspace, _event: e.ConversationUnused) -> None:
    """What follows from it is said by the next event."""


def _conversation_closed(workspace: Workspace, event: e.ConversationClosed) -> None:
    conversation = workspace.conversations[event.conversation_id]
    wrap_up_s = workspace.policy_for(conversation).wrap_up_s
    timers.end_all(workspace, conversation)
    workspace.leaves_queue(conversation)
    overtake_offer(workspace, conversation, "closed")
    if conversation.owner is not None:
        disown(workspace, conversation)
        if wrap_up_s:
            _wrap_up(workspace, conversation, wrap_up_s)
    stops_waiting(workspace, conversation)
    drop_participants(workspace, conversation)
    visitor = workspace.visitors[conversation.visitor_id]
    visitor.conversations.pop(event.conversation_id, None)
    if not visitor.conversations:
        workspace.cancel_timer(timers.name(timers.GONE, visitor.visitor_id))
    workspace.adrift.pop(event.conversation_id, None)
    conversation.state = "closed"
    conversation.closed_at = workspace.at
    conversation.closed_position = workspace.position
    del workspace.open[event.conversation_id]
    workspace.closed[event.conversation_id] = None


def _wrap_up(workspace: Workspace, conversation: Conversation, wrap_up_s: int) -> None:
    assert conversation.last_owner is not None
    operator = workspace.operators[conversation.last_owner]
    operator.wrap_ups[conversation.conversation_id] = conversation.weight
    change_load(workspace, operator, conversation.weight)
    due = UnixMs(workspace.at + wrap_up_s * 1_000)
    workspace.set_timer(timers.name(timers.WRAP_UP, conversation.conversation_id), due)


def _wrap_up_ended(workspace: Workspace, event: e.WrapUpEnded) -> None:
    _end_wrap_up(workspace, workspace.conversations[event.conversation_id])


def _end_wrap_up(workspace: Workspace, conversation: Conversation) -> None:
    workspace.cancel_timer(timers.name(timers.WRAP_UP, conversation.conversation_id))
    if conversation.last_owner is not None:
        operator = workspace.operators[conversation.last_owner]
        held = operator.wrap_ups.pop(conversation.conversation_id, 0)
        change_load(workspace, operator, -held)


def _conversation_reopened(workspace: Workspace, event: e.ConversationReopened) -> None:
    conversation = workspace.conversations[event.conversation_id]
    _end_wrap_up(workspace, conversation)
    conversation.state = "waiting"
    conversation.closed_at = None
    conversation.closed_position = None
    conversation.arrival = workspace.position
    del workspace.closed[event.conversation_id]
    workspace.open[event.conversation_id] = None
    conversation.participants = {}
    conversation.queued_at = workspace.at
    conversation.waits_since = workspace.at
    conversation.handover = False
    conversation.fresh = True
    conversation.missed = False
    conversation.answered = False
    workspace.visitors[conversation.visitor_id].conversations[event.conversation_id] = None
    set_scope(conversation, event.scope)
    if event.owner is not None:
        own(workspace, conversation, event.owner)
    else:
        workspace.waits(conversation)


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.VisitorIdentified: _visitor_identified,
    e.VisitorAssigned: _visitor_assigned,
    e.VisitorUnassigned: _visitor_unassigned,
    e.ConversationOpened: _conversation_opened,
    e.VisitorWrote: _visitor_wrote,
    e.SlotFreed: _slot_freed,
    e.SlotRetaken: _slot_retaken,
    e.VisitorLeft: _visitor_left,
    e.VisitorBack: _visitor_back,
    e.ConversationChanged: _conversation_changed,
    e.ConversationClaimed: _conversation_claimed,
    e.OperatorReplied: _operator_replied,
    e.ParticipantJoined: _participant_joined,
    e.ParticipantLeft: _participant_left,
    e.OwnerLeft: _owner_left,
    e.ConversationReleased: _conversation_released,
    e.ConversationForwarded: _conversation_forwarded,
    e.ConversationMissed: _conversation_missed,
    e.ConversationUnused: _conversation_unused,
    e.ConversationClosed: _conversation_closed,
    e.WrapUpEnded: _wrap_up_ended,
    e.ConversationReopened: _conversation_reopened,
}
