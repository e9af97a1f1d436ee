"""How operators change: registration, membership, sessions, status."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing.events import Event
from shared.routing.evolve.ownership import disown, drop_participant, to_home_scope
from shared.routing.ids import OperatorId
from shared.routing.state import Operator, Timer
from shared.routing.timers import break_timer
from shared.routing.workspace import Workspace


def _operator_registered(workspace: Workspace, event: e.OperatorRegistered) -> None:
    operator = Operator(
        operator_id=event.operator_id,
        role_id=event.role_id,
        capacity=event.capacity,
        name=event.name,
        email=event.email,
        skills=event.skills,
        locale=event.locale,
        since=workspace.at,
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
    operator.sessions.clear()
    _end_break(workspace, operator)
    for group_id in operator.groups:
        del workspace.groups[group_id].members[event.operator_id]
    operator.groups.clear()
    for conversation_id in list(operator.takes_part):
        drop_participant(workspace, workspace.conversations[conversation_id], operator)
    for conversation_id in list(operator.owned):
        conversation = workspace.conversations[conversation_id]
        disown(workspace, conversation)
        conversation.handover = True
        to_home_scope(conversation)
        workspace.waits(conversation)
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


def _operator_logged_in(workspace: Workspace, event: e.OperatorLoggedIn) -> None:
    operator = workspace.operators[event.operator_id]
    if not operator.sessions:
        operator.idle_since = workspace.position
    operator.signed_in = True
    operator.sessions[event.session_id] = workspace.at
    workspace.operator_changed(operator)


def _operator_logged_out(workspace: Workspace, event: e.OperatorLoggedOut) -> None:
    operator = workspace.operators[event.operator_id]
    if event.session_id is None:
        operator.sessions.clear()
    else:
        del operator.sessions[event.session_id]
    workspace.operator_changed(operator)


def _status_chosen(workspace: Workspace, event: e.StatusChosen) -> None:
    operator = workspace.operators[event.operator_id]
    _end_break(workspace, operator)
    operator.chosen = event.status
    if event.until is not None:
        operator.break_until = event.until
        operator.after_break = event.afterwards
        timer = Timer(event.until, break_timer(event.operator_id))
        workspace.timers[timer.timer_id] = timer
        workspace.due.add(timer)
    _ask_again(workspace, event.operator_id)
    workspace.operator_changed(operator)


def _status_break_ended(workspace: Workspace, event: e.StatusBreakEnded) -> None:
    operator = workspace.operators[event.operator_id]
    _end_break(workspace, operator)
    operator.chosen = event.status
    workspace.operator_changed(operator)


def _end_break(workspace: Workspace, operator: Operator) -> None:
    operator.break_until = None
    operator.after_break = None
    timer = workspace.timers.pop(break_timer(operator.operator_id), None)
    if timer is not None:
        workspace.due.remove(timer)


def _ask_again(workspace: Workspace, operator_id: OperatorId) -> None:
    for conversation_id in workspace.declined_by.pop(operator_id, {}):
        conversation = workspace.conversations[conversation_id]
        waiting = conversation.state == "waiting"
        if waiting:
            workspace.leaves_queue(conversation)
        conversation.declined = tuple(o for o in conversation.declined if o != operator_id)
        if waiting:
            workspace.waits(conversation)


def _operator_status_changed(workspace: Workspace, event: e.OperatorStatusChanged) -> None:
    operator = workspace.operators[event.operator_id]
    operator.effective = event.effective
    operator.cause = event.cause
    operator.since = workspace.at
    workspace.operator_changed(operator)


def _entry_point_mode_changed(workspace: Workspace, event: e.EntryPointModeChanged) -> None:
    workspace.entry_points[event.entry_point_id].mode = event.mode


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.OperatorRegistered: _operator_registered,
    e.OperatorUpdated: _operator_updated,
    e.OperatorRemoved: _operator_removed,
    e.GroupJoined: _group_joined,
    e.GroupLeft: _group_left,
    e.OperatorLoggedIn: _operator_logged_in,
    e.OperatorLoggedOut: _operator_logged_out,
    e.StatusChosen: _status_chosen,
    e.StatusBreakEnded: _status_break_ended,
    e.OperatorStatusChanged: _operator_status_changed,
    e.EntryPointModeChanged: _entry_point_mode_changed,
}
