"""Hours: of operators, of entry points, of the workspace.

A schedule by itself puts nobody on or off shift: the presence service reads it from the log and
reports what it means at the moment. While that service is down, what it said last holds.
"""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, UnsetType

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.rights import unknown
from shared.routing.decide.targets import find_operator
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.schedule import (
    Exceptions,
    Schedule,
    Weekly,
    fault_of,
    normal_exceptions,
    normal_weekly,
)
from shared.routing.state import Operator
from shared.routing.workspace import Workspace


def _set_schedule(workspace: Workspace, command: c.SetSchedule, _: Instruction) -> Facts | Refused:
    before = _present(workspace, command)
    if isinstance(before, Refused):
        return before
    refusal = _refuse_contradiction(command) or _refuse_hours(command.weekly, command.exceptions)
    if refusal is not None:
        return refusal
    after = None
    if command.weekly is not UNSET:
        after = Schedule(
            weekly=normal_weekly(command.weekly),
            exceptions=normal_exceptions(command.exceptions),
            timezone=command.timezone,
            auto_online=command.auto_online,
        )
    if after == before:
        return NOTHING
    return facts(e.ScheduleSet(command.operator_id, command.entry_point_id, after))


def _present(workspace: Workspace, command: c.SetSchedule) -> Schedule | Refused | None:
    """The schedule that the command is about to replace."""
    if command.operator_id is not None and command.entry_point_id is not None:
        text = "at most one of operator_id and entry_point_id may be named"
        return Refused("malformed", text, {"path": "entry_point_id"})
    if command.operator_id is not None:
        operator = find_operator(workspace, command.operator_id)
        return operator if isinstance(operator, Refused) else operator.schedule
    if command.entry_point_id is not None:
        entry_point = workspace.entry_points.get(command.entry_point_id)
        if entry_point is None:
            return unknown("entry_point", command.entry_point_id)
        return entry_point.schedule
    return workspace.schedule


def _refuse_contradiction(command: c.SetSchedule) -> Refused | None:
    if command.clear and (command.weekly is not UNSET or command.exceptions):
        return Refused("malformed", "clear: no hours may stand beside it", {"path": "clear"})
    if not command.clear and command.weekly is UNSET:
        return Refused("malformed", "weekly is missing", {"path": "weekly"})
    return None


def _refuse_hours(
    weekly: Weekly | None | UnsetType, exceptions: Exceptions | UnsetType
) -> Refused | None:
    fault = fault_of(weekly or {}, exceptions or {})
    if fault is None:
        return None
    return Refused("malformed", f"{fault.path}: {fault.reason}", {"path": fault.path})


def own_hours(
    operator: Operator, weekly: Weekly | None | UnsetType, exceptions: Exceptions | UnsetType
) -> Facts | Refused:
    """What follows where an operator's hours are named among other settings of his.

    Fields left out keep what they were; ``weekly`` null takes his hours back, exceptions too.
    """
    refusal = _refuse_hours(weekly, exceptions)
    if refusal is not None:
        return refusal
    before = operator.schedule
    kept = before.weekly if weekly is UNSET and before is not None else weekly
    if not isinstance(kept, dict):
        if exceptions:
            text = "exceptions: there are no weekly hours of one's own that they could replace"
            return Refused("malformed", text, {"path": "exceptions"})
        after = None
    else:
        known = before or Schedule(weekly={}, exceptions={}, timezone=None, auto_online=True)
        after = Schedule(
            weekly=normal_weekly(kept),
            exceptions=normal_exceptions(known.exceptions if exceptions is UNSET else exceptions),
            timezone=known.timezone,
            auto_online=known.auto_online,
        )
    if after == before:
        return NOTHING
    return facts(e.ScheduleSet(operator.operator_id, None, after))


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.SetSchedule: _set_schedule,
}
