"""Commands on rules: saving and deleting them.

What a rule says about pages is checked for sense here, not judged.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.commands.rules import invitation_key
from shared.routing.conditions import Fault, fault_in, walk
from shared.routing.decide.rights import unknown
from shared.routing.decide.targets import refuse_scope
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.ids import GroupId
from shared.routing.rules import Action, Condition, Frequency, KeptAction, Rule
from shared.routing.workspace import Workspace

T = TypeVar("T")

_ONE_EACH = ("assign", "invite", "ask_group", "set_priority")
"""Of these a rule has one at most; a second would replace the first."""


def _save_rule(
    workspace: Workspace, command: c.SaveRule, instruction: Instruction
) -> Facts | Refused:
    known = workspace.rules.get(command.rule_id)
    refusal = _refuse_missing(command) if known is None else None
    if refusal is not None:
        return refusal
    fault = _fault_in(workspace, command)
    if fault is not None:
        return Refused("invalid_rule", f"{fault.path}: {fault.reason}", {"path": fault.path})
    event = _rule_event(command, known, instruction)
    if known is not None and _bytes_of(event) == _bytes_of(_saved_as(known)):
        return NOTHING
    return facts(event)


def _bytes_of(event: e.RuleSaved) -> bytes:
    """For comparing: to Python ``1`` and ``true`` are equal, to a rule they are not."""
    return msgspec.json.encode(event)


def _refuse_missing(command: c.SaveRule) -> Refused | None:
    for field, code in (
        ("name", "malformed"),
        ("order", "malformed"),
        ("when", "invalid_rule"),
        ("then", "invalid_rule"),
    ):
        if getattr(command, field) is UNSET:
            text = f"a new rule needs a name, an order, when and then; {field} is missing"
            return Refused(code, text, {"path": field})
    return None


def _rule_event(command: c.SaveRule, known: Rule | None, instruction: Instruction) -> e.RuleSaved:
    then: tuple[KeptAction, ...] | UnsetType = UNSET
    if command.then is not UNSET:
        then = tuple(_kept_action(n, action, instruction) for n, action in enumerate(command.then))
    before = _saved_as(known) if known is not None else _fresh(command, then)
    return e.RuleSaved(
        rule_id=command.rule_id,
        name=_kept(command.name, before.name),
        order=_kept(command.order, before.order),
        enabled=_kept(command.enabled, before.enabled),
        when=_kept(command.when, before.when),
        then=_kept(then, before.then),
        frequency=_kept(command.frequency, before.frequency),
        override=_kept(command.override, before.override),
        only_when_live=_kept(command.only_when_live, before.only_when_live),
    )


def _kept(new: T | UnsetType, old: T) -> T:
    return old if new is UNSET else new


def _kept_action(number: int, action: Action, instruction: Instruction) -> KeptAction:
    invites = action.invite is not None
    return KeptAction(
        assign=action.assign,
        invite=instruction.refs[invitation_key(number)] if invites else None,
        ask_group=action.ask_group and tuple(dict.fromkeys(action.ask_group)),
        set_priority=action.set_priority,
        add_tag=action.add_tag,
        require_skill=action.require_skill,
    )


def _fresh(command: c.SaveRule, then: tuple[KeptAction, ...] | UnsetType) -> e.RuleSaved:
    actions = _kept(then, ())
    only_assigns = all(action.assign is not None for action in actions)
    frequency: Frequency = "always" if only_assigns else "once_per_session"
    return e.RuleSaved(
        rule_id=command.rule_id,
        name="",
        order=0,
        enabled=False,
        when=Condition(always=True),
        then=actions,
        frequency=frequency,
        override=False,
        only_when_live=True,
    )


def _saved_as(rule: Rule) -> e.RuleSaved:
    return e.RuleSaved(
        rule.rule_id,
        rule.name,
        rule.order,
        rule.enabled,
        rule.when,
        rule.then,
        rule.frequency,
        rule.override,
        rule.only_when_live,
    )


# --- whether it makes sense -----------------------------------------------------------------


def _fault_in(workspace: Workspace, command: c.SaveRule) -> Fault | None:
    """Only what the command names: what it keeps may name what was deleted meanwhile."""
    if command.when is not UNSET:
        fault = fault_in(command.when) or _unknown_group(workspace, command.when)
        if fault is not None:
            return fault
    return None if command.then is UNSET else _fault_in_actions(workspace, command.then)


def _unknown_group(workspace: Workspace, when: Condition) -> Fault | None:
    for path, node in walk(when):
        family, dot, group_id = (node.field or "").partition(".")
        if family + dot == "operators_online." and GroupId(group_id) not in workspace.groups:
            return Fault(f"{path}.field", f"there is no group {group_id}")
    return None


def _fault_in_actions(workspace: Workspace, then: tuple[Action, ...]) -> Fault | None:
    seen: dict[str, None] = {}
    for number, action in enumerate(then):
        kind = next(n for n in action.__struct_fields__ if getattr(action, n) is not None)
        path = f"then[{number}].{kind}"
        if kind in seen and kind in _ONE_EACH:
            return Fault(path, "a rule does this once")
        seen[kind] = None
        fault = _fault_in_target(workspace, path, action)
        if fault is not None:
            return fault
    return None


def _fault_in_target(workspace: Workspace, path: str, action: Action) -> Fault | None:
    if action.assign is not None:
        if action.assign.entry_point is not None:
            return Fault(path, "a target is an operator, a group or everyone")
        refusal = refuse_scope(workspace, action.assign)
        return None if refusal is None else Fault(path, refusal.message)
    for number, group_id in enumerate(action.ask_group or ()):
        if group_id not in workspace.groups:
            return Fault(f"{path}[{number}]", f"there is no group {group_id}")
    return None


def _delete_rule(workspace: Workspace, command: c.DeleteRule, _: Instruction) -> Facts | Refused:
    if command.rule_id not in workspace.rules:
        return unknown("rule", command.rule_id)
    return facts(e.RuleDeleted(command.rule_id))


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.SaveRule: _save_rule,
    c.DeleteRule: _delete_rule,
}
