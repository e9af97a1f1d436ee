"""Commands on the workspace itself: policies, roles, groups, entry points."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from shared.routing.commands.command import Command
from shared.routing.commands.fields import (
    LIST,
    AGroup,
    AnEntryPoint,
    AnOperator,
    ARole,
    AWebhook,
    BoundGroups,
    Name,
    Names,
    Text,
    VisitorField,
    Weight,
)
from shared.routing.permissions import Permissions
from shared.routing.policy import PolicyPatch, PolicyScope
from shared.routing.schedule import Exceptions, Weekly
from shared.routing.scope import Scope
from shared.routing.vocabulary import OfflineDisplay


class CreateWorkspace(Command, frozen=True):
    name: Name
    timezone: Name = "UTC"
    locale: Name = "en"


class SetPolicy(Command, frozen=True):
    scope: PolicyScope
    policy: PolicyPatch


class ClearPolicy(Command, frozen=True):
    scope: PolicyScope


class DefineRole(Command, frozen=True):
    role_id: ARole
    permissions: Permissions


class DeleteRole(Command, frozen=True):
    role_id: ARole


class CreateGroup(Command, frozen=True):
    group_id: AGroup
    name: Name
    description: Text = ""
    public: bool = True
    enabled: bool = True
    names: Names = {}


class UpdateGroup(Command, frozen=True):
    group_id: AGroup
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    public: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    names: Names | UnsetType = UNSET


class DeleteGroup(Command, frozen=True):
    group_id: AGroup


class DefineEntryPoint(Command, frozen=True):
    """``name`` and ``groups`` are needed when it is new."""

    entry_point_id: AnEntryPoint
    name: Name | UnsetType = UNSET
    groups: BoundGroups | Literal["everyone"] | UnsetType = UNSET
    fallback: Annotated[tuple[Scope, ...], LIST] | UnsetType = UNSET
    offline_display: OfflineDisplay | UnsetType = UNSET
    ask_group: bool | Annotated[tuple[AGroup, ...], LIST] | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    visitor_may_set: Annotated[tuple[VisitorField, ...], LIST] | UnsetType = UNSET
    first_responder: AnOperator | None | UnsetType = UNSET
    names: Names | UnsetType = UNSET


class RemoveEntryPoint(Command, frozen=True):
    entry_point_id: AnEntryPoint


class SetSchedule(Command, frozen=True):
    """Hours of an operator, of an entry point or, if neither is named, of the workspace.

    ``weekly`` is needed unless ``clear`` is true: then there are none, and nobody is off shift.
    """

    operator_id: AnOperator | None = None
    entry_point_id: AnEntryPoint | None = None
    timezone: Name | None = None
    weekly: Weekly | UnsetType = UNSET
    exceptions: Exceptions = {}
    auto_online: bool = True
    clear: bool = False


class DefineWebhook(Command, frozen=True):
    """``url``, ``types`` and ``secret`` are needed when it is new."""

    personal = ("secret",)
    webhook_id: AWebhook
    url: Annotated[str, Meta(min_length=1, max_length=2_000)] | UnsetType = UNSET
    types: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1_000)] | UnsetType = UNSET
    secret: Name | UnsetType = UNSET


class RemoveWebhook(Command, frozen=True):
    webhook_id: AWebhook


class Erase(Command, frozen=True):
    """``subject`` names whose texts go: ``visitor:v-17``, ``contact:c-1``, ``operator:ana`` ..."""

    allowed = ("admin", "service")
    subject: Annotated[
        str,
        Meta(
            pattern=r"^(visitor|contact|operator|conversation|rule|webhook):[A-Za-z0-9_-]{1,64}\Z"
        ),
    ]
