"""The tables of one workspace as they follow from its log.

It holds what is true and nothing derived: the indexes over it are in ``workspace``. What there are
many of refers to one another by id, never in a circle, and is left out by the garbage collector
(``gc=False``). Where it is kept it is written without the names of its fields (``array_like``).
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
    RuleId,
    SessionId,
    UnixMs,
    VisitorId,
    WebhookId,
)
from shared.routing.permissions import BUILT_IN_ROLES, Permissions
from shared.routing.policy import Layer
from shared.routing.rules import Rule
from shared.routing.schedule import Schedule
from shared.routing.scope import Scope
from shared.routing.vocabulary import (
    AheadSource,
    ChosenStatus,
    ConversationState,
    EffectiveStatus,
    EntryMode,
    Hold,
    OfferEnd,
    OfflineDisplay,
    OperatorKind,
    ReturnReason,
    StatusCause,
)

Audience = tuple[str, ...]
"""Whom a scope reaches for automatic choice: enabled groups by id, or ``EVERYBODY`` alone."""

EVERYBODY = "*"
"""Stands in an audience for the operators that everyone means; no id can contain it."""


class Operator(msgspec.Struct, gc=False, array_like=True):
    """A person who may own conversations. ``load`` and ``capacity`` count weights."""

    operator_id: OperatorId
    role_id: RoleId
    capacity: int
    kind: OperatorKind = "human"
    name: Ref | None = None
    email: Ref | None = None
    skills: tuple[str, ...] = ()
    locale: str | None = None
    removed: bool = False
    groups: dict[GroupId, None] = {}

    chosen: ChosenStatus = "online"
    chosen_at: UnixMs = UnixMs(0)
    break_until: UnixMs | None = None
    after_break: ChosenStatus | None = None
    sessions: dict[SessionId, UnixMs] = {}
    lapsed: dict[SessionId, None] = {}
    """Sessions among them from which nothing is heard any more."""
    ended: dict[SessionId, None] = {}
    """The sessions that logged out last: a late heartbeat does not bring them back."""
    logged_out: bool = False
    """He logged out of the last session that was alive; one that lapsed may still return."""
    grace_over: bool = False
    """The last session lapsed too long ago for him to count as there."""
    signed_in: bool = False
    """Whether he ever logged in."""
    idle: bool = False
    off_shift: bool = False
    shift_ended_at: UnixMs = UnixMs(0)
    unresponsive: bool = False
    missed_offers: int = 0
    """Offers in a row that expired while he was connected."""
    reachable_when_slow: bool = False
    email_missed: bool = False
    idle_timeout_s: int | None = None
    """Of his own; else the workspace's."""
    schedule: Schedule | None = None
    """Of his own; else the workspace's."""
    effective: EffectiveStatus = "offline"
    cause: StatusCause = "never_logged_in"
    since: UnixMs = UnixMs(0)
    came_or_went: Position = Position(0)
    """Position at which he last went offline or ceased to be, as visitors see it."""

    load: int = 0
    owned: dict[ConversationId, None] = {}
    offered: dict[ConversationId, None] = {}
    escalated: dict[ConversationId, None] = {}
    takes_part: dict[ConversationId, None] = {}
    wrap_ups: dict[ConversationId, int] = {}
    """Closed conversations that still hold slots, with their weight."""
    last_assigned: Position = Position(0)
    idle_since: Position = Position(0)
    """Position of the last assignment, release or sign-in, whichever is latest."""
    last_assigned_in: dict[Audience, Position] = {}
    """The last assignment by ``round_robin`` within each audience."""

    @property
    def connected(self) -> bool:
        """Whether some session is alive; bots need none."""
        return len(self.sessions) > len(self.lapsed) or self.kind == "bot"

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
    first_responder: OperatorId | None
    names: dict[str, str]
    closed: bool = False
    """Out of hours."""
    schedule: Schedule | None = None
    mode: EntryMode | None = None


class Webhook(msgspec.Struct, frozen=True):
    webhook_id: WebhookId
    url: str
    types: tuple[str, ...]
    secret: Ref


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """What rules give to the conversations that a visitor opens."""

    priority: int | None
    tags: tuple[str, ...]
    skills: tuple[str, ...]


NOTHING_PREPARED = Prepared(None, (), ())


class Visitor(msgspec.Struct, gc=False, array_like=True):
    visitor_id: VisitorId
    contact_id: ContactId | None = None
    last_operator: OperatorId | None = None
    away: bool = False
    ahead: dict[AheadSource, Scope] = {}
    fired: dict[RuleId, tuple[SessionId, ...]] = {}
    """Rules that fired for it, each with the sessions in which it last did, the latest first."""
    session: SessionId | None = None
    """The session for which rules arranged something that ends with it."""
    prepared: Prepared | None = None
    asked: dict[EntryPointId, tuple[GroupId, ...]] = {}
    """Groups among which rules asked it to choose."""
    conversations: dict[ConversationId, None] = {}
    """The open ones."""


class Offer(msgspec.Struct, frozen=True, gc=False):
    """The one live offer of a conversation."""

    operator_id: OperatorId
    number: int
    expires_at: UnixMs


class Forwarding(msgspec.Struct, frozen=True, gc=False):
    """A forward that waits for somebody to accept; until then ``sender`` owns the conversation."""

    to: Scope
    sender: OperatorId
    deadline: UnixMs
    note: Ref | None
    asked: tuple[OperatorId, ...] = ()
    over: ReturnReason | None = None
    """Why it is to go back to the sender, once that is certain."""


class Conversation(msgspec.Struct, gc=False, array_like=True):
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
    participants: dict[OperatorId, bool] = {}
    """By how long they are there, and whether they use a slot."""
    tags: tuple[str, ...] = ()
    declined: tuple[OperatorId, ...] = ()
    """Not asked again until somebody else had it, it is forwarded, or they set a status."""
    handover: bool = False
    """Its owner is gone: the longest participant comes first."""
    hold: Hold | None = None
    """What it was queued for, as the log says; null before that."""
    told: dict[OperatorId, None] = {}
    """Who knows of the broadcast."""
    fallbacks_tried: int = 0
    fresh: bool = True
    """Nobody was asked yet: the first responder and the acquaintance come before all others."""
    waits_since: UnixMs = UnixMs(0)
    """When it began to wait in this scope: what widening is measured from."""
    reach: Audience = ()
    widening_step: int = 0
    optional_dropped: int = 0
    offer: Offer | None = None
    offers_made: int = 0
    offers_ended: dict[int, OfferEnd] = {}
    round: int = 0
    """Rounds of offers in which everybody was asked."""
    back_off_until: UnixMs | None = None
    forward: Forwarding | None = None
    affinity_over: bool = False
    unanswered_since: UnixMs | None = None
    """Time of the oldest message of the visitor to which nobody replied."""
    slow_since: UnixMs | None = None
    """The same since it was last forwarded: what ``on_slow`` is measured from."""
    slow_step: int = 0
    escalated: tuple[OperatorId, ...] = ()
    slot_free: bool = False
    """The owner's slot was freed because the visitor is silent."""
    owner_away: bool = False
    """The owner has been idle for so long that he counts as gone."""
    answered: bool = False
    """Whether anybody replied since it was last opened."""
    missed: bool = False
    closed_at: UnixMs | None = None
    closed_position: Position | None = None
    note: Ref | None = None
    positions: list[Position] = []
    """Its events in the log, for its timeline."""


class Timer(msgspec.Struct, frozen=True, order=True, gc=False):
    """Something falls due; ``timer_id`` names what and for whom, as ``break:ana``."""

    due: UnixMs
    timer_id: str


class SeenCommand(msgspec.Struct, frozen=True, gc=False, array_like=True):
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
    schedule: Schedule | None = None
    """Hours of every operator who has none of his own."""
    rules: dict[RuleId, Rule] = {}
    webhooks: dict[WebhookId, Webhook] = {}
    presence_stale: bool = False
    """Nothing is heard of the presence service."""
    erased: dict[str, Position] = {}
    """Whose texts were deleted, up to which position: a vault that comes back is cleaned by it."""
    groups: dict[GroupId, Group] = {}
    entry_points: dict[EntryPointId, EntryPoint] = {}
    operators: dict[OperatorId, Operator] = {}
    visitors: dict[VisitorId, Visitor] = {}
    acquaintances: dict[ContactId, OperatorId] = {}
    """Who spoke to a contact last."""
    conversations: dict[ConversationId, Conversation] = {}
    timers: dict[str, Timer] = {}
    commands: dict[CommandKey, SeenCommand] = {}
