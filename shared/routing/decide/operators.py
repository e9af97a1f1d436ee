"""Commands on operators: registration, membership, sessions, status."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.preferences import preferences
from shared.routing.decide.presence import refuse_session
from shared.routing.decide.rights import unknown
from shared.routing.decide.targets import find_group, find_operator
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.ids import Ref, RoleId, UnixMs
from shared.routing.state import Operator
from shared.routing.workspace import Workspace

DEFAULT_CAPACITY = 5
DEFAULT_ROLE = RoleId("staff")


def _register_operator(
    workspace: Workspace, command: c.RegisterOperator, instruction: Instruction
) -> Facts | Refused:
    known = workspace.operators.get(command.operator_id)
    if known is not None and not known.removed:
        return Refused("already_exists", f"there is an operator {command.operator_id} already")
    blank = Operator(
        operator_id=command.operator_id, role_id=DEFAULT_ROLE, capacity=DEFAULT_CAPACITY
    )
    settings = _settings(command, blank, instruction)
    if settings["role_id"] not in workspace.roles:
        return unknown("role", settings["role_id"])
    preferred = preferences(blank, command)
    if isinstance(preferred, Refused):
        return preferred
    return facts(e.OperatorRegistered(kind=command.kind, **settings), *preferred.events)


def _update_operator(
    workspace: Workspace, command: c.UpdateOperator, instruction: Instruction
) -> Facts | Refused:
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    settings = _settings(command, operator, instruction)
    if settings["role_id"] not in workspace.roles:
        return unknown("role", settings["role_id"])
    preferred = preferences(operator, command)
    if isinstance(preferred, Refused):
        return preferred
    if all(getattr(operator, name) == value for name, value in settings.items()):
        return preferred
    return facts(e.OperatorUpdated(**settings), *preferred.events)


def _settings(
    command: c.RegisterOperator | c.UpdateOperator, before: Operator, instruction: Instruction
) -> dict[str, Any]:
    """All settings after the command: named fields changed, the others kept."""
    skills = before.skills if command.skills is UNSET else tuple(dict.fromkeys(command.skills))
    return {
        "operator_id": command.operator_id,
        "name": _reference(command.name, "name", before.name, instruction),
        "email": _reference(command.email, "email", before.email, instruction),
        "role_id": before.role_id if command.role_id is UNSET else command.role_id,
        "capacity": before.capacity if command.capacity is UNSET else command.capacity,
        "skills": skills,
        "locale": before.locale if command.locale is UNSET else command.locale,
    }


def _reference(
    text: object, field: str, before: Ref | None, instruction: Instruction
) -> Ref | None:
    return before if text is UNSET else instruction.refs.get(field)


def _remove_operator(
    workspace: Workspace, command: c.RemoveOperator, _: Instruction
) -> Facts | Refused:
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    return facts(e.OperatorRemoved(command.operator_id))


def _log_out_operator(
    workspace: Workspace, command: c.LogOutOperator, _: Instruction
) -> Facts | Refused:
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    if not operator.sessions:
        return NOTHING
    return facts(e.OperatorLoggedOut(command.operator_id, None))


# --- membership -----------------------------------------------------------------------------


def _join_group(workspace: Workspace, command: c.JoinGroup, _: Instruction) -> Facts | Refused:
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    group = find_group(workspace, command.group_id)
    if isinstance(group, Refused):
        return group
    if command.group_id in operator.groups:
        return NOTHING
    return facts(e.GroupJoined(command.operator_id, command.group_id))


def _leave_group(workspace: Workspace, command: c.LeaveGroup, _: Instruction) -> Facts | Refused:
    operator = find_operator(workspace, command.operator_id)
    if isinstance(operator, Refused):
        return operator
    group = find_group(workspace, command.group_id)
    if isinstance(group, Refused):
        return group
    if command.group_id not in operator.groups:
        return NOTHING
    return facts(e.GroupLeft(command.operator_id, command.group_id))


# --- sessions and status --------------------------------------------------------------------


def _log_in(workspace: Workspace, command: c.LogIn, instruction: Instruction) -> Facts | Refused:
    operator = _self(workspace, instruction)
    known = command.session_id in operator.sessions
    if not known or operator.unresponsive:
        return refuse_session(operator, command.session_id) or facts(
            e.OperatorLoggedIn(operator.operator_id, command.session_id)
        )
    if command.session_id in operator.lapsed:
        return facts(e.SessionReturned(operator.operator_id, command.session_id))
    return NOTHING


def _log_out(workspace: Workspace, command: c.LogOut, instruction: Instruction) -> Facts | Refused:
    operator = _self(workspace, instruction)
    if command.session_id not in operator.sessions:
        return NOTHING
    return facts(e.OperatorLoggedOut(operator.operator_id, command.session_id))


def _set_status(
    workspace: Workspace, command: c.SetStatus, instruction: Instruction
) -> Facts | Refused:
    operator = _self(workspace, instruction)
    if command.status == "offline" and _manual_offline(workspace) == "deny":
        return Refused(
            "status_not_selectable",
            "offline cannot be chosen in this workspace: it comes from logging out",
            {"status": "offline"},
        )
    context = command.conversation_id
    if context is not None and context not in workspace.conversations:
        return unknown("conversation", context)
    if _is_so_already(operator, command):
        return NOTHING
    until = afterwards = None
    if command.for_s is not None:
        until = UnixMs(instruction.at + command.for_s * 1_000)
        afterwards = operator.after_break or operator.chosen
    return facts(e.StatusChosen(operator.operator_id, command.status, until, afterwards, context))


def _is_so_already(operator: Operator, command: c.SetStatus) -> bool:
    """Choosing the same again still ends being unresponsive."""
    return (
        operator.chosen == command.status
        and command.for_s is None
        and operator.break_until is None
        and not operator.unresponsive
    )


def _manual_offline(workspace: Workspace) -> object:
    return workspace.workspace_wide().manual_offline


def _self(workspace: Workspace, instruction: Instruction) -> Operator:
    return workspace.operators[instruction.acting_operator()]


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.RegisterOperator: _register_operator,
    c.UpdateOperator: _update_operator,
    c.RemoveOperator: _remove_operator,
    c.LogOutOperator: _log_out_operator,
    c.JoinGroup: _join_group,
    c.LeaveGroup: _leave_group,
    c.LogIn: _log_in,
    c.LogOut: _log_out,
    c.SetStatus: _set_status,
}
