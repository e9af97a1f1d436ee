"""What actors may ask to be changed, field by field, and which kinds of actor may ask it.

Fields left out are ``UNSET`` and keep their value where the thing exists. Texts in the fields named
``personal`` never enter the log: ``decide`` uses the references that the router made for them.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.routing.ids import (
    ID_PATTERN,
    ContactId,
    ConversationId,
    EntryPointId,
    GroupId,
    OperatorId,
    RoleId,
    SessionId,
    VisitorId,
)
from shared.routing.permissions import Permissions
from shared.routing.policy import PolicyPatch, PolicyScope
from shared.routing.scope import Scope
from shared.routing.vocabulary import (
    ActorKind,
    Channel,
    ChosenStatus,
    CloseReason,
    DeclineReason,
    ForwardMode,
    OfflineDisplay,
    OperatorKind,
)

_ID = Meta(pattern=ID_PATTERN)
_LIST = Meta(max_length=1_000)

AnOperator = Annotated[OperatorId, _ID]
AVisitor = Annotated[VisitorId, _ID]
AContact = Annotated[ContactId, _ID]
AConversation = Annotated[ConversationId, _ID]
AGroup = Annotated[GroupId, _ID]
AnEntryPoint = Annotated[EntryPointId, _ID]
ARole = Annotated[RoleId, _ID]
ASession = Annotated[SessionId, _ID]

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=4_000)]
Tag = Annotated[str, Meta(min_length=1, max_length=200)]
Tags = Annotated[tuple[Tag, ...], _LIST]
Names = Annotated[dict[Name, Name], _LIST]
"""A name by language, for example ``{"de": "Verkauf"}``."""

BoundGroups = Annotated[tuple[AGroup, ...], Meta(min_length=1, max_length=1_000)]

Priority = Annotated[int, Meta(ge=0, le=9)]
Capacity = Annotated[int, Meta(ge=0, le=10_000)]
Weight = Annotated[int, Meta(ge=1, le=100)]
OfferNumber = Annotated[int, Meta(ge=1, le=2**53)]
PauseSeconds = Annotated[int, Meta(ge=1, le=31_536_000)]
VisitorField = Literal["priority", "skills", "optional_skills"]
_Number = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Attributes = Annotated[dict[Name, Text | _Number | float | bool | None], _LIST]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to change something; the actor and the workspace stand beside it."""

    allowed: ClassVar[tuple[ActorKind, ...]] = ("admin",)
    """Kinds of actor that may send it; ``admin`` includes operators whose role may manage."""

    personal: ClassVar[tuple[str, ...]] = ()
    """Fields whose text goes to the vault."""

    reserved: ClassVar[str] = ""
    """The one service that may send it, for what services tell the router."""


# --- the workspace and its settings ---------------------------------------------------------


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
    fallback: Annotated[tuple[Scope, ...], _LIST] | UnsetType = UNSET
    offline_display: OfflineDisplay | UnsetType = UNSET
    ask_group: bool | Annotated[tuple[AGroup, ...], _LIST] | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    visitor_may_set: Annotated[tuple[VisitorField, ...], _LIST] | UnsetType = UNSET
    first_responder: AnOperator | None | UnsetType = UNSET
    names: Names | UnsetType = UNSET


class RemoveEntryPoint(Command, frozen=True):
    entry_point_id: AnEntryPoint


# --- operators ------------------------------------------------------------------------------


class _OperatorSettings(Command, frozen=True):
    personal = ("name", "email")

    operator_id: AnOperator
    name: Name | None | UnsetType = UNSET
    email: Name | None | UnsetType = UNSET
    role_id: ARole | UnsetType = UNSET
    capacity: Capacity | UnsetType = UNSET
    skills: Tags | UnsetType = UNSET
    locale: Name | None | UnsetType = UNSET


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
    allowed = ("operator",)
    reachable_when_slow: bool | UnsetType = UNSET


# --- what presence tells --------------------------------------------------------------------


class PresenceReport(Command, frozen=True):
    """Sent by the presence service, on change only."""

    allowed = ("service",)
    reserved = "presence"


class LapseSession(PresenceReport, frozen=True):
    operator_id: AnOperator
    session_id: ASession


class ReturnSession(PresenceReport, frozen=True):
    operator_id: AnOperator
    session_id: ASession


class BecomeIdle(PresenceReport, frozen=True):
    operator_id: AnOperator


class BecomeActive(PresenceReport, frozen=True):
    operator_id: AnOperator


class StartShift(PresenceReport, frozen=True):
    """An operator's shift or an entry point's hours begin."""

    operator_id: AnOperator | None = None
    entry_point_id: AnEntryPoint | None = None
    auto_online: bool = True


class EndShift(PresenceReport, frozen=True):
    operator_id: AnOperator | None = None
    entry_point_id: AnEntryPoint | None = None


# --- conversations --------------------------------------------------------------------------


class ConversationCommand(Command, frozen=True):
    """A command about one conversation, named by ``conversation_id``."""

    conversation_id: AConversation


class Claim(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Join(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Leave(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Release(ConversationCommand, frozen=True):
    allowed = ("operator",)


class AcceptOffer(ConversationCommand, frozen=True):
    allowed = ("operator",)
    offer: OfferNumber


class DeclineOffer(ConversationCommand, frozen=True):
    allowed = ("operator",)
    personal = ("text",)
    offer: OfferNumber
    reason: DeclineReason = "other"
    text: Text | None = None


class RecallOffer(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Reply(ConversationCommand, frozen=True):
    allowed = ("operator",)
    channel: Channel = "chat"


class AddParticipant(ConversationCommand, frozen=True):
    allowed = ("operator",)
    operator_id: AnOperator


class RemoveParticipant(ConversationCommand, frozen=True):
    allowed = ("operator",)
    operator_id: AnOperator


class Forward(ConversationCommand, frozen=True):
    allowed = ("operator", "admin")
    personal = ("note",)
    to: Scope
    mode: ForwardMode | None = None
    note: Text | None = None


class SetConversation(ConversationCommand, frozen=True):
    allowed = ("operator", "admin")
    priority: Priority | UnsetType = UNSET
    skills: Tags | UnsetType = UNSET
    optional_skills: Tags | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class Reopen(ConversationCommand, frozen=True):
    allowed = ("operator", "admin")


class Close(ConversationCommand, frozen=True):
    allowed = ("operator", "admin", "visitor")
    personal = ("text",)
    reason: CloseReason = "other"
    text: Text | None = None


class Open(ConversationCommand, frozen=True):
    allowed = ("visitor",)
    personal = ("attributes",)
    entry_point_id: AnEntryPoint
    group_id: AGroup | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    contact_id: AContact | None = None
    attributes: Attributes | None = None
    priority: Priority | UnsetType = UNSET
    skills: Tags | UnsetType = UNSET
    optional_skills: Tags | UnsetType = UNSET


class Write(ConversationCommand, frozen=True):
    allowed = ("visitor",)


class LeavePage(Command, frozen=True):
    allowed = ("visitor",)


class ComeBack(Command, frozen=True):
    allowed = ("visitor",)


class Identify(Command, frozen=True):
    allowed = ("visitor",)
    contact_id: AContact


class AssignVisitor(Command, frozen=True):
    allowed = ("operator", "admin", "visitor")
    visitor_id: AVisitor
    to: Scope


class UnassignVisitor(Command, frozen=True):
    allowed = ("operator", "admin", "visitor")
    visitor_id: AVisitor


COMMANDS: dict[str, type[Command]] = {
    "create_workspace": CreateWorkspace,
    "set_policy": SetPolicy,
    "clear_policy": ClearPolicy,
    "define_role": DefineRole,
    "delete_role": DeleteRole,
    "create_group": CreateGroup,
    "update_group": UpdateGroup,
    "delete_group": DeleteGroup,
    "define_entry_point": DefineEntryPoint,
    "remove_entry_point": RemoveEntryPoint,
    "register_operator": RegisterOperator,
    "update_operator": UpdateOperator,
    "remove_operator": RemoveOperator,
    "log_out_operator": LogOutOperator,
    "join_group": JoinGroup,
    "leave_group": LeaveGroup,
    "log_in": LogIn,
    "log_out": LogOut,
    "set_status": SetStatus,
    "set_preferences": SetPreferences,
    "session_lapsed": LapseSession,
    "session_returned": ReturnSession,
    "operator_idle": BecomeIdle,
    "operator_active": BecomeActive,
    "shift_started": StartShift,
    "shift_ended": EndShift,
    "accept_offer": AcceptOffer,
    "decline_offer": DeclineOffer,
    "recall_offer": RecallOffer,
    "visitor_left": LeavePage,
    "visitor_back": ComeBack,
    "claim": Claim,
    "join": Join,
    "leave": Leave,
    "release": Release,
    "reply": Reply,
    "add_participant": AddParticipant,
    "remove_participant": RemoveParticipant,
    "forward": Forward,
    "set_conversation": SetConversation,
    "reopen": Reopen,
    "close": Close,
    "open": Open,
    "write": Write,
    "identify": Identify,
    "assign_visitor": AssignVisitor,
    "unassign_visitor": UnassignVisitor,
}
"""Every command by the name that stands in its subject."""


class Refused(msgspec.Struct, frozen=True):
    """The reason why nothing was changed; ``code`` is part of the wire contract."""

    code: str
    message: str
    detail: dict[str, object] = {}


class Accepted(msgspec.Struct, frozen=True):
    """Accepted; ``warnings`` go to the caller. Without facts nothing had to change."""

    warnings: tuple[str, ...] = ()
