"""What changes about the workspace: policies, roles, groups, entry points."""

from shared.routing.events.kinds import Decision, Fact
from shared.routing.ids import (
    EntryPointId,
    GroupId,
    OperatorId,
    Ref,
    RoleId,
    WebhookId,
    WorkspaceId,
)
from shared.routing.permissions import Permissions
from shared.routing.policy import Layer, PolicyScope
from shared.routing.schedule import Schedule
from shared.routing.scope import Scope
from shared.routing.vocabulary import EntryMode, OfflineDisplay


class WorkspaceCreated(Fact, frozen=True, tag="workspace_created.v1"):
    workspace_id: WorkspaceId
    name: str
    timezone: str
    locale: str


class RoutingRevisionAdopted(Fact, frozen=True, tag="routing_revision_adopted.v1"):
    revision: int


class PolicySet(Fact, frozen=True, tag="policy_set.v1"):
    """``policy`` holds all fields set at this place from now on."""

    scope: PolicyScope
    policy: Layer


class RoleDefined(Fact, frozen=True, tag="role_defined.v1"):
    role_id: RoleId
    permissions: Permissions


class RoleDeleted(Fact, frozen=True, tag="role_deleted.v1"):
    role_id: RoleId


class GroupDefined(Fact, frozen=True, tag="group_defined.v1"):
    """A group was created or its settings replaced; ``name_key`` is the case-folded name."""

    group_id: GroupId
    name: str
    name_key: str
    description: str
    public: bool
    enabled: bool
    names: dict[str, str]


class GroupDeleted(Fact, frozen=True, tag="group_deleted.v1"):
    group_id: GroupId


class EntryPointDefined(Fact, frozen=True, tag="entry_point_defined.v1"):
    """``groups`` is empty where the entry point is bound to everyone."""

    entry_point_id: EntryPointId
    name: str
    groups: tuple[GroupId, ...]
    fallback: tuple[Scope, ...]
    offline_display: OfflineDisplay
    ask_group: bool | tuple[GroupId, ...]
    weight: int
    visitor_may_set: tuple[str, ...]
    first_responder: OperatorId | None
    names: dict[str, str]


class EntryPointRemoved(Fact, frozen=True, tag="entry_point_removed.v1"):
    entry_point_id: EntryPointId


class ScheduleSet(Fact, frozen=True, tag="schedule_set.v1"):
    """Of an operator, of an entry point or, if neither is named, of the workspace; null: none."""

    operator_id: OperatorId | None
    entry_point_id: EntryPointId | None
    schedule: Schedule | None


class HoursOpened(Fact, frozen=True, tag="hours_opened.v1"):
    entry_point_id: EntryPointId


class HoursClosed(Fact, frozen=True, tag="hours_closed.v1"):
    entry_point_id: EntryPointId


class EntryPointModeChanged(Decision, frozen=True, tag="entry_point_mode_changed.v1"):
    entry_point_id: EntryPointId
    mode: EntryMode


class WebhookDefined(Fact, frozen=True, tag="webhook_defined.v1"):
    """``types`` are names of events or of feed messages; ``secret`` is what it is signed with."""

    webhook_id: WebhookId
    url: str
    types: tuple[str, ...]
    secret: Ref


class WebhookRemoved(Fact, frozen=True, tag="webhook_removed.v1"):
    webhook_id: WebhookId


class SubjectErased(Fact, frozen=True, tag="subject_erased.v1"):
    """Every personal text about the subjects, up to this position, was deleted from the vault.

    The first is the one that was asked for, as ``visitor:v-17``; the others hang on it.
    """

    subjects: tuple[str, ...]
