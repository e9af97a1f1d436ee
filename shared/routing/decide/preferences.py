"""What operators prefer: set by themselves, or at first by whoever registers them."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.schedules import own_hours
from shared.routing.decide.verdict import Facts, Instruction
from shared.routing.policy import IDLE_TIMEOUT_MIN_S
from shared.routing.state import Operator
from shared.routing.workspace import Workspace


def preferences(
    operator: Operator, command: c.SetPreferences | c.RegisterOperator | c.UpdateOperator
) -> Facts | Refused:
    """The facts that follow from the preferences among the fields of ``command``."""
    refusal = _refuse_idle_timeout(command.idle_timeout_s)
    hours = own_hours(operator, command.weekly, command.exceptions)
    if refusal is not None or isinstance(hours, Refused):
        return refusal or hours
    before = e.PreferencesSet(
        operator.operator_id,
        operator.reachable_when_slow,
        operator.email_missed,
        operator.idle_timeout_s,
    )
    named = {
        field: value
        for field in ("reachable_when_slow", "email_missed", "idle_timeout_s")
        if (value := getattr(command, field, UNSET)) is not UNSET
    }
    after = replace(before, **named)
    return Facts((*(() if after == before else (after,)), *hours.events))


def _refuse_idle_timeout(wished: int | None | UnsetType) -> Refused | None:
    if not isinstance(wished, int) or wished == 0 or wished >= IDLE_TIMEOUT_MIN_S:
        return None
    text = f"idle_timeout_s is 0 for never, or at least {IDLE_TIMEOUT_MIN_S}"
    return Refused("malformed", text, {"path": "idle_timeout_s"})


def _set_preferences(
    workspace: Workspace, command: c.SetPreferences, instruction: Instruction
) -> Facts | Refused:
    operator = workspace.operators[instruction.acting_operator()]
    hours_named = command.weekly is not UNSET or command.exceptions is not UNSET
    if hours_named and workspace.workspace_wide().own_schedule == "deny":
        text = "operators may not set their own hours in this workspace"
        return Refused("not_allowed", text, {"policy": "own_schedule"})
    outcome = preferences(operator, command)
    if isinstance(outcome, Refused) or command.locale in (UNSET, operator.locale):
        return outcome
    return Facts((_speaking(operator, command.locale), *outcome.events))


def _speaking(operator: Operator, locale: str | None) -> e.OperatorUpdated:
    """The language is one of an operator's settings; all others stay."""
    return e.OperatorUpdated(
        operator.operator_id,
        operator.name,
        operator.email,
        operator.role_id,
        operator.capacity,
        operator.skills,
        locale,
    )


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.SetPreferences: _set_preferences,
}
