"""Everything that can stand in a log: facts that happened and decisions the engine made.

A class is complete and frozen; its tag is the stored name. A published class never changes: a new
shape gets a new version, and the old one is upcast on reading (``shared.wire.upcasting``).
"""

from typing import get_args

import msgspec

from shared.routing.ids import (
    CommandId,
    ContactId,
    ConversationId,
    EntryPointId,
    GroupId,
    OperatorId,
    Position,
    Ref,
    RoleId,
    SessionId,
    UnixMs,
    VisitorId,
    WorkspaceId,
)
from shared.routing.permissions import Permissions
from shared.routing.policy import Layer, PolicyScope
from shared.routing.scope import Scope
from shared.routing.vocabulary import (
    ActorKind,
    AheadSource,
    AssignmentReason,
    Channel,
    ChosenStatus,
    CloseReason,
    Delivery,
    EffectiveStatus,
    EntryMode,
    OfflineDisplay,
    Ranking,
    RedirectReason,
    ScopeSource,
    StatusCause,
    TieBreak,
    WaitingReason,
)


class Event(msgspec.Struct, frozen=True, gc=False):
    """What all events have in common: a tag such as ``conversation_opened.v1``."""


class Fact(Event, frozen=True, gc=False):
    """Something happened in the world: a command was accepted or a timer fell due."""


class Decision(Event, frozen=True, gc=False):
    """The engine concluded something from the state, and can conclude it again."""


# --- the workspace and its settings ---------------------------------------------------------


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
    names: dict[str, str]


class EntryPointRemoved(Fact, frozen=True, tag="entry_point_removed.v1"):
    entry_point_id: EntryPointId


# --- operators ------------------------------------------------------------------------------


class OperatorRegistered(Fact, frozen=True, tag="operator_registered.v1"):
    operator_id: OperatorId
    name: Ref | None
    email: Ref | None
    role_id: RoleId
    capacity: int
    skills: tuple[str, ...]
    locale: str | None


class OperatorUpdated(Fact, frozen=True, tag="operator_updated.v1"):
    operator_id: OperatorId
    name: Ref | None
    email: Ref | None
    role_id: RoleId
    capacity: int
    skills: tuple[str, ...]
    locale: str | None


class OperatorRemoved(Fact, frozen=True, tag="operator_removed.v1"):
    operator_id: OperatorId


class GroupJoined(Fact, frozen=True, tag="group_joined.v1"):
    operator_id: OperatorId
    group_id: GroupId


class GroupLeft(Fact, frozen=True, tag="group_left.v1"):
    operator_id: OperatorId
    group_id: GroupId


class OperatorLoggedIn(Fact, frozen=True, tag="operator_logged_in.v1"):
    operator_id: OperatorId
    session_id: SessionId


class OperatorLoggedOut(Fact, frozen=True, tag="operator_logged_out.v1"):
    """``session_id`` is null where every session ended at once."""

    operator_id: OperatorId
    session_id: SessionId | None


class StatusChosen(Fact, frozen=True, tag="status_chosen.v1"):
    """``until`` ends a break; then ``afterwards`` is the choice again."""

    operator_id: OperatorId
    status: ChosenStatus
    until: UnixMs | None
    afterwards: ChosenStatus | None
    conversation_id: ConversationId | None


class StatusBreakEnded(Fact, frozen=True, tag="status_break_ended.v1"):
    operator_id: OperatorId
    status: ChosenStatus
    due: UnixMs


class OperatorStatusChanged(Decision, frozen=True, tag="operator_status_changed.v1"):
    operator_id: OperatorId
    effective: EffectiveStatus
    cause: StatusCause


class EntryPointModeChanged(Decision, frozen=True, tag="entry_point_mode_changed.v1"):
    entry_point_id: EntryPointId
    mode: EntryMode


# --- visitors and conversations -------------------------------------------------------------


class VisitorIdentified(Fact, frozen=True, tag="visitor_identified.v1"):
    visitor_id: VisitorId
    contact_id: ContactId


class VisitorAssigned(Fact, frozen=True, tag="visitor_assigned.v1"):
    visitor_id: VisitorId
    to: Scope
    source: AheadSource


class VisitorUnassigned(Fact, frozen=True, tag="visitor_unassigned.v1"):
    visitor_id: VisitorId
    source: AheadSource


class ConversationOpened(Fact, frozen=True, tag="conversation_opened.v1"):
    conversation_id: ConversationId
    visitor_id: VisitorId
    contact_id: ContactId | None
    entry_point_id: EntryPointId
    entry_mode: EntryMode
    scope: Scope
    scope_source: ScopeSource
    priority: int
    skills: tuple[str, ...]
    optional_skills: tuple[str, ...]
    weight: int
    language: str | None
    attributes: Ref | None


class VisitorWrote(Fact, frozen=True, tag="visitor_wrote.v1"):
    conversation_id: ConversationId


class ConversationChanged(Fact, frozen=True, tag="conversation_changed.v1"):
    conversation_id: ConversationId
    priority: int
    skills: tuple[str, ...]
    optional_skills: tuple[str, ...]
    tags: tuple[str, ...]


class ConversationClaimed(Fact, frozen=True, tag="conversation_claimed.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId


class OperatorReplied(Fact, frozen=True, tag="operator_replied.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId
    channel: Channel


class ParticipantJoined(Fact, frozen=True, tag="participant_joined.v1"):
    """``added_by`` is the operator who brought the participant in, null if he came himself."""

    conversation_id: ConversationId
    operator_id: OperatorId
    added_by: OperatorId | None


class ParticipantLeft(Fact, frozen=True, tag="participant_left.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId


class OwnerLeft(Fact, frozen=True, tag="owner_left.v1"):
    """The owner is out; the longest participant comes first, else the home scope."""

    conversation_id: ConversationId
    operator_id: OperatorId


class ConversationReleased(Fact, frozen=True, tag="conversation_released.v1"):
    """The owner put it back into the home scope; participants stay participants."""

    conversation_id: ConversationId
    operator_id: OperatorId


class ConversationForwarded(Fact, frozen=True, tag="conversation_forwarded.v1"):
    """``previous_owner`` is out, ``to`` is the scope; both at this position."""

    conversation_id: ConversationId
    to: Scope
    previous_owner: OperatorId | None
    note: Ref | None


class ConversationClosed(Fact, frozen=True, tag="conversation_closed.v1"):
    conversation_id: ConversationId
    owner: OperatorId | None
    reason: CloseReason
    text: Ref | None


class ConversationReopened(Fact, frozen=True, tag="conversation_reopened.v1"):
    """``owner`` has it back at once; without one it waits in ``scope``."""

    conversation_id: ConversationId
    scope: Scope
    owner: OperatorId | None


class ConversationAssigned(Decision, frozen=True, tag="conversation_assigned.v1"):
    """Who owns it now and why it was he.

    ``ranking``, ``key`` and ``tie_break`` are null or empty where nobody was ranked. ``excess``
    marks an owner whose load exceeds his capacity by this assignment.
    """

    conversation_id: ConversationId
    operator_id: OperatorId
    reason: AssignmentReason
    decided_at: Position
    policy_version: Position
    pool_size: int
    ranking: Ranking | None
    key: tuple[int, ...]
    tie_break: TieBreak | None
    excess: bool


class ConversationQueued(Decision, frozen=True, tag="conversation_queued.v1"):
    """It waits, delivered by ``delivery`` as soon as that is possible."""

    conversation_id: ConversationId
    delivery: Delivery
    reason: WaitingReason
    decided_at: Position
    policy_version: Position
    pool_size: int
    ranking: Ranking


class ConversationBroadcast(Decision, frozen=True, tag="conversation_broadcast.v1"):
    """These operators are told that it waits; each is told once."""

    conversation_id: ConversationId
    operator_ids: tuple[OperatorId, ...]


class ConversationRedirected(Decision, frozen=True, tag="conversation_redirected.v1"):
    """Its scope cannot serve it (``reason``); ``to`` is the next in line."""

    conversation_id: ConversationId
    to: Scope
    reason: RedirectReason


EventUnion = (
    WorkspaceCreated
    | RoutingRevisionAdopted
    | PolicySet
    | RoleDefined
    | RoleDeleted
    | GroupDefined
    | GroupDeleted
    | EntryPointDefined
    | EntryPointRemoved
    | OperatorRegistered
    | OperatorUpdated
    | OperatorRemoved
    | GroupJoined
    | GroupLeft
    | OperatorLoggedIn
    | OperatorLoggedOut
    | StatusChosen
    | StatusBreakEnded
    | OperatorStatusChanged
    | EntryPointModeChanged
    | VisitorIdentified
    | VisitorAssigned
    | VisitorUnassigned
    | ConversationOpened
    | VisitorWrote
    | ConversationChanged
    | ConversationClaimed
    | OperatorReplied
    | ParticipantJoined
    | ParticipantLeft
    | OwnerLeft
    | ConversationReleased
    | ConversationForwarded
    | ConversationClosed
    | ConversationReopened
    | ConversationAssigned
    | ConversationQueued
    | ConversationBroadcast
    | ConversationRedirected
)

EVENT_TYPES: dict[str, type[Event]] = {
    str(event_type.__struct_config__.tag): event_type for event_type in get_args(EventUnion)
}
"""Every event class by its stored name."""


REF_FIELDS: dict[type[Event], tuple[str, ...]] = {
    event_type: tuple(
        name
        for name, annotation in event_type.__annotations__.items()
        if Ref in get_args(annotation)
    )
    for event_type in EVENT_TYPES.values()
}
"""The fields of each event that refer to a text in the vault."""


class Actor(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Who speaks. ``service`` names the back end that spoke for this actor, if one did."""

    kind: ActorKind
    id: str
    service: str | None = None


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a retry is recognised by, beside the actor and the command id."""

    name: str
    body_hash: str


class Envelope(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An event as the log holds it, with everything that was known when it was written.

    ``at`` is the router's stamp; ``first`` the position of the first event of the same command or
    timer; ``by``, ``cmd`` and ``request`` are absent on what a timer caused, ``request`` on all but
    the first event of a command.
    """

    at: UnixMs
    first: Position
    rev: int
    epoch: int
    data: EventUnion
    by: Actor | None = None
    cmd: CommandId | None = None
    request: Request | None = None
    trace: str | None = None
