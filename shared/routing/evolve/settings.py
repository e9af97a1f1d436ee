"""How settings of the workspace change: policies, roles, groups, entry points."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing import timers
from shared.routing.events import Event
from shared.routing.evolve.ownership import call_off, forgive
from shared.routing.scope import Scope
from shared.routing.state import Conversation, EntryPoint, Group, Webhook
from shared.routing.workspace import Workspace


def _workspace_created(workspace: Workspace, event: e.WorkspaceCreated) -> None:
    workspace.created = True
    workspace.workspace_id = event.workspace_id
    workspace.name = event.name
    workspace.timezone = event.timezone
    workspace.locale = event.locale


def _routing_revision_adopted(workspace: Workspace, event: e.RoutingRevisionAdopted) -> None:
    workspace.revision = event.revision


def _policy_set(workspace: Workspace, event: e.PolicySet) -> None:
    workspace.policy_version = workspace.position
    scope = event.scope
    if scope.group is not None:
        workspace.group_policies[scope.group] = event.policy
    elif scope.entry_point is not None:
        workspace.entry_point_policies[scope.entry_point] = event.policy
    else:
        workspace.workspace_policy = event.policy
    for conversation_id in workspace.open:
        conversation = workspace.conversations[conversation_id]
        if conversation.state == "waiting":
            conversation.round = 0
            conversation.back_off_until = None
            workspace.cancel_timer(timers.name(timers.BACK_OFF, conversation_id))
            forgive(workspace, conversation)
    workspace.reconsider()
    for conversation_id in workspace.open:
        _widen_anew(workspace, workspace.conversations[conversation_id])


def _widen_anew(workspace: Workspace, conversation: Conversation) -> None:
    """What waits widens by the new policy, as if that had held from the beginning of the wait."""
    if conversation.state in ("waiting", "offered"):
        workspace.cancel_timer(timers.name(timers.WIDEN, conversation.conversation_id))
        timers.set_widening(workspace, conversation)


def _role_defined(workspace: Workspace, event: e.RoleDefined) -> None:
    workspace.roles[event.role_id] = event.permissions
    for operator in workspace.operators.values():
        if operator.role_id == event.role_id:
            workspace.operator_changed(operator)


def _role_deleted(workspace: Workspace, event: e.RoleDeleted) -> None:
    del workspace.roles[event.role_id]


def _group_defined(workspace: Workspace, event: e.GroupDefined) -> None:
    known = workspace.groups.get(event.group_id)
    workspace.groups[event.group_id] = Group(
        group_id=event.group_id,
        name=event.name,
        name_key=event.name_key,
        description=event.description,
        public=event.public,
        enabled=event.enabled,
        names=event.names,
        members=known.members if known is not None else {},
    )
    # A new one may be the fallback that an earlier group of the same id was.
    if known is None or known.enabled != event.enabled:
        workspace.reconsider()


def _group_deleted(workspace: Workspace, event: e.GroupDeleted) -> None:
    group = workspace.groups.pop(event.group_id)
    workspace.group_policies.pop(event.group_id, None)
    for operator_id in group.members:
        del workspace.operators[operator_id].groups[event.group_id]
    for entry_point in workspace.entry_points.values():
        entry_point.groups = tuple(g for g in entry_point.groups if g != event.group_id)
    _set_adrift(workspace, Scope(group=event.group_id))
    workspace.reconsider()


def _set_adrift(workspace: Workspace, gone: Scope) -> None:
    """Those that wait are looked at anyhow."""
    under_way = [workspace.conversations[its_id] for its_id in workspace.open]
    for conversation in sorted(under_way, key=lambda one: one.positions[0]):
        on_its_way = conversation.state in ("assigned", "offered")
        if on_its_way and conversation.home_scope == gone:
            workspace.adrift[conversation.conversation_id] = None
        if conversation.forward is not None and conversation.forward.to == gone:
            call_off(workspace, conversation, "nobody_reachable")


def _entry_point_defined(workspace: Workspace, event: e.EntryPointDefined) -> None:
    known = workspace.entry_points.get(event.entry_point_id)
    workspace.entry_points[event.entry_point_id] = EntryPoint(
        entry_point_id=event.entry_point_id,
        name=event.name,
        groups=event.groups,
        fallback=event.fallback,
        offline_display=event.offline_display,
        ask_group=event.ask_group,
        weight=event.weight,
        visitor_may_set=event.visitor_may_set,
        first_responder=event.first_responder,
        names=event.names,
        closed=known is not None and known.closed,
        schedule=known.schedule if known is not None else None,
        mode=known.mode if known is not None else None,
    )
    workspace.reconsider()


def _entry_point_removed(workspace: Workspace, event: e.EntryPointRemoved) -> None:
    del workspace.entry_points[event.entry_point_id]
    workspace.entry_point_policies.pop(event.entry_point_id, None)
    _set_adrift(workspace, Scope(entry_point=event.entry_point_id))
    workspace.reconsider()


def _schedule_set(workspace: Workspace, event: e.ScheduleSet) -> None:
    """Nobody is on or off shift by it: that is reported."""
    if event.operator_id is not None:
        workspace.operators[event.operator_id].schedule = event.schedule
    elif event.entry_point_id is not None:
        workspace.entry_points[event.entry_point_id].schedule = event.schedule
    else:
        workspace.schedule = event.schedule


def _webhook_defined(workspace: Workspace, event: e.WebhookDefined) -> None:
    workspace.webhooks[event.webhook_id] = Webhook(
        event.webhook_id, event.url, event.types, event.secret
    )


def _webhook_removed(workspace: Workspace, event: e.WebhookRemoved) -> None:
    del workspace.webhooks[event.webhook_id]


def _subject_erased(workspace: Workspace, event: e.SubjectErased) -> None:
    for subject in event.subjects:
        workspace.erased[subject] = workspace.position


def _hours_opened(workspace: Workspace, event: e.HoursOpened) -> None:
    workspace.entry_points[event.entry_point_id].closed = False
    workspace.reconsider()


def _hours_closed(workspace: Workspace, event: e.HoursClosed) -> None:
    workspace.entry_points[event.entry_point_id].closed = True
    workspace.reconsider()


def _entry_point_mode_changed(workspace: Workspace, event: e.EntryPointModeChanged) -> None:
    workspace.entry_points[event.entry_point_id].mode = event.mode


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.WorkspaceCreated: _workspace_created,
    e.RoutingRevisionAdopted: _routing_revision_adopted,
    e.PolicySet: _policy_set,
    e.RoleDefined: _role_defined,
    e.RoleDeleted: _role_deleted,
    e.GroupDefined: _group_defined,
    e.GroupDeleted: _group_deleted,
    e.EntryPointDefined: _entry_point_defined,
    e.EntryPointRemoved: _entry_point_removed,
    e.HoursOpened: _hours_opened,
    e.HoursClosed: _hours_closed,
    e.EntryPointModeChanged: _entry_point_mode_changed,
    e.ScheduleSet: _schedule_set,
    e.WebhookDefined: _webhook_defined,
    e.WebhookRemoved: _webhook_removed,
    e.SubjectErased: _subject_erased,
}
