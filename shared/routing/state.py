"""The tables of one workspace as they follow from its log.

It holds what is true and nothing derived: the indexes over it are in ``workspace``. What there are
many of refers to one another by id, never in a circle, and is left out by the garbage collector
(``gc=False``).
"""

import msgspec

from shared.routing.events import Actor, Request
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
)
from shared.routing.permissions import BUILT_IN_ROLES, Permissions
from shared.routing.policy import Layer
from shared.routing.scope import Scope
from shared.routing.vocabulary import (
    AheadSource,
    ChosenStatus,
    ConversationState,
    Delivery,
    EffectiveStatus,
    EntryMode,
    OfflineDisplay,
    StatusCause,
)

Audience = tuple[str, ...]
"""Whom a scope reaches for automatic choice: enabled groups by id, or ``EVERYBODY`` alone."""

EVERYBODY = "*"
"""Stands in an audience for the operators that everyone means; no id can contain it."""


class Operator(msgspec.Struct, gc=False):
    """A person who may own conversations. ``load`` and ``capacity`` count weights."""

    operator_id: OperatorId
    role_id: RoleId
    capacity: int
    name: Ref | None = None
    email: Ref | None = None
    skills: tuple[str, ...] = ()
    locale: str | None = None
    removed: bool = False
    groups: dict[GroupId, None] = {}

    chosen: ChosenStatus = "online"
    break_until: UnixMs | None = None
    after_break: ChosenStatus | None = None
    sessions: dict[SessionId, UnixMs] = {}
    signed_in: bool = False
    """Whether he ever logged in."""
    effective: EffectiveStatus = "offline"
    cause: StatusCause = "never_logged_in"
    since: UnixMs = UnixMs(0)

    load: int = 0
    owned: dict[ConversationId, None] = {}
    takes_part: dict[ConversationId, None] = {}
    last_assigned: Position = Position(0)
    idle_since: Position = Position(0)
    """Position of the last assignment, release or sign-in, whichever is latest."""
    last_assigned_in: dict[Audience, Position] = {}
    """The last assignment by ``round_robin`` within each audience."""

    @property
    def free(self) -> int:
        return self.capacity - self.load


class Group(msgspec.Struct):
    group_id: GroupId
    name: str
    name_key: str
    description: str
    public: bool
    enabled: bool
    names: dict[str, str]
    members: dict[OperatorId, None] = {}


class EntryPoint(msgspec.Struct):
    entry_point_id: EntryPointId
    name: str
    groups: tuple[GroupId, ...]
    """Empty where it is bound to everyone."""
    fallback: tuple[Scope, ...]
    offline_display: OfflineDisplay
    ask_group: bool | tuple[GroupId, ...]
    weight: int
    visitor_may_set: tuple[str, ...]
    names: dict[str, str]
    mode: EntryMode | None = None


class Visitor(msgspec.Struct, gc=False):
    visitor_id: VisitorId
    contact_id: ContactId | None = None
    ahead: dict[AheadSource, Scope] = {}
    conversations: dict[ConversationId, None] = {}
    """The open ones."""


class Conversation(msgspec.Struct, gc=False):
    """One exchange. ``scope`` says whom it is for, ``home_scope`` where it goes back to."""

    conversation_id: ConversationId
    visitor_id: VisitorId
    contact_id: ContactId | None
    entry_point_id: EntryPointId
    entry_mode: EntryMode
    opened_at: UnixMs
    arrival: Position
    """Position at which it was last opened: of two with equal queue keys the older goes first."""
    scope: Scope
    home_scope: Scope
    priority: int
    skills: tuple[str, ...]
    optional_skills: tuple[str, ...]
    weight: int
    language: str | None
    attributes: Ref | None
    queued_at: UnixMs
    """Since when it has been waiting for its first answerer; survives declines and forwards."""
    state: ConversationState = "waiting"
    owner: OperatorId | None = None
    last_owner: OperatorId | None = None
    participants: dict[OperatorId, None] = {}
    tags: tuple[str, ...] = ()
    declined: tuple[OperatorId, ...] = ()
    """Not asked again until somebody else had it, it is forwarded, or they set a status."""
    handover: bool = False
    """Its owner is gone: the longest participant comes first."""
    hold: Delivery | None = None
    """The delivery it was queued for, as the log says; null before that."""
    told: dict[OperatorId, None] = {}
    """Who knows of the broadcast."""
    fallbacks_tried: int = 0
    closed_at: UnixMs | None = None
    closed_position: Position | None = None
    note: Ref | None = None
    positions: list[Position] = []
    """Its events in the log, for its timeline."""


class Timer(msgspec.Struct, frozen=True, order=True, gc=False):
    """Something falls due; ``timer_id`` names what and for whom, as ``break:ana``."""

    due: UnixMs
    timer_id: str


class SeenCommand(msgspec.Struct, frozen=True, gc=False):
    """What a retry of an accepted command is answered with."""

    position: Position
    at: UnixMs
    request: Request


CommandKey = tuple[str, str, CommandId]
"""Kind and id of the actor, and the id the client gave the command."""


def command_key(actor: Actor, command_id: CommandId) -> CommandKey:
    return (actor.kind, actor.id, command_id)


class Tables(msgspec.Struct):
    """All of a workspace that has to be remembered."""

    workspace_id: str = ""
    position: Position = Position(0)
    at: UnixMs = UnixMs(0)
    created: bool = False
    name: str = ""
    timezone: str = "UTC"
    locale: str = "en"
    revision: int = 0
    policy_version: Position = Position(0)
    workspace_policy: Layer = {}
    group_policies: dict[GroupId, Layer] = {}
    entry_point_policies: dict[EntryPointId, Layer] = {}
    roles: dict[RoleId, Permissions] = msgspec.field(default_factory=lambda: dict(BUILT_IN_ROLES))
    groups: dict[GroupId, Group] = {}
    entry_points: dict[EntryPointId, EntryPoint] = {}
    operators: dict[OperatorId, Operator] = {}
    visitors: dict[VisitorId, Visitor] = {}
    conversations: dict[ConversationId, Conversation] = {}
    timers: dict[str, Timer] = {}
    commands: dict[CommandKey, SeenCommand] = {}
