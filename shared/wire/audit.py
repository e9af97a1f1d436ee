"""What may be asked about the past, field by field, and how such a question comes in.

A moment is named by ``position``, the last event that counts, or by ``at``, Unix milliseconds; by
neither it is now. The answers stand in ``shared.audit``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.routing import questions as live
from shared.routing.commands import Refused
from shared.routing.commands.fields import (
    LIST,
    AConversation,
    AGroup,
    AnEntryPoint,
    AnOperator,
    AVisitor,
)
from shared.routing.ids import ID_PATTERN
from shared.routing.questions import Cursor, InboxView, PageSize, Question
from shared.routing.vocabulary import ConversationState
from shared.wire.bodies import BodyDecoder
from shared.wire.queries import QueryRequest, read_question
from shared.wire.subjects import Call

Milliseconds = Annotated[int, Meta(ge=0, le=2**53)]
Place = Annotated[int, Meta(ge=0, le=2**53)]
"""A position; 0 is before the first event."""
Seconds = Annotated[int, Meta(ge=0, le=31_536_000)]
Times = Annotated[int, Meta(ge=0, le=1_000_000)]
JobId = Annotated[str, Meta(pattern=ID_PATTERN)]

Pattern = Literal[
    "any",
    "waited",
    "waited_while_free",
    "reassigned",
    "forwarded",
    "owner_left",
    "refused",
    "missed",
]
"""What ``find`` looks for: conversations of which anything stands in the stretch; that waited
longer than ``over_s``; that did so while somebody routable had a free slot; that changed their
owner by decision, or were forwarded, more than ``more_than`` times; whose owner was gone within
``within_s`` of the assignment; whose offers were declined or expired more than ``more_than``
times; that were missed."""


class PastQuestion(Question, frozen=True):
    """A question about the past; operators need ``audit`` in their role."""

    allowed = ("operator", "admin", "service")


class Moment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One moment of the log, by position or by time; of both, or neither, the head is meant."""

    position: Place | None = None
    at: Milliseconds | None = None


NOW = Moment()


class AskThen(PastQuestion, frozen=True, kw_only=True):
    """A question as of one moment."""

    position: Place | None = None
    at: Milliseconds | None = None

    def __post_init__(self) -> None:
        if self.position is not None and self.at is not None:
            raise ValueError("either position or at")

    @property
    def moment(self) -> Moment:
        """As of when it is asked."""
        return Moment(self.position, self.at)


# --- decisions ------------------------------------------------------------------------------


class AskExplain(AskThen, frozen=True):
    """Why a conversation went where it went: the decision at ``position``, or its last one by
    ``at``; without either its last one of all. ``limit`` candidates are told, from number ``skip``
    on."""

    conversation_id: AConversation
    skip: Place = 0
    limit: PageSize = 1_000


class AskWhyNot(AskThen, frozen=True):
    """Why one operator did not get one conversation."""

    operator_id: AnOperator
    conversation_id: AConversation


class AskWhyWaiting(AskThen, frozen=True):
    """Why a conversation waited, and what would have ended it; by default the last time it did."""

    conversation_id: AConversation


class AskTimeline(PastQuestion, frozen=True):
    """Everything that happened in one conversation, ``limit`` events at a time."""

    conversation_id: AConversation
    after: Place = 0
    limit: PageSize = 1_000


# --- states ---------------------------------------------------------------------------------


class AskMoment(AskThen, frozen=True):
    """Which position and which time a moment is, and how far the log reaches."""


class AskRosterThen(AskThen, frozen=True):
    """``roster`` as of a moment."""

    group_id: AGroup | None = None


class AskQueueThen(AskThen, frozen=True):
    """``queue`` as of a moment."""

    group_id: AGroup | None = None


class AskConversationThen(AskThen, frozen=True):
    """``conversation`` as of a moment."""

    conversation_id: AConversation


class AskInboxThen(AskThen, frozen=True):
    """``inbox`` as of a moment, as the asking operator saw it then."""

    view: InboxView
    group_id: AGroup | None = None
    operator_id: AnOperator | None = None
    entry_point_id: AnEntryPoint | None = None
    state: ConversationState | None = None
    limit: PageSize = 100
    after: Cursor | None = None


class AskEntryPointThen(AskThen, frozen=True):
    """``entry_point`` as of a moment."""

    entry_point_id: AnEntryPoint


class AskVisitorThen(AskThen, frozen=True):
    """``visitor`` as of a moment."""

    visitor_id: AVisitor


class AskWorkspaceThen(AskThen, frozen=True):
    """``workspace`` as of a moment."""


class AskDiff(PastQuestion, frozen=True, rename={"since": "from", "until": "to"}):
    """What is different between two moments, ``limit`` things of each kind."""

    since: Moment
    until: Moment = NOW
    limit: PageSize = 200


# --- the log --------------------------------------------------------------------------------


class AskFind(PastQuestion, frozen=True, rename={"since": "from", "until": "to"}):
    """Conversations of a stretch of the log that show a pattern.

    A long stretch is looked through piece by piece: ``next`` of the answer is the position of
    ``from`` to ask on with.
    """

    pattern: Pattern = "any"
    since: Moment = Moment(position=0)
    until: Moment = NOW
    over_s: Seconds = 60
    within_s: Seconds = 60
    more_than: Times = 0
    visitor_id: AVisitor | None = None
    operator_id: AnOperator | None = None
    conversation_id: AConversation | None = None
    limit: PageSize = 100


class AskConversationsOf(PastQuestion, frozen=True):
    """The conversations that a visitor opened before a position, the latest first."""

    visitor_id: AVisitor
    before: Place | None = None
    limit: PageSize = 50


class AskEvents(PastQuestion, frozen=True):
    """The events after a position as they are stored, ``limit`` at a time."""

    after: Place = 0
    limit: PageSize = 100


class AskSeals(PastQuestion, frozen=True):
    """The seals of the log that reach beyond a position, ``limit`` at a time."""

    after: Place = 0
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


# --- what takes long ------------------------------------------------------------------------


class AskVerify(PastQuestion, frozen=True):
    """Begin to check the whole log and to re-make every decision; the answer names the job."""

    until: Place | None = None


class AskSimulate(PastQuestion, frozen=True, rename={"since": "from", "until": "to"}):
    """Begin to play a stretch of the log as it would have been under ``changes``; the answer names
    the job. A change is what ``set_policy`` takes, or one of ``{"update_operator": ...}``,
    ``{"join_group": ...}`` and ``{"leave_group": ...}`` with what these take."""

    changes: Annotated[tuple[dict[str, Any], ...], LIST]
    since: Moment = Moment(position=0)
    until: Moment = NOW


class AskJob(PastQuestion, frozen=True):
    """How far a job has come, and its result once it is done."""

    job_id: JobId


AUDIT_QUESTIONS: dict[str, type[Question]] = {
    "explain": AskExplain,
    "why_not": AskWhyNot,
    "why_waiting": AskWhyWaiting,
    "timeline": AskTimeline,
    "moment": AskMoment,
    "roster": AskRosterThen,
    "queue": AskQueueThen,
    "conversation": AskConversationThen,
    "inbox": AskInboxThen,
    "entry_point": AskEntryPointThen,
    "visitor": AskVisitorThen,
    "workspace": AskWorkspaceThen,
    "diff": AskDiff,
    "find": AskFind,
    "conversations_of": AskConversationsOf,
    "events": AskEvents,
    "seals": AskSeals,
    "verify": AskVerify,
    "simulate": AskSimulate,
    "job": AskJob,
}
"""Every audit question by the name that ends its subject."""

_LIVE: dict[type[Question], type[Question]] = {
    AskRosterThen: live.AskRoster,
    AskQueueThen: live.AskQueue,
    AskConversationThen: live.AskConversation,
    AskInboxThen: live.AskInbox,
    AskEntryPointThen: live.AskEntryPoint,
    AskVisitorThen: live.AskVisitor,
    AskWorkspaceThen: live.AskWorkspace,
}


OF_STATES: tuple[type[Question], ...] = (*_LIVE, AskWhyWaiting)
"""Questions about a state as one sees it from outside: a command and what follows from it are one
moment, so that a position in the middle stands for the end."""


def as_asked_live(question: AskThen) -> Question | None:
    """The query of the live state that asks the same; none if there is no such query."""
    shape = _LIVE.get(type(question))
    if shape is None:
        return None
    fields: dict[str, Any] = {name: getattr(question, name) for name in shape.__struct_fields__}
    return shape(**fields)


_DECODERS = {name: BodyDecoder(shape) for name, shape in AUDIT_QUESTIONS.items()}


def decode_audit(call: Call, body: bytes, headers: Mapping[str, str]) -> QueryRequest | Refused:
    """Read an audit question; never raises."""
    return read_question(_DECODERS, "audit question", call, body, headers)
