"""Commands on the workspace itself: policies, roles, groups, entry points."""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.rights import unknown
from shared.routing.decide.targets import find_operator, refuse_entry_point, refuse_scope
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.ids import GroupId, WorkspaceId
from shared.routing.permissions import BUILT_IN_ROLES
from shared.routing.policy import (
    IDLE_TIMEOUT_MIN_S,
    WORKSPACE_ONLY,
    Layer,
    PolicyPatch,
    PolicyScope,
    amended,
)
from shared.routing.revision import REVISION
from shared.routing.state import EntryPoint, Group
from shared.routing.workspace import Workspace

T = TypeVar("T")


def _create_workspace(
    workspace: Workspace, command: c.CreateWorkspace, _: Instruction
) -> Facts | Refused:
    if workspace.created:
        return Refused("workspace_exists", "the workspace exists already")
    created = e.WorkspaceCreated(
        WorkspaceId(workspace.workspace_id), command.name, command.timezone, command.locale
    )
    return facts(created, e.RoutingRevisionAdopted(REVISION))


# --- policies -------------------------------------------------------------------------------


def _set_policy(workspace: Workspace, command: c.SetPolicy, _: Instruction) -> Facts | Refused:
    refusal = _refuse_place(workspace, command.scope)
    if refusal is not None:
        return refusal
    for field in command.policy.named():
        if field in WORKSPACE_ONLY and not command.scope.workspace:
            return Refused(
                "invalid_policy",
                f"{field} can be set for the whole workspace only",
                {"path": f"policy.{field}"},
            )
    refusal = _refuse_values(workspace, command.policy)
    if refusal is not None:
        return refusal
    layer = _layer_at(workspace, command.scope)
    after = amended(layer, command.policy)
    return NOTHING if after == layer else facts(e.PolicySet(command.scope, after))


def _refuse_values(workspace: Workspace, policy: PolicyPatch) -> Refused | None:
    """What the types alone cannot tell."""
    if isinstance(policy.idle_timeout_s, int) and 0 < policy.idle_timeout_s < IDLE_TIMEOUT_MIN_S:
        text = f"idle_timeout_s is 0 for never, or at least {IDLE_TIMEOUT_MIN_S}"
        return Refused("invalid_policy", text, {"path": "policy.idle_timeout_s"})
    if not isinstance(policy.widening, tuple):
        return None
    for number, step in enumerate(policy.widening):
        for group_id in step.add_groups:
            if group_id not in workspace.groups:
                path = f"policy.widening[{number}].add_groups"
                text = f"there is no group {group_id}"
                return Refused("invalid_policy", text, {"path": path, "group_id": group_id})
    return None


def _clear_policy(workspace: Workspace, command: c.ClearPolicy, _: Instruction) -> Facts | Refused:
    refusal = _refuse_place(workspace, command.scope)
    if refusal is not None:
        return refusal
    if not _layer_at(workspace, command.scope):
        return NOTHING
    return facts(e.PolicySet(command.scope, {}))


def _refuse_place(workspace: Workspace, scope: PolicyScope) -> Refused | None:
    if scope.group is not None and scope.group not in workspace.groups:
        return unknown("group", scope.group)
    if scope.entry_point is not None and scope.entry_point not in workspace.entry_points:
        return unknown("entry_point", scope.entry_point)
    return None


def _layer_at(workspace: Workspace, scope: PolicyScope) -> Layer:
    if scope.group is not None:
        return workspace.group_policies.get(scope.group, {})
    if scope.entry_point is not None:
        return workspace.entry_point_policies.get(scope.entry_point, {})
    return workspace.workspace_policy


# --- roles ----------------------------------------------------------------------------------


def _define_role(workspace: Workspace, command: c.DefineRole, _: Instruction) -> Facts | Refused:
    if workspace.roles.get(command.role_id) == command.permissions:
        return NOTHING
    return facts(e.RoleDefined(command.role_id, command.permissions))


def _delete_role(workspace: Workspace, command: c.DeleteRole, _: Instruction) -> Facts | Refused:
    if command.role_id not in workspace.roles:
        return unknown("role", command.role_id)
    if command.role_id in BUILT_IN_ROLES:
        return Refused("in_use", f"the role {command.role_id} is built in")
    users = [
        operator.operator_id
        for operator in workspace.operators.values()
        if operator.role_id == command.role_id and not operator.removed
    ]
    if users:
        return Refused(
            "in_use",
            f"the role {command.role_id} is that of {len(users)} operators",
            {"operator_ids": users[:10]},
        )
    return facts(e.RoleDeleted(command.role_id))


# --- groups ---------------------------------------------------------------------------------


def _create_group(workspace: Workspace, command: c.CreateGroup, _: Instruction) -> Facts | Refused:
    if command.group_id in workspace.groups:
        return Refused("already_exists", f"there is a group {command.group_id} already")
    event = e.GroupDefined(
        group_id=command.group_id,
        name=command.name,
        name_key=_name_key(command.name),
        description=command.description,
        public=command.public,
        enabled=command.enabled,
        names=command.names,
    )
    return _refuse_name(workspace, event) or facts(event)


def _update_group(workspace: Workspace, command: c.UpdateGroup, _: Instruction) -> Facts | Refused:
    group = workspace.groups.get(command.group_id)
    if group is None:
        return unknown("group", command.group_id)
    before = _group_event(group)
    name = _kept(command.name, group.name)
    event = e.GroupDefined(
        group_id=command.group_id,
        name=name,
        name_key=group.name_key if name == group.name else _name_key(name),
        description=_kept(command.description, group.description),
        public=_kept(command.public, group.public),
        enabled=_kept(command.enabled, group.enabled),
        names=_kept(command.names, group.names),
    )
    if event == before:
        return NOTHING
    return _refuse_name(workspace, event) or facts(event)


def _group_event(group: Group) -> e.GroupDefined:
    return e.GroupDefined(
        group.group_id,
        group.name,
        group.name_key,
        group.description,
        group.public,
        group.enabled,
        group.names,
    )


def _name_key(name: str) -> str:
    """Names that differ in case only are the same name; recorded, as Unicode tables change."""
    return name.strip().casefold()


def _refuse_name(workspace: Workspace, event: e.GroupDefined) -> Refused | None:
    for group in workspace.groups.values():
        if group.name_key == event.name_key and group.group_id != event.group_id:
            return Refused(
                "group_name_taken",
                f"the group {group.group_id} is called {group.name} already",
                {"group_id": group.group_id},
            )
    return None


def _delete_group(workspace: Workspace, command: c.DeleteGroup, _: Instruction) -> Facts | Refused:
    if command.group_id not in workspace.groups:
        return unknown("group", command.group_id)
    for entry_point in workspace.entry_points.values():
        if entry_point.groups == (command.group_id,):
            return Refused(
                "in_use",
                f"{command.group_id} is the last group of entry point {entry_point.entry_point_id}",
                {"entry_point_id": entry_point.entry_point_id},
            )
    return facts(e.GroupDeleted(command.group_id))


# --- entry points ---------------------------------------------------------------------------


def _define_entry_point(
    workspace: Workspace, command: c.DefineEntryPoint, _: Instruction
) -> Facts | Refused:
    known = workspace.entry_points.get(command.entry_point_id)
    if known is None and (command.name is UNSET or command.groups is UNSET):
        return Refused("malformed", "a new entry point needs a name and groups")
    event = _entry_point_event(command, known)
    refusal = _refuse_references(workspace, command)
    if refusal is not None:
        return refusal
    if known is not None and event == _defined_as(known):
        return NOTHING
    return facts(event)


def _entry_point_event(
    command: c.DefineEntryPoint, known: EntryPoint | None
) -> e.EntryPointDefined:
    before = _defined_as(known) if known is not None else _fresh(command)
    groups: tuple[GroupId, ...] | UnsetType
    groups = () if command.groups == "everyone" else _without_repeats(command.groups)
    return e.EntryPointDefined(
        entry_point_id=command.entry_point_id,
        name=_kept(command.name, before.name),
        groups=_kept(groups, before.groups),
        fallback=_kept(command.fallback, before.fallback),
        offline_display=_kept(command.offline_display, before.offline_display),
        ask_group=_kept(command.ask_group, before.ask_group),
        weight=_kept(command.weight, before.weight),
        visitor_may_set=_kept(command.visitor_may_set, before.visitor_may_set),
        first_responder=_kept(command.first_responder, before.first_responder),
        names=_kept(command.names, before.names),
    )


def _without_repeats(
    groups: tuple[GroupId, ...] | str | UnsetType,
) -> tuple[GroupId, ...] | UnsetType:
    return tuple(dict.fromkeys(groups)) if isinstance(groups, tuple) else UNSET


def _fresh(command: c.DefineEntryPoint) -> e.EntryPointDefined:
    return e.EntryPointDefined(
        entry_point_id=command.entry_point_id,
        name="",
        groups=(),
        fallback=(),
        offline_display="messenger",
        ask_group=False,
        weight=1,
        visitor_may_set=(),
        first_responder=None,
        names={},
    )


def _defined_as(entry_point: EntryPoint) -> e.EntryPointDefined:
    return e.EntryPointDefined(
        entry_point.entry_point_id,
        entry_point.name,
        entry_point.groups,
        entry_point.fallback,
        entry_point.offline_display,
        entry_point.ask_group,
        entry_point.weight,
        entry_point.visitor_may_set,
        entry_point.first_responder,
        entry_point.names,
    )


def _refuse_references(workspace: Workspace, command: c.DefineEntryPoint) -> Refused | None:
    """Only what the command names: what it keeps may have been deleted meanwhile."""
    bound = command.groups if isinstance(command.groups, tuple) else ()
    asked = command.ask_group if isinstance(command.ask_group, tuple) else ()
    for group_id in (*bound, *asked):
        if group_id not in workspace.groups:
            return unknown("group", group_id)
    bot_id = command.first_responder
    if bot_id is not UNSET and bot_id is not None:
        bot = find_operator(workspace, bot_id)
        if isinstance(bot, Refused):
            return bot
        if bot.kind != "bot":
            return Refused("malformed", f"the first responder {bot_id} is not a bot")
    for target in () if command.fallback is UNSET else command.fallback:
        refusal = refuse_scope(workspace, target) or refuse_entry_point(target)
        if refusal is not None:
            return refusal
    return None


def _remove_entry_point(
    workspace: Workspace, command: c.RemoveEntryPoint, _: Instruction
) -> Facts | Refused:
    if command.entry_point_id not in workspace.entry_points:
        return unknown("entry_point", command.entry_point_id)
    return facts(e.EntryPointRemoved(command.entry_point_id))


def _kept(new: T | UnsetType, old: T) -> T:
    return old if new is UNSET else new


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.CreateWorkspace: _create_workspace,
    c.SetPolicy: _set_policy,
    c.ClearPolicy: _clear_policy,
    c.DefineRole: _define_role,
    c.DeleteRole: _delete_role,
    c.CreateGroup: _create_group,
    c.UpdateGroup: _update_group,
    c.DeleteGroup: _delete_group,
    c.DefineEntryPoint: _define_entry_point,
    c.RemoveEntryPoint: _remove_entry_point,
}
