"""What the presence service reports: sessions, idleness, shifts and opening hours.

A report that changes nothing writes nothing, so that reporting twice does no harm.
"""

from collections.abc import Callable
from typing import Any

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.rights import unknown
from shared.routing.decide.targets import find_operator
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.ids import EntryPointId, SessionId
from shared.routing.state import Operator
from shared.routing.workspace import Workspace

SESSIONS_MAX = 100


def _lapse(workspace: Workspace, command: c.LapseSession, _: Instruction) -> Facts | Refused:
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    if command.session_id not in operator.sessions or command.session_id in operator.lapsed:
        return NOTHING
    return facts(e.SessionLapsed(command.operator_id, command.session_id))


def _return(workspace: Workspace, command: c.ReturnSession, _: Instruction) -> Facts | Refused:
    """A sign of life of a session nobody knows is a log-in, unless it is late: after a log-out."""
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    if command.session_id in operator.lapsed:
        return facts(e.SessionReturned(command.operator_id, command.session_id))
    if command.session_id in operator.sessions or command.session_id in operator.ended:
        return NOTHING
    return refuse_session(operator, command.session_id) or facts(
        e.OperatorLoggedIn(command.operator_id, command.session_id)
    )


def refuse_session(operator: Operator, session_id: SessionId) -> Refused | None:
    """Refuse one more device where there are too many; silent ones do not count."""
    alive = len(operator.sessions) - len(operator.lapsed)
    if session_id in operator.sessions or alive < SESSIONS_MAX:
        return None
    text = f"{operator.operator_id} has {SESSIONS_MAX} sessions already"
    return Refused("too_many", text, {"sessions_max": SESSIONS_MAX})


def _become_idle(workspace: Workspace, command: c.BecomeIdle, _: Instruction) -> Facts | Refused:
    """Who is not connected is not idle but gone, and begins anew when he is back."""
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    if operator.idle or operator.kind == "bot" or not operator.connected:
        return NOTHING
    return facts(e.OperatorIdle(command.operator_id))


def _become_active(
    workspace: Workspace, command: c.BecomeActive, _: Instruction
) -> Facts | Refused:
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    return facts(e.OperatorActive(command.operator_id)) if operator.idle else NOTHING


# --- shifts and hours -----------------------------------------------------------------------


def _start(workspace: Workspace, command: c.StartShift, _: Instruction) -> Facts | Refused:
    found = _whose(workspace, command)
    if isinstance(found, Refused):
        return found
    if isinstance(found, Operator):
        if not found.off_shift:
            return NOTHING
        forgotten = found.chosen == "offline" and found.chosen_at < found.shift_ended_at
        goes_online = command.auto_online and forgotten
        return facts(e.ShiftStarted(found.operator_id, goes_online))
    return facts(e.HoursOpened(found)) if workspace.entry_points[found].closed else NOTHING


def _end(workspace: Workspace, command: c.EndShift, _: Instruction) -> Facts | Refused:
    found = _whose(workspace, command)
    if isinstance(found, Refused):
        return found
    if isinstance(found, Operator):
        return NOTHING if found.off_shift else facts(e.ShiftEnded(found.operator_id))
    return NOTHING if workspace.entry_points[found].closed else facts(e.HoursClosed(found))


def _whose(
    workspace: Workspace, command: c.StartShift | c.EndShift
) -> Operator | EntryPointId | Refused:
    if (command.operator_id is None) == (command.entry_point_id is None):
        return Refused("malformed", "exactly one of operator_id and entry_point_id is needed")
    if command.operator_id is not None:
        return find_operator(workspace, command.operator_id)
    assert command.entry_point_id is not None
    if command.entry_point_id not in workspace.entry_points:
        return unknown("entry_point", command.entry_point_id)
    return command.entry_point_id


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.LapseSession: _lapse,
    c.ReturnSession: _return,
    c.BecomeIdle: _become_idle,
    c.BecomeActive: _become_active,
    c.StartShift: _start,
    c.EndShift: _end,
}
