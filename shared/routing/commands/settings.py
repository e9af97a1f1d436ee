"""Commands on the workspace itself: policies, roles, groups, entry points."""

from typing import Annotated, Literal

from msgspec import UNSET, UnsetType

from shared.routing.commands.command import Command
from shared.routing.commands.fields import (
    LIST,
    AGroup,
    AnEntryPoint,
    AnOperator,
    ARole,
    BoundGroups,
    Name,
    Names,
    Text,
    VisitorField,
    Weight,
)
from shared.routing.permissions import Permissions
from shared.routing.policy import PolicyPatch, PolicyScope
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
