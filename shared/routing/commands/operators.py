"""Commands on operators, and of operators about themselves."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from shared.routing.commands.command import Command
from shared.routing.commands.fields import (
    AConversation,
    AGroup,
    AnOperator,
    ARole,
    ASession,
    Capacity,
    Name,
    PauseSeconds,
    Tags,
)
from shared.routing.schedule import Exceptions, Weekly
from shared.routing.vocabulary import ChosenStatus, OperatorKind

IdleTimeout = Annotated[int, Meta(ge=0, le=3_600)]
"""0 for never, else at least 60 seconds."""


class _OperatorSettings(Command, frozen=True):
    personal = ("name", "email")

    operator_id: AnOperator
    name: Name | None | UnsetType = UNSET
    email: Name | None | UnsetType = UNSET
    role_id: ARole | UnsetType = UNSET
    capacity: Capacity | UnsetType = UNSET
    skills: Tags | UnsetType = UNSET
    locale: Name | None | UnsetType = UNSET
    email_missed: bool | UnsetType = UNSET
    idle_timeout_s: IdleTimeout | None | UnsetType = UNSET
    weekly: Weekly | None | UnsetType = UNSET
    exceptions: Exceptions | UnsetType = UNSET


class RegisterOperator(_OperatorSettings, frozen=True):
    kind: OperatorKind = "human"


class UpdateOperator(_OperatorSettings, frozen=True):
    pass


class RemoveOperator(Command, frozen=True):
    operator_id: AnOperator


class LogOutOperator(Command, frozen=True):
    operator_id: AnOperator


class JoinGroup(Command, frozen=True):
    operator_id: AnOperator
    group_id: AGroup


class LeaveGroup(Command, frozen=True):
    operator_id: AnOperator
    group_id: AGroup


class LogIn(Command, frozen=True):
    allowed = ("operator",)
    session_id: ASession


class LogOut(Command, frozen=True):
    allowed = ("operator",)
    session_id: ASession


class SetStatus(Command, frozen=True):
    allowed = ("operator",)
    status: ChosenStatus
    for_s: PauseSeconds | None = None
    conversation_id: AConversation | None = None


class SetPreferences(Command, frozen=True):
    """``weekly`` null: the operator has no hours of his own, and the workspace's hold."""

    allowed = ("operator",)
    reachable_when_slow: bool | UnsetType = UNSET
    email_missed: bool | UnsetType = UNSET
    idle_timeout_s: IdleTimeout | None | UnsetType = UNSET
    locale: Name | None | UnsetType = UNSET
    weekly: Weekly | None | UnsetType = UNSET
    exceptions: Exceptions | UnsetType = UNSET
