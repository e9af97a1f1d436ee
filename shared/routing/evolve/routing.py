"""How a waiting conversation changes: assigned, queued, redirected, widened, taken back."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing import timers
from shared.routing.agenda import CONTINUES
from shared.routing.events import Event
from shared.routing.evolve.ownership import disown, exclude, own, set_scope
from shared.routing.ids import UnixMs
from shared.routing.state import EVERYBODY
from shared.routing.vocabulary import Hold
from shared.routing.workspace import Workspace

_NOBODY_ASKED: tuple[Hold, ...] = ("manual", "out_of_hours", "visitor_away")
"""Holds before which nobody was chosen: whom the visitor knows is still to come first."""


def _conversation_assigned(workspace: Workspace, event: e.ConversationAssigned) -> None:
    conversation = workspace.conversations[event.conversation_id]
    if event.ranking == "round_robin":
        audience = workspace.demand_of(conversation).audience
        operator = workspace.operators[event.operator_id]
        operator.last_assigned_in[audience] = workspace.position
    own(workspace, conversation, event.operator_id)


def _conversation_queued(workspace: Workspace, event: e.ConversationQueued) -> None:
    conversation = workspace.conversations[event.conversation_id]
    conversation.hold = event.hold
    conversation.handover = False
    conversation.fresh = conversation.fresh and event.hold in _NOBODY_ASKED
    workspace.cancel_timer(timers.name(timers.AFFINITY, event.conversation_id))
    if event.hold == "affinity_wait":
        wait_s = workspace.policy_for(conversation).affinity_wait_s
        due = UnixMs(workspace.at + wait_s * 1_000)
        workspace.set_timer(timers.name(timers.AFFINITY, event.conversation_id), due)
    timers.set_widening(workspace, conversation)
    workspace.takes_place(conversation, event.hold)


def _affinity_wait_ended(workspace: Workspace, event: e.AffinityWaitEnded) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.cancel_timer(timers.name(timers.AFFINITY, event.conversation_id))
    conversation.affinity_over = True
    if conversation.state == "waiting":
        workspace.waits(conversation)


def _conversation_broadcast(workspace: Workspace, event: e.ConversationBroadcast) -> None:
    told = workspace.conversations[event.conversation_id].told
    for operator_id in event.operator_ids:
        told[operator_id] = None


def _conversation_redirected(workspace: Workspace, event: e.ConversationRedirected) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.adrift.pop(event.conversation_id, None)
    tried = conversation.fallbacks_tried
    timers.end(workspace, (timers.AFFINITY, timers.WIDEN), event.conversation_id)
    set_scope(conversation, event.to)
    conversation.waits_since = workspace.at
    if event.reason in ("group_disabled", "max_waiting", "out_of_hours", "nobody_online"):
        fallback = workspace.entry_points[conversation.entry_point_id].fallback
        conversation.fallbacks_tried = fallback.index(event.to, tried) + 1
    if conversation.state == "waiting":
        workspace.waits(conversation)


# --- widening -------------------------------------------------------------------------------


def _widening_due(workspace: Workspace, event: e.WideningDue) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.cancel_timer(timers.name(timers.WIDEN, event.conversation_id))
    conversation.widening_step = event.step + 1
    workspace.widening[event.conversation_id] = event.step


def _conversation_widened(workspace: Workspace, event: e.ConversationWidened) -> None:
    conversation = workspace.conversations[event.conversation_id]
    del workspace.widening[event.conversation_id]
    added = (*event.groups, EVERYBODY) if event.everyone else event.groups
    conversation.reach = tuple(sorted({*conversation.reach, *added}))
    conversation.optional_dropped = len(event.skills_dropped)
    conversation.priority = event.priority
    if event.alert_invisible:
        workspace.slow[event.conversation_id] = "escalate_invisible"
    timers.set_widening(workspace, conversation)
    if conversation.state == "waiting":
        workspace.waits(conversation)


# --- slow answers, absent owners ------------------------------------------------------------


def _conversation_slow(workspace: Workspace, event: e.ConversationSlow) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.cancel_timer(timers.name(timers.SLOW, event.conversation_id))
    conversation.slow_step = event.step + 1
    workspace.slow[event.conversation_id] = event.action
    timers.set_slow(workspace, conversation)


def _conversation_escalated(workspace: Workspace, event: e.ConversationEscalated) -> None:
    conversation = workspace.conversations[event.conversation_id]
    told = dict.fromkeys((*conversation.escalated, *event.operator_ids))
    conversation.escalated = tuple(told)
    for operator_id in event.operator_ids:
        workspace.operators[operator_id].escalated[event.conversation_id] = None


def _owner_away_too_long(workspace: Workspace, event: e.OwnerAwayTooLong) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.cancel_timer(timers.name(timers.OWNER, event.conversation_id))
    conversation.owner_away = True
    workspace.owner_checks[event.conversation_id] = "timer"


def _conversation_reassigned(workspace: Workspace, event: e.ConversationReassigned) -> None:
    conversation = workspace.conversations[event.conversation_id]
    workspace.slow.pop(event.conversation_id, None)
    disown(workspace, conversation)
    exclude(workspace, conversation, event.operator_id)
    conversation.scope = conversation.home_scope
    conversation.handover = event.reason == "owner_offline"
    workspace.waits(conversation)


def _nobody_else(workspace: Workspace, event: e.NobodyElse) -> None:
    workspace.slow.pop(event.conversation_id, None)


# --- passes that were cut -------------------------------------------------------------------


def _routing_cut(workspace: Workspace, event: e.RoutingCut) -> None:
    workspace.set_timer(CONTINUES, event.due)


def _routing_continues(workspace: Workspace, _event: e.RoutingContinues) -> None:
    workspace.cancel_timer(CONTINUES)


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.ConversationAssigned: _conversation_assigned,
    e.ConversationQueued: _conversation_queued,
    e.AffinityWaitEnded: _affinity_wait_ended,
    e.ConversationBroadcast: _conversation_broadcast,
    e.ConversationRedirected: _conversation_redirected,
    e.WideningDue: _widening_due,
    e.ConversationWidened: _conversation_widened,
    e.ConversationSlow: _conversation_slow,
    e.ConversationEscalated: _conversation_escalated,
    e.OwnerAwayTooLong: _owner_away_too_long,
    e.ConversationReassigned: _conversation_reassigned,
    e.NobodyElse: _nobody_else,
    e.RoutingCut: _routing_cut,
    e.RoutingContinues: _routing_continues,
}
