"""How operators change: registration, membership, sessions, status."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing import timers
from shared.routing.events import Event
from shared.routing.evolve.absence import absence_changed
from shared.routing.evolve.ownership import (
    ask_again,
    change_load,
    drop_participant,
    put_back,
)
from shared.routing.ids import SessionId, UnixMs
from shared.routing.state import Operator
from shared.routing.status import absence_of
from shared.routing.workspace import Workspace

LAPSED_REMEMBERED_MAX = 50
"""Sessions of an operator that fell silent and may still come back; devices are replaced."""


ENDED_REMEMBERED_MAX = 100
"""Sessions of an operator that logged out and whose last heartbeats may still be on their way."""


def _operator_registered(workspace: Workspace, event: e.OperatorRegistered) -> None:
    known = workspace.operators.get(event.operator_id)
    operator = Operator(
        operator_id=event.operator_id,
        role_id=event.role_id,
        capacity=event.capacity,
        kind=event.kind,
        name=event.name,
        email=event.email,
        skills=event.skills,
        locale=event.locale,
        since=workspace.at,
        ended=known.ended if known is not None else {},
    )
    workspace.operators[event.operator_id] = operator
    workspace.operator_changed(operator)


def _operator_updated(workspace: Workspace, event: e.OperatorUpdated) -> None:
    operator = workspace.operators[event.operator_id]
    operator.role_id = event.role_id
    operator.capacity = event.capacity
    operator.name = event.name
    operator.email = event.email
    operator.skills = event.skills
    operator.locale = event.locale
    workspace.operator_changed(operator)


def _operator_removed(workspace: Workspace, event: e.OperatorRemoved) -> None:
    operator = workspace.operators[event.operator_id]
    operator.removed = True
    operator.schedule = None
    _end_sessions(operator, list(operator.sessions))
    _end_break(workspace, operator)
    _connection_changed(workspace, operator)
    for group_id in operator.groups:
        del workspace.groups[group_id].members[event.operator_id]
    operator.groups.clear()
    for conversation_id in operator.wrap_ups:
        workspace.cancel_timer(timers.name(timers.WRAP_UP, conversation_id))
    change_load(workspace, operator, -sum(operator.wrap_ups.values()))
    operator.wrap_ups.clear()
    for conversation_id in operator.escalated:
        conversation = workspace.conversations[conversation_id]
        left = tuple(one for one in conversation.escalated if one != event.operator_id)
        conversation.escalated = left
    operator.escalated.clear()
    for conversation_id in list(operator.takes_part):
        drop_participant(workspace, workspace.conversations[conversation_id], operator)
    for conversation_id in list(operator.owned):
        conversation = workspace.conversations[conversation_id]
        put_back(workspace, conversation)
        conversation.handover = True
    workspace.operator_changed(operator)


def _group_joined(workspace: Workspace, event: e.GroupJoined) -> None:
    operator = workspace.operators[event.operator_id]
    operator.groups[event.group_id] = None
    workspace.groups[event.group_id].members[event.operator_id] = None
    workspace.operator_changed(operator)


def _group_left(workspace: Workspace, event: e.GroupLeft) -> None:
    operator = workspace.operators[event.operator_id]
    del operator.groups[event.group_id]
    del workspace.groups[event.group_id].members[event.operator_id]
    workspace.operator_changed(operator)


# --- connection -----------------------------------------------------------------------------


def _operator_logged_in(workspace: Workspace, event: e.OperatorLoggedIn) -> None:
    operator = workspace.operators[event.operator_id]
    if not operator.sessions:
        operator.idle_since = workspace.position
    operator.signed_in = True
    operator.idle = False
    operator.unresponsive = False
    operator.sessions[event.session_id] = workspace.at
    operator.lapsed.pop(event.session_id, None)
    operator.ended.pop(event.session_id, None)
    _connection_changed(workspace, operator)


def _operator_logged_out(workspace: Workspace, event: e.OperatorLoggedOut) -> None:
    operator = workspace.operators[event.operator_id]
    every = list(operator.sessions)
    _end_sessions(operator, every if event.session_id is None else [event.session_id])
    operator.logged_out = not operator.connected
    _connection_changed(workspace, operator)


def _end_sessions(operator: Operator, sessions: list[SessionId]) -> None:
    for session_id in sessions:
        del operator.sessions[session_id]
        operator.lapsed.pop(session_id, None)
        operator.ended.pop(session_id, None)
        operator.ended[session_id] = None
    while len(operator.ended) > ENDED_REMEMBERED_MAX:
        del operator.ended[next(iter(operator.ended))]


def _session_lapsed(workspace: Workspace, event: e.SessionLapsed) -> None:
    operator = workspace.operators[event.operator_id]
    operator.lapsed[event.session_id] = None
    if len(operator.lapsed) > LAPSED_REMEMBERED_MAX:
        forgotten = next(iter(operator.lapsed))
        del operator.lapsed[forgotten], operator.sessions[forgotten]
    _connection_changed(workspace, operator)


def _session_returned(workspace: Workspace, event: e.SessionReturned) -> None:
    operator = workspace.operators[event.operator_id]
    operator.lapsed.pop(event.session_id, None)
    operator.idle = False
    _connection_changed(workspace, operator)


def _connection_changed(workspace: Workspace, operator: Operator) -> None:
    """Start or end the grace that follows when the last session falls silent."""
    grace = timers.name(timers.GRACE, operator.operator_id)
    if operator.connected:
        operator.logged_out = False
    if operator.connected or operator.logged_out or not operator.sessions:
        operator.grace_over = False
        workspace.cancel_timer(grace)
    elif not operator.grace_over and grace not in workspace.timers:
        grace_ms = workspace.workspace_wide().disconnect_grace_s * 1_000
        workspace.set_timer(grace, UnixMs(workspace.at + grace_ms))
    workspace.operator_changed(operator)


def _disconnect_grace_ended(workspace: Workspace, event: e.DisconnectGraceEnded) -> None:
    operator = workspace.operators[event.operator_id]
    workspace.cancel_timer(timers.name(timers.GRACE, event.operator_id))
    operator.grace_over = True
    workspace.operator_changed(operator)


def _operator_idle(workspace: Workspace, event: e.OperatorIdle) -> None:
    operator = workspace.operators[event.operator_id]
    operator.idle = True
    workspace.operator_changed(operator)


def _operator_active(workspace: Workspace, event: e.OperatorActive) -> None:
    operator = workspace.operators[event.operator_id]
    operator.idle = False
    workspace.operator_changed(operator)


def _shift_started(workspace: Workspace, event: e.ShiftStarted) -> None:
    operator = workspace.operators[event.operator_id]
    operator.off_shift = False
    if event.goes_online:
        operator.chosen = "online"
    workspace.operator_changed(operator)


def _shift_ended(workspace: Workspace, event: e.ShiftEnded) -> None:
    operator = workspace.operators[event.operator_id]
    operator.off_shift = True
    operator.shift_ended_at = workspace.at
    workspace.operator_changed(operator)


def _preferences_set(workspace: Workspace, event: e.PreferencesSet) -> None:
    operator = workspace.operators[event.operator_id]
    operator.reachable_when_slow = event.reachable_when_slow
    operator.email_missed = event.email_missed
    operator.idle_timeout_s = event.idle_timeout_s
    workspace.consent_changed(operator)


def _presence_stale(workspace: Workspace, _event: e.PresenceStale) -> None:
    workspace.presence_stale = True


def _presence_fresh(workspace: Workspace, _event: e.PresenceFresh) -> None:
    workspace.presence_stale = False


# --- status ---------------------------------------------------------------------------------


def _status_chosen(workspace: Workspace, event: e.StatusChosen) -> None:
    operator = workspace.operators[event.operator_id]
    _end_break(workspace, operator)
    operator.chosen = event.status
    operator.chosen_at = workspace.at
    operator.unresponsive = False
    if event.until is not None:
        operator.break_until = event.until
        operator.after_break = event.afterwards
        workspace.set_timer(timers.name(timers.BREAK, event.operator_id), event.until)
    ask_again(workspace, event.operator_id)
    workspace.operator_changed(operator)


def _status_break_ended(workspace: Workspace, event: e.StatusBreakEnded) -> None:
    operator = workspace.operators[event.operator_id]
    _end_break(workspace, operator)
    operator.chosen = event.status
    workspace.operator_changed(operator)


def _end_break(workspace: Workspace, operator: Operator) -> None:
    operator.break_until = None
    operator.after_break = None
    workspace.cancel_timer(timers.name(timers.BREAK, operator.operator_id))


def _operator_unresponsive(workspace: Workspace, event: e.OperatorUnresponsive) -> None:
    operator = workspace.operators[event.operator_id]
    operator.unresponsive = True
    operator.missed_offers = 0
    workspace.operator_changed(operator)


def _operator_status_changed(workspace: Workspace, event: e.OperatorStatusChanged) -> None:
    operator = workspace.operators[event.operator_id]
    was_offline = operator.effective == "offline"
    operator.effective = event.effective
    operator.cause = event.cause
    operator.since = workspace.at
    if was_offline != (event.effective == "offline"):
        operator.came_or_went = workspace.position
    workspace.operator_changed(operator)
    if was_offline and event.effective != "offline":
        ask_again(workspace, event.operator_id)


def _noticed(apply: Callable[[Workspace, Any], None]) -> Callable[[Workspace, Any], None]:
    """What may take operators away from what is theirs, or bring them back."""

    def applied(workspace: Workspace, event: Any) -> None:
        operator = workspace.operators[event.operator_id]
        before = absence_of(operator)
        apply(workspace, event)
        if absence_of(operator) != before:
            absence_changed(workspace, operator)

    return applied


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.OperatorRegistered: _operator_registered,
    e.OperatorUpdated: _operator_updated,
    e.OperatorRemoved: _operator_removed,
    e.GroupJoined: _group_joined,
    e.GroupLeft: _group_left,
    e.OperatorLoggedIn: _noticed(_operator_logged_in),
    e.OperatorLoggedOut: _noticed(_operator_logged_out),
    e.SessionLapsed: _noticed(_session_lapsed),
    e.SessionReturned: _noticed(_session_returned),
    e.DisconnectGraceEnded: _noticed(_disconnect_grace_ended),
    e.OperatorIdle: _noticed(_operator_idle),
    e.OperatorActive: _noticed(_operator_active),
    e.ShiftStarted: _noticed(_shift_started),
    e.ShiftEnded: _shift_ended,
    e.PreferencesSet: _preferences_set,
    e.PresenceStale: _presence_stale,
    e.PresenceFresh: _presence_fresh,
    e.StatusChosen: _noticed(_status_chosen),
    e.StatusBreakEnded: _noticed(_status_break_ended),
    e.OperatorUnresponsive: _operator_unresponsive,
    e.OperatorStatusChanged: _operator_status_changed,
}
