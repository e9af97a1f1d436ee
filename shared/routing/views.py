"""What things look like from outside: the shapes in which queries and replies show the state."""

from typing import Literal

import msgspec

from shared.routing.ids import (
    ContactId,
    ConversationId,
    EntryPointId,
    GroupId,
    OperatorId,
    Ref,
    RoleId,
    RuleId,
    SessionId,
    UnixMs,
    VisitorId,
)
from shared.routing.permissions import Permissions
from shared.routing.schedule import Schedule
from shared.routing.scope import Scope
from shared.routing.state import Conversation, Offer, Operator, Prepared
from shared.routing.status import not_routable
from shared.routing.vocabulary import (
    AheadSource,
    ChosenStatus,
    ConversationState,
    EffectiveStatus,
    EntryMode,
    OperatorKind,
    StatusCause,
    WaitingReason,
)
from shared.routing.waiting import reason_if_decided
from shared.routing.workspace import Workspace

WhyMine = Literal["owner", "participant", "offered", "broadcast", "escalated"]


class View(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One JSON object of an answer."""


class OfferView(View, frozen=True, kw_only=True):
    """A live offer; ``offer`` is the number that accepting and declining name."""

    operator_id: OperatorId
    offer: int
    expires_at: UnixMs


class MyOffer(View, frozen=True, kw_only=True):
    """A live offer to whoever asks."""

    conversation_id: ConversationId
    offer: int
    expires_at: UnixMs


class ConversationView(View, frozen=True, kw_only=True):
    """One conversation. ``queued_at`` is null unless it waits or is offered, ``waiting_reason``
    unless it waits. ``offer`` is set on a forward that waits to be accepted, too."""

    conversation_id: ConversationId
    visitor_id: VisitorId
    contact_id: ContactId | None
    entry_point_id: EntryPointId
    state: ConversationState
    scope: Scope | None
    home_scope: Scope | None
    owner: OperatorId | None
    participants: tuple[OperatorId, ...]
    offer: OfferView | None
    priority: int
    skills: tuple[str, ...]
    optional_skills: tuple[str, ...]
    tags: tuple[str, ...]
    queued_at: UnixMs | None
    waiting_reason: WaitingReason | None
    missed: bool
    opened_at: UnixMs
    entry_mode: EntryMode
    why_mine: WhyMine | msgspec.UnsetType = msgspec.UNSET


class StatusView(View, frozen=True, kw_only=True):
    """An operator's status as the answer to changing it."""

    chosen: ChosenStatus
    effective: EffectiveStatus
    cause: StatusCause


class RosterEntry(View, frozen=True, kw_only=True):
    """One operator as every colleague may see him. ``since`` is Unix ms."""

    operator_id: OperatorId
    chosen: ChosenStatus
    effective: EffectiveStatus
    cause: StatusCause
    since: UnixMs
    connected: bool
    capacity: int
    load: int
    groups: tuple[GroupId, ...]
    routable: bool


class OperatorSettings(View, frozen=True, kw_only=True):
    """All settings of one operator. ``name`` and ``email`` are texts once read from the vault."""

    operator_id: OperatorId
    name: Ref | None
    email: Ref | None
    kind: OperatorKind
    role_id: RoleId
    capacity: int
    skills: tuple[str, ...]
    locale: str | None
    groups: tuple[GroupId, ...]
    reachable_when_slow: bool
    email_missed: bool
    idle_timeout_s: int | None
    """Null: the workspace's holds, as with the schedule."""
    schedule: Schedule | None


class MeView(View, frozen=True, kw_only=True):
    """An operator's own page."""

    operator_id: OperatorId
    chosen: ChosenStatus
    effective: EffectiveStatus
    cause: StatusCause
    since: UnixMs
    break_until: UnixMs | None
    sessions: tuple[SessionId, ...]
    offers: tuple[MyOffer, ...]
    reachable_when_slow: bool
    email_missed: bool
    idle_timeout_s: int | None
    locale: str | None
    schedule: Schedule | None
    capacity: int
    load: int
    groups: tuple[GroupId, ...]
    permissions: Permissions


class WaitingView(View, frozen=True, kw_only=True):
    """One place in the queue. ``place`` counts within its own scope, from 1."""

    conversation_id: ConversationId
    place: int
    waited_ms: int
    reason: WaitingReason


class GroupOffered(View, frozen=True, kw_only=True):
    """A group the visitor may choose, and whether somebody of it is there now."""

    group_id: GroupId
    name: str
    names: dict[str, str]
    live: bool


class EntryPointView(View, frozen=True, kw_only=True):
    mode: EntryMode
    groups: tuple[GroupOffered, ...]


class AheadView(View, frozen=True, kw_only=True):
    to: Scope
    by: AheadSource


class VisitorView(View, frozen=True, kw_only=True):
    """``fired`` are the rules that ever did something for it. What these arranged by ``assigned``,
    ``asked`` (groups, by entry point) and ``prepared`` (what it opens gets) is for ``session``."""

    visitor_id: VisitorId
    contact_id: ContactId | None
    assigned: tuple[AheadView, ...]
    conversations: tuple[ConversationId, ...]
    session: SessionId | None
    fired: tuple[RuleId, ...]
    asked: dict[EntryPointId, tuple[GroupId, ...]]
    prepared: Prepared | None


def conversation_view(
    workspace: Workspace, conversation: Conversation, why_mine: WhyMine | None = None
) -> ConversationView:
    """The conversation as operators and back ends see it."""
    waiting = conversation.state == "waiting"
    queued = waiting or conversation.state == "offered"
    return ConversationView(
        conversation_id=conversation.conversation_id,
        visitor_id=conversation.visitor_id,
        contact_id=conversation.contact_id,
        entry_point_id=conversation.entry_point_id,
        state=conversation.state,
        scope=conversation.scope,
        home_scope=conversation.home_scope,
        owner=conversation.owner,
        participants=tuple(conversation.participants),
        offer=offer_view(conversation.offer) if conversation.offer is not None else None,
        priority=conversation.priority,
        skills=conversation.skills,
        optional_skills=conversation.optional_skills,
        tags=conversation.tags,
        queued_at=conversation.queued_at if queued else None,
        waiting_reason=reason_if_decided(workspace, conversation) if waiting else None,
        missed=conversation.missed,
        opened_at=conversation.opened_at,
        entry_mode=conversation.entry_mode,
        why_mine=why_mine or msgspec.UNSET,
    )


def offer_view(offer: Offer) -> OfferView:
    return OfferView(operator_id=offer.operator_id, offer=offer.number, expires_at=offer.expires_at)


def for_visitor(view: ConversationView) -> ConversationView:
    """The same without what is none of a visitor's business."""
    return msgspec.structs.replace(
        view, scope=None, home_scope=None, offer=None, waiting_reason=None
    )


def status_view(operator: Operator) -> StatusView:
    return StatusView(chosen=operator.chosen, effective=operator.effective, cause=operator.cause)


def roster_entry(operator: Operator) -> RosterEntry:
    return RosterEntry(
        operator_id=operator.operator_id,
        chosen=operator.chosen,
        effective=operator.effective,
        cause=operator.cause,
        since=operator.since,
        connected=operator.connected,
        capacity=operator.capacity,
        load=operator.load,
        groups=tuple(sorted(operator.groups)),
        routable=not_routable(operator) is None,
    )


def operator_settings(operator: Operator) -> OperatorSettings:
    return OperatorSettings(
        operator_id=operator.operator_id,
        name=operator.name,
        email=operator.email,
        kind=operator.kind,
        role_id=operator.role_id,
        capacity=operator.capacity,
        skills=operator.skills,
        locale=operator.locale,
        groups=tuple(sorted(operator.groups)),
        reachable_when_slow=operator.reachable_when_slow,
        email_missed=operator.email_missed,
        idle_timeout_s=operator.idle_timeout_s,
        schedule=operator.schedule,
    )
