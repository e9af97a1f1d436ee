"""What actors may ask about the live state, field by field, and which kinds of actor may ask it.

The answers are not made here: they follow from the state alone and stand in ``queries``.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from shared.routing.commands.fields import (
    AConversation,
    AGroup,
    AnEntryPoint,
    AnOperator,
    ARule,
    AVisitor,
)
from shared.routing.vocabulary import ActorKind, ConversationState

InboxView = Literal["mine", "unassigned", "all"]
PageSize = Annotated[int, Meta(ge=1, le=1_000)]
SequenceNumber = Annotated[int, Meta(ge=0, le=2**53)]
"""``seq`` of a message, 0 before the first."""
Cursor = Annotated[str, Meta(min_length=1, max_length=200)]
"""Where a page ended: the ``next`` of the answer before, handed back as it came."""


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to read something; the actor and the workspace stand beside it."""

    allowed: ClassVar[tuple[ActorKind, ...]] = ("admin", "service")
    """Kinds of actor that may ask it."""


class AskRoster(Question, frozen=True):
    """Who is online and how loaded, in one group or in the whole workspace."""

    allowed = ("operator", "admin", "service")
    group_id: AGroup | None = None


class AskOperators(Question, frozen=True):
    """Every operator with all settings."""


class AskMe(Question, frozen=True):
    """The asking operator's own status, sessions, offers and preferences."""

    allowed = ("operator",)


class AskInbox(Question, frozen=True):
    """Conversations as the asking operator may see them, ``limit`` at a time."""

    allowed = ("operator",)
    view: InboxView
    group_id: AGroup | None = None
    operator_id: AnOperator | None = None
    entry_point_id: AnEntryPoint | None = None
    state: ConversationState | None = None
    limit: PageSize = 100
    after: Cursor | None = None


class AskQueue(Question, frozen=True):
    """What waits, with places, for one group or for all."""

    allowed = ("operator", "admin", "service")
    group_id: AGroup | None = None


class AskConversation(Question, frozen=True):
    """One conversation; a visitor may ask for its own."""

    allowed = ("operator", "visitor", "admin", "service")
    conversation_id: AConversation


class AskEntryPoint(Question, frozen=True):
    """How an entry point shows itself now, and the groups it offers."""

    allowed = ("operator", "visitor", "admin", "service")
    entry_point_id: AnEntryPoint


class AskVisitor(Question, frozen=True):
    """To whom a visitor is assigned ahead, and its open conversations."""

    allowed = ("operator", "admin", "service")
    visitor_id: AVisitor


class AskWorkspace(Question, frozen=True):
    """Roles, groups, entry points and policies with their versions."""


class AskWhyNotFired(Question, frozen=True):
    """Why a rule did not fire for the last page views of a visitor; operators need ``audit``."""

    allowed = ("operator", "admin", "service")
    rule_id: ARule
    visitor_id: AVisitor


QUERIES: dict[str, type[Question]] = {
    "roster": AskRoster,
    "operators": AskOperators,
    "me": AskMe,
    "inbox": AskInbox,
    "queue": AskQueue,
    "conversation": AskConversation,
    "entry_point": AskEntryPoint,
    "visitor": AskVisitor,
    "workspace": AskWorkspace,
}
"""Every query that the router answers, by the name that stands in its subject."""


class AskFeed(Question, frozen=True):
    """The asker's own feed again, from the message after number ``after``; without it none.

    The answer says in any case which number the last one has.
    """

    allowed = ("operator", "visitor")
    after: SequenceNumber | None = None
    limit: PageSize = 1_000


class AskDeadLetters(Question, frozen=True):
    """What could be delivered neither by e-mail nor to webhooks, ``limit`` at a time."""

    allowed = ("admin",)
    limit: PageSize = 100
    after: Cursor | None = None


class AskResendDeadLetters(Question, frozen=True):
    """Let dead letters be tried again: all, unless ``ids`` names some. The log stays as it is."""

    allowed = ("admin",)
    ids: Annotated[tuple[Cursor, ...], Meta(min_length=1, max_length=1_000)] | None = None


NOTIFIER_QUERIES: dict[str, type[Question]] = {
    "feed": AskFeed,
    "dead_letters": AskDeadLetters,
    "resend_dead_letters": AskResendDeadLetters,
}
"""Every query that the notifier answers: nobody else does, so they fail while it is down."""

EVALUATOR_QUERIES: dict[str, type[Question]] = {
    "why_not_fired": AskWhyNotFired,
}
"""Every query that the trigger evaluator answers."""

EVERY_QUERY: dict[str, type[Question]] = QUERIES | NOTIFIER_QUERIES | EVALUATOR_QUERIES
"""... whoever answers it."""
