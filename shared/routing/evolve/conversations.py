"""How visitors and conversations change, from opening to closing."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing.events import Event
from shared.routing.evolve.ownership import (
    disown,
    drop_participant,
    forgive,
    own,
    participants_change,
    set_scope,
    to_home_scope,
)
from shared.routing.ids import OperatorId, VisitorId
from shared.routing.scope import Scope
from shared.routing.state import Conversation, Visitor
from shared.routing.workspace import Workspace


def _visitor(workspace: Workspace, visitor_id: VisitorId) -> Visitor:
    visitor = workspace.visitors.get(visitor_id)
    if visitor is None:
        visitor = Visitor(visitor_id=visitor_id)
        workspace.visitors[visitor.visitor_id] = visitor
    return visitor


def _visitor_identified(workspace: Workspace, event: e.VisitorIdentified) -> None:
    visitor = _visitor(workspace, event.visitor_id)
    visitor.contact_id = event.contact_id
    for conversation_id in visitor.conversations:
        workspace.conversations[conversation_id].contact_id = event.contact_id


def _visitor_assigned(workspace: Workspace, event: e.VisitorAssigned) -> None:
    _visitor(workspace, event.visitor_id).ahead[event.source] = event.to


def _visitor_unassigned(workspace: Workspace, event: e.VisitorUnassigned) -> None:
    _visitor(workspace, event.visitor_id).ahead.pop(event.source, None)


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
    )
    workspace.conversations[event.conversation_id] = conversation
    workspace.open[event.conversation_id] = None
    visitor = _visitor(workspace, event.visitor_id)
    visitor.conversations[event.conversation_id] = None
    visitor.ahead.pop("person", None)
    visitor.ahead.pop("visitor", None)
    workspace.waits(conversation)


def _visitor_wrote(workspace: Workspace, event: e.VisitorWrote) -> None:
    """Nothing to remember yet beyond the position on the conversation's timeline."""


def _conversation_changed(workspace: Workspace, event: e.ConversationChanged) -> None:
    conversation = workspace.conversations[event.conversation_id]
    waiting = conversation.state == "waiting"
    if waiting:
        workspace.leaves_queue(conversation)
    conversation.priority = event.priority
    conversation.skills = event.skills
    conversation.optional_skills = event.optional_skills
    conversation.tags = event.tags
    if waiting:
        workspace.waits(conversation)


def _conversation_claimed(workspace: Workspace, event: e.ConversationClaimed) -> None:
    own(workspace, workspace.conversations[event.conversation_id], event.operator_id)


def _operator_replied(workspace: Workspace, event: e.OperatorReplied) -> None:
    """Nothing to remember yet beyond the position on the conversation's timeline."""


def _participant_joined(workspace: Workspace, event: e.ParticipantJoined) -> None:
    conversation = workspace.conversations[event.conversation_id]
    participants_change(workspace, conversation)
    conversation.participants[event.operator_id] = None
    workspace.operators[event.operator_id].takes_part[event.conversation_id] = None


def _participant_left(workspace: Workspace, event: e.ParticipantLeft) -> None:
    conversation = workspace.conversations[event.conversation_id]
    drop_participant(workspace, conversation, workspace.operators[event.operator_id])


def _owner_left(workspace: Workspace, event: e.OwnerLeft) -> None:
    conversation = workspace.conversations[event.conversation_id]
    _put_back(workspace, conversation, event.operator_id)
    conversation.handover = True


def _conversation_released(workspace: Workspace, event: e.ConversationReleased) -> None:
    _put_back(workspace, workspace.conversations[event.conversation_id], event.operator_id)


def _put_back(workspace: Workspace, conversation: Conversation, operator_id: OperatorId) -> None:
    disown(workspace, conversation)
    conversation.declined = (*conversation.declined, operator_id)
    workspace.declined_by.setdefault(operator_id, {})[conversation.conversation_id] = None
    to_home_scope(conversation)
    workspace.waits(conversation)


def _conversation_forwarded(workspace: Workspace, event: e.ConversationForwarded) -> None:
    conversation = workspace.conversations[event.conversation_id]
    if conversation.state == "waiting":
        workspace.leaves_queue(conversation)
    elif conversation.owner is not None:
        disown(workspace, conversation)
    forgive(workspace, conversation)
    conversation.note = event.note
    set_scope(conversation, event.to)
    workspace.waits(conversation)


def _conversation_closed(workspace: Workspace, event: e.ConversationClosed) -> None:
    conversation = workspace.conversations[event.conversation_id]
    if conversation.state == "waiting":
        workspace.leaves_queue(conversation)
    else:
        disown(workspace, conversation)
    forgive(workspace, conversation)
    for operator_id in conversation.participants:
        workspace.operators[operator_id].takes_part.pop(event.conversation_id, None)
    workspace.visitors[conversation.visitor_id].conversations.pop(event.conversation_id, None)
    workspace.adrift.pop(event.conversation_id, None)
    conversation.state = "closed"
    conversation.closed_at = workspace.at
    conversation.closed_position = workspace.position
    del workspace.open[event.conversation_id]
    workspace.closed[event.conversation_id] = None


def _conversation_reopened(workspace: Workspace, event: e.ConversationReopened) -> None:
    conversation = workspace.conversations[event.conversation_id]
    conversation.state = "waiting"
    conversation.closed_at = None
    conversation.closed_position = None
    conversation.arrival = workspace.position
    del workspace.closed[event.conversation_id]
    workspace.open[event.conversation_id] = None
    conversation.participants = {}
    conversation.queued_at = workspace.at
    conversation.handover = False
    workspace.visitors[conversation.visitor_id].conversations[event.conversation_id] = None
    set_scope(conversation, event.scope)
    if event.owner is not None:
        own(workspace, conversation, event.owner)
    else:
        workspace.waits(conversation)


def _conversation_assigned(workspace: Workspace, event: e.ConversationAssigned) -> None:
    conversation = workspace.conversations[event.conversation_id]
    if event.ranking == "round_robin":
        audience = workspace.audience_of(conversation.scope)
        operator = workspace.operators[event.operator_id]
        operator.last_assigned_in[audience] = workspace.position
    own(workspace, conversation, event.operator_id)


def _conversation_queued(workspace: Workspace, event: e.ConversationQueued) -> None:
    conversation = workspace.conversations[event.conversation_id]
    conversation.hold = event.delivery
    conversation.handover = False
    workspace.takes_place(conversation, event.delivery)


def _conversation_broadcast(workspace: Workspace, event: e.ConversationBroadcast) -> None:
    told = workspace.conversations[event.conversation_id].told
    for operator_id in event.operator_ids:
        told[operator_id] = None


def _conversation_redirected(workspace: Workspace, event: e.ConversationRedirected) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.adrift.pop(event.conversation_id, None)
    if conversation.state == "waiting":
        workspace.leaves_queue(conversation)
    tried = conversation.fallbacks_tried
    set_scope(conversation, event.to)
    if event.reason == "group_disabled":
        fallback = workspace.entry_points[conversation.entry_point_id].fallback
        conversation.fallbacks_tried = fallback.index(event.to, tried) + 1
    if conversation.state == "waiting":
        workspace.waits(conversation)


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.VisitorIdentified: _visitor_identified,
    e.VisitorAssigned: _visitor_assigned,
    e.VisitorUnassigned: _visitor_unassigned,
    e.ConversationOpened: _conversation_opened,
    e.VisitorWrote: _visitor_wrote,
    e.ConversationChanged: _conversation_changed,
    e.ConversationClaimed: _conversation_claimed,
    e.OperatorReplied: _operator_replied,
    e.ParticipantJoined: _participant_joined,
    e.ParticipantLeft: _participant_left,
    e.OwnerLeft: _owner_left,
    e.ConversationReleased: _conversation_released,
    e.ConversationForwarded: _conversation_forwarded,
    e.ConversationClosed: _conversation_closed,
    e.ConversationReopened: _conversation_reopened,
    e.ConversationAssigned: _conversation_assigned,
    e.ConversationQueued: _conversation_queued,
    e.ConversationBroadcast: _conversation_broadcast,
    e.ConversationRedirected: _conversation_redirected,
}
