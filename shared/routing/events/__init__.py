"""Everything that can stand in a log: facts that happened and decisions the engine made.

A class is complete and frozen; its tag is the stored name. A published class never changes: a new
shape gets a new version, and the old one is upcast on reading (``shared.wire.upcasting``).
"""

from typing import get_args

import msgspec

from shared.routing.events.conversations import (
    ConversationChanged,
    ConversationClaimed,
    ConversationClosed,
    ConversationForwarded,
    ConversationMissed,
    ConversationOpened,
    ConversationReleased,
    ConversationReopened,
    ConversationUnused,
    OperatorReplied,
    OwnerLeft,
    ParticipantJoined,
    ParticipantLeft,
    SlotFreed,
    SlotRetaken,
    VisitorAssigned,
    VisitorBack,
    VisitorIdentified,
    VisitorLeft,
    VisitorUnassigned,
    VisitorWrote,
    WrapUpEnded,
)
from shared.routing.events.kinds import (
    Decision,
    Event,
    Fact,
)
from shared.routing.events.offers import (
    BackOffEnded,
    ConversationOffered,
    ForwardExpired,
    ForwardOffered,
    ForwardRecalled,
    ForwardReturned,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferRescinded,
    OperatorUnresponsive,
    RoundEnded,
)
from shared.routing.events.operators import (
    DisconnectGraceEnded,
    GroupJoined,
    GroupLeft,
    OperatorActive,
    OperatorIdle,
    OperatorLoggedIn,
    OperatorLoggedOut,
    OperatorRegistered,
    OperatorRemoved,
    OperatorStatusChanged,
    OperatorUpdated,
    PreferencesSet,
    PresenceFresh,
    PresenceStale,
    SessionLapsed,
    SessionReturned,
    ShiftEnded,
    ShiftStarted,
    StatusBreakEnded,
    StatusChosen,
)
from shared.routing.events.routing import (
    AffinityWaitEnded,
    ConversationAssigned,
    ConversationBroadcast,
    ConversationEscalated,
    ConversationQueued,
    ConversationReassigned,
    ConversationRedirected,
    ConversationSlow,
    ConversationWidened,
    NobodyElse,
    OwnerAwayTooLong,
    RoutingContinues,
    RoutingCut,
    WideningDue,
)
from shared.routing.events.settings import (
    EntryPointDefined,
    EntryPointModeChanged,
    EntryPointRemoved,
    GroupDefined,
    GroupDeleted,
    HoursClosed,
    HoursOpened,
    PolicySet,
    RoleDefined,
    RoleDeleted,
    RoutingRevisionAdopted,
    ScheduleSet,
    SubjectErased,
    WebhookDefined,
    WebhookRemoved,
    WorkspaceCreated,
)
from shared.routing.events.visitors import (
    RuleDeleted,
    RuleFired,
    RuleSaved,
    VisitorAsked,
    VisitorInvited,
    VisitorPrepared,
    VisitorSeen,
    VisitorSessionEnded,
)
from shared.routing.ids import CommandId, Position, Ref, UnixMs
from shared.routing.vocabulary import ActorKind

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
    | HoursOpened
    | HoursClosed
    | EntryPointModeChanged
    | ScheduleSet
    | WebhookDefined
    | WebhookRemoved
    | SubjectErased
    | RuleSaved
    | RuleDeleted
    | OperatorRegistered
    | OperatorUpdated
    | OperatorRemoved
    | GroupJoined
    | GroupLeft
    | OperatorLoggedIn
    | OperatorLoggedOut
    | SessionLapsed
    | SessionReturned
    | DisconnectGraceEnded
    | OperatorIdle
    | OperatorActive
    | ShiftStarted
    | ShiftEnded
    | PreferencesSet
    | PresenceStale
    | PresenceFresh
    | StatusChosen
    | StatusBreakEnded
    | OperatorStatusChanged
    | VisitorIdentified
    | VisitorAssigned
    | VisitorUnassigned
    | RuleFired
    | VisitorInvited
    | VisitorAsked
    | VisitorPrepared
    | VisitorSessionEnded
    | VisitorSeen
    | ConversationOpened
    | VisitorWrote
    | SlotFreed
    | SlotRetaken
    | VisitorLeft
    | VisitorBack
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
    | ConversationMissed
    | ConversationUnused
    | WrapUpEnded
    | RoutingCut
    | RoutingContinues
    | ConversationSlow
    | OwnerAwayTooLong
    | WideningDue
    | AffinityWaitEnded
    | ConversationWidened
    | ConversationEscalated
    | ConversationReassigned
    | NobodyElse
    | ConversationAssigned
    | ConversationQueued
    | ConversationBroadcast
    | ConversationRedirected
    | BackOffEnded
    | OfferAccepted
    | OfferDeclined
    | OfferExpired
    | ForwardOffered
    | ForwardRecalled
    | ForwardExpired
    | ForwardReturned
    | ConversationOffered
    | OfferRescinded
    | RoundEnded
    | OperatorUnresponsive
)

EVENT_TYPES: dict[str, type[Event]] = {
    str(event_type.__struct_config__.tag): event_type for event_type in get_args(EventUnion)
}
"""Every event class by its stored name."""


REF_FIELDS: dict[type[Event], tuple[str, ...]] = {
    event_type: tuple(
        name
        for name, annotation in event_type.__annotations__.items()
        if annotation is Ref or Ref in get_args(annotation)
    )
    for event_type in EVENT_TYPES.values()
}
"""The fields of each event that refer to a text in the vault; the actions of rules do so too."""


class Actor(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Who speaks. ``service`` names the back end that spoke for this actor, if one did."""

    kind: ActorKind
    id: str
    service: str | None = None


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a retry is recognised by, beside the actor and the command id."""

    name: str
    body_hash: str


class Envelope(
    msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
):
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


__all__ = [
    "EVENT_TYPES",
    "REF_FIELDS",
    "Actor",
    "AffinityWaitEnded",
    "BackOffEnded",
    "ConversationAssigned",
    "ConversationBroadcast",
    "ConversationChanged",
    "ConversationClaimed",
    "ConversationClosed",
    "ConversationEscalated",
    "ConversationForwarded",
    "ConversationMissed",
    "ConversationOffered",
    "ConversationOpened",
    "ConversationQueued",
    "ConversationReassigned",
    "ConversationRedirected",
    "ConversationReleased",
    "ConversationReopened",
    "ConversationSlow",
    "ConversationUnused",
    "ConversationWidened",
    "Decision",
    "DisconnectGraceEnded",
    "EntryPointDefined",
    "EntryPointModeChanged",
    "EntryPointRemoved",
    "Envelope",
    "Event",
    "EventUnion",
    "Fact",
    "ForwardExpired",
    "ForwardOffered",
    "ForwardRecalled",
    "ForwardReturned",
    "GroupDefined",
    "GroupDeleted",
    "GroupJoined",
    "GroupLeft",
    "HoursClosed",
    "HoursOpened",
    "NobodyElse",
    "OfferAccepted",
    "OfferDeclined",
    "OfferExpired",
    "OfferRescinded",
    "OperatorActive",
    "OperatorIdle",
    "OperatorLoggedIn",
    "OperatorLoggedOut",
    "OperatorRegistered",
    "OperatorRemoved",
    "OperatorReplied",
    "OperatorStatusChanged",
    "OperatorUnresponsive",
    "OperatorUpdated",
    "OwnerAwayTooLong",
    "OwnerLeft",
    "ParticipantJoined",
    "ParticipantLeft",
    "PolicySet",
    "PreferencesSet",
    "PresenceFresh",
    "PresenceStale",
    "Request",
    "RoleDefined",
    "RoleDeleted",
    "RoundEnded",
    "RoutingContinues",
    "RoutingCut",
    "RoutingRevisionAdopted",
    "RuleDeleted",
    "RuleFired",
    "RuleSaved",
    "ScheduleSet",
    "SessionLapsed",
    "SessionReturned",
    "ShiftEnded",
    "ShiftStarted",
    "SlotFreed",
    "SlotRetaken",
    "StatusBreakEnded",
    "StatusChosen",
    "SubjectErased",
    "VisitorAsked",
    "VisitorAssigned",
    "VisitorBack",
    "VisitorIdentified",
    "VisitorInvited",
    "VisitorLeft",
    "VisitorPrepared",
    "VisitorSeen",
    "VisitorSessionEnded",
    "VisitorUnassigned",
    "VisitorWrote",
    "WebhookDefined",
    "WebhookRemoved",
    "WideningDue",
    "WorkspaceCreated",
    "WrapUpEnded",
]
