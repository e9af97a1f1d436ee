"""What the settings of a workspace look like from outside."""

import msgspec

from shared.routing.ids import GroupId, Position, Ref, RoleId, RuleId, WebhookId
from shared.routing.permissions import Permissions
from shared.routing.rules import Condition, Frequency, KeptAction, Rule
from shared.routing.schedule import Schedule
from shared.routing.scope import Scope
from shared.routing.state import EntryPoint, Group, Webhook
from shared.routing.views import View
from shared.routing.workspace import Workspace


class InvitationView(View, frozen=True, kw_only=True):
    """``message`` is a text once read from the vault; null if it was erased."""

    message: Ref | None


class ActionView(View, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a rule does; exactly one field is set."""

    assign: Scope | None = None
    invite: InvitationView | None = None
    ask_group: tuple[GroupId, ...] | None = None
    set_priority: int | None = None
    add_tag: str | None = None
    require_skill: str | None = None


class RuleView(View, frozen=True, kw_only=True):
    """A rule as ``save_rule`` takes it; ``version`` is the position at which it was saved."""

    rule_id: RuleId
    version: Position
    name: str
    order: int
    enabled: bool
    when: Condition
    then: tuple[ActionView, ...]
    frequency: Frequency
    override: bool
    only_when_live: bool


class WebhookView(View, frozen=True, kw_only=True):
    """A webhook without what it is signed with: that is never shown again."""

    webhook_id: WebhookId
    url: str
    types: tuple[str, ...]


class WorkspaceView(View, frozen=True, kw_only=True):
    """All settings of the workspace; ``policy_version`` is the position of the last policy.

    Rules come in the order in which they are tried.
    """

    workspace_id: str
    name: str
    timezone: str
    locale: str
    roles: dict[RoleId, Permissions]
    groups: tuple[Group, ...]
    entry_points: tuple[EntryPoint, ...]
    policies: dict[str, object]
    policy_version: Position
    rules: tuple[RuleView, ...]
    schedule: Schedule | None
    """Hours of whoever has none of his own; each entry point has its own beside it."""
    webhooks: tuple[WebhookView, ...]
    presence_stale: bool


def workspace_view(workspace: Workspace) -> WorkspaceView:
    """A copy, so that nothing changes under whoever holds it."""
    return WorkspaceView(
        workspace_id=workspace.workspace_id,
        name=workspace.name,
        timezone=workspace.timezone,
        locale=workspace.locale,
        roles=dict(workspace.roles),
        groups=tuple(map(msgspec.structs.replace, workspace.groups.values())),
        entry_points=tuple(map(msgspec.structs.replace, workspace.entry_points.values())),
        policies={
            "workspace": workspace.workspace_policy,
            "groups": dict(workspace.group_policies),
            "entry_points": dict(workspace.entry_point_policies),
        },
        policy_version=workspace.policy_version,
        rules=tuple(map(_rule_view, in_order(workspace))),
        schedule=workspace.schedule,
        webhooks=tuple(map(_webhook_view, workspace.webhooks.values())),
        presence_stale=workspace.presence_stale,
    )


def in_order(workspace: Workspace) -> list[Rule]:
    """The rules as they are tried: by order, and by id where that is the same."""
    return sorted(workspace.rules.values(), key=lambda rule: (rule.order, rule.rule_id))


def _webhook_view(webhook: Webhook) -> WebhookView:
    return WebhookView(webhook_id=webhook.webhook_id, url=webhook.url, types=webhook.types)


def _rule_view(rule: Rule) -> RuleView:
    return RuleView(
        rule_id=rule.rule_id,
        version=rule.version,
        name=rule.name,
        order=rule.order,
        enabled=rule.enabled,
        when=rule.when,
        then=tuple(map(_action_view, rule.then)),
        frequency=rule.frequency,
        override=rule.override,
        only_when_live=rule.only_when_live,
    )


def _action_view(action: KeptAction) -> ActionView:
    return ActionView(
        assign=action.assign,
        invite=None if action.invite is None else InvitationView(message=action.invite),
        ask_group=action.ask_group,
        set_priority=action.set_priority,
        add_tag=action.add_tag,
        require_skill=action.require_skill,
    )
