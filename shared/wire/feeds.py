"""The messages of the feeds as their readers get them: a description, not what makes them.

``shared.routing.notify`` decides who is told what. The schemas are generated from here, and
``tests/contract/test_wire_as_described.py`` holds the one to the other. Readers must take unknown
types and fields calmly: more will come.
"""

from typing import Literal

import msgspec

from shared.routing.ids import (
    ConversationId,
    EntryPointId,
    GroupId,
    OperatorId,
    Position,
    Ref,
    UnixMs,
)
from shared.routing.vocabulary import (
    CloseReason,
    ConversationState,
    EffectiveStatus,
    EntryMode,
    OfferEnd,
    ReturnReason,
    StatusCause,
)


class FeedMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """``id`` is the same only for the same message; ``alert`` asks the front end to ring."""

    id: str
    position: Position
    at: UnixMs
    alert: bool


class _Numbered(FeedMessage, frozen=True, kw_only=True):
    """``seq`` counts the messages to one recipient from 1, without gaps."""

    seq: int


class _Counted(_Numbered, frozen=True, kw_only=True):
    """About one conversation of the reader's."""

    conversation_id: ConversationId


# --- operators ------------------------------------------------------------------------------


class Assigned(_Counted, frozen=True, kw_only=True, tag="assigned"):
    """It is yours: by ranking, because you know the visitor, as the bot that answers first,
    because its owner is out and you take part longest, because its visitor or a fallback names
    you, or again."""

    reason: Literal["routed", "affinity", "first_responder", "handed_over", "directed", "reopened"]


class Offered(_Counted, frozen=True, kw_only=True, tag="offered"):
    """Yours if you accept it in time. ``by`` forwarded it and keeps it until then."""

    offer: int
    expires_at: UnixMs
    by: OperatorId | msgspec.UnsetType = msgspec.UNSET
    note_ref: Ref | msgspec.UnsetType = msgspec.UNSET


class OfferEnded(_Counted, frozen=True, kw_only=True, tag="offer_ended"):
    """It is offered to you no more."""

    offer: int
    how: OfferEnd


class Forwarded(_Counted, frozen=True, kw_only=True, tag="forwarded"):
    """It is yours: ``by`` sent it to you. A note's text is in the query ``conversation``."""

    by: str
    note_ref: Ref | msgspec.UnsetType = msgspec.UNSET


class Added(_Counted, frozen=True, kw_only=True, tag="added"):
    """``by`` brought you in."""

    by: OperatorId


class QueueWaiting(_Counted, frozen=True, kw_only=True, tag="queue_waiting"):
    """It waits for whoever is first; you are one of those who are told."""

    why: Literal["broadcast"]


class Escalated(_Counted, frozen=True, kw_only=True, tag="escalated"):
    """Its visitor has waited for too long: whoever claims it or replies first owns it."""


class Slow(_Counted, frozen=True, kw_only=True, tag="slow"):
    """The visitor of a conversation that you are in has waited for too long."""


class YourVisitorWrote(_Counted, frozen=True, kw_only=True, tag="visitor_wrote"):
    """The visitor of a conversation that you are in."""


class Released(_Counted, frozen=True, kw_only=True, tag="released"):
    """It is yours no more: it was forwarded, you left it or put it back, you were away, or its
    visitor waited for you for too long."""

    reason: Literal["forwarded", "left", "owner_offline", "slow"]


class Returned(_Counted, frozen=True, kw_only=True, tag="returned"):
    """What you forwarded on offer stays yours: nobody accepted it, or you took it back."""

    reason: ReturnReason


class Missed(_Counted, frozen=True, kw_only=True, tag="missed"):
    """It is yours no more: its visitor got no answer."""


class YourConversationChanged(_Counted, frozen=True, kw_only=True, tag="conversation_changed"):
    """Something about a conversation that you are in; ask for it to see what. Or somebody else took
    one of which you were told."""

    state: ConversationState


# --- visitors -------------------------------------------------------------------------------


class Queued(_Counted, frozen=True, kw_only=True, tag="queued"):
    """It waits; ``place`` counts from 1 those who are served by the same operators.

    Told when it begins to wait, and another place ten seconds after the last at the soonest.
    """

    place: int


class OperatorJoined(_Counted, frozen=True, kw_only=True, tag="operator_joined"):
    """An operator is in the conversation from now on."""

    operator_id: OperatorId


class OperatorLeft(_Counted, frozen=True, kw_only=True, tag="operator_left"):
    """An operator is in it no more."""

    operator_id: OperatorId


class OperatorPresence(_Counted, frozen=True, kw_only=True, tag="operator_presence"):
    """An operator in the conversation went offline, or is back: ``online`` if merely busy too."""

    operator_id: OperatorId
    shown: Literal["online", "offline"]


class Reassigned(_Counted, frozen=True, kw_only=True, tag="reassigned"):
    """``operator_id`` has it no more, and somebody else is looked for."""

    operator_id: OperatorId


class Notice(_Counted, frozen=True, kw_only=True, tag="notice"):
    """Something to tell: an answer takes longer (``please_wait``), or nobody could give one
    (``missed``). ``text`` says it in the visitor's language."""

    code: Literal["please_wait", "missed"]
    text: str


class Invited(_Numbered, frozen=True, kw_only=True, tag="invitation"):
    """A rule speaks to the visitor. ``text`` is null if it was erased."""

    entry_point_id: EntryPointId
    text: str | None


class GroupAsked(msgspec.Struct, frozen=True):
    """A group to choose; ``name`` is in the visitor's language."""

    group_id: GroupId
    name: str


class AskGroup(_Numbered, frozen=True, kw_only=True, tag="ask_group"):
    """A rule asks the visitor which group it wants."""

    entry_point_id: EntryPointId
    groups: tuple[GroupAsked, ...]


class Closed(_Counted, frozen=True, kw_only=True, tag="closed"):
    """It is over."""

    reason: CloseReason


# --- the team, and pages with an entry point --------------------------------------------------


class StatusChanged(FeedMessage, frozen=True, kw_only=True, tag="status_changed"):
    """The effective status of an operator."""

    operator_id: OperatorId
    effective: EffectiveStatus
    cause: StatusCause


class TeamConversationChanged(FeedMessage, frozen=True, kw_only=True, tag="conversation_changed"):
    """Something about any conversation; what may be seen of it, the query says."""

    conversation_id: ConversationId
    state: ConversationState


class QueueChanged(FeedMessage, frozen=True, kw_only=True, tag="queue_changed"):
    """Who waits, or in which order; at most one a second, the last of a burst among them."""


class ModeChanged(FeedMessage, frozen=True, kw_only=True, tag="mode_changed"):
    """How an entry point shows itself from now on."""

    entry_point_id: EntryPointId
    mode: EntryMode


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the query ``feed``: messages as they were sent, in the order of ``seq``.

    ``last`` is the number of the newest there is, 0 if there is none.
    """

    messages: tuple[
        Assigned
        | Offered
        | OfferEnded
        | Forwarded
        | Added
        | QueueWaiting
        | Escalated
        | Slow
        | YourVisitorWrote
        | Released
        | Returned
        | Missed
        | YourConversationChanged
        | Queued
        | OperatorJoined
        | OperatorLeft
        | OperatorPresence
        | Reassigned
        | Notice
        | Invited
        | AskGroup
        | Closed,
        ...,
    ]
    last: int


FEEDS: dict[str, tuple[type[FeedMessage], ...]] = {
    "operator": (
        Assigned,
        Offered,
        OfferEnded,
        Forwarded,
        Added,
        QueueWaiting,
        Escalated,
        Slow,
        YourVisitorWrote,
        Released,
        Returned,
        Missed,
        YourConversationChanged,
    ),
    "visitor": (
        Queued,
        OperatorJoined,
        OperatorLeft,
        OperatorPresence,
        Reassigned,
        Notice,
        Invited,
        AskGroup,
        Closed,
    ),
    "team": (StatusChanged, TeamConversationChanged, QueueChanged),
    "entry": (ModeChanged,),
}
"""The types of messages that each kind of feed brings."""
