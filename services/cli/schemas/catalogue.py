"""Everything that is said on the wire, by name, and what it is answered with.

The names and the classes are those that the services decode with; only which answer belongs to
which request is said here, and ``tests/contract`` holds that to a running engine.
"""

from collections.abc import Iterable, Mapping

import msgspec

from services.auditor.works import JOB_RESULTS
from services.notifier import dead_letters
from services.notifier.transcripts import TranscriptText
from services.presence.watching import BeatBody
from services.router import decider, publishing
from services.trigger_evaluator import explaining
from shared.audit.answering import RESULTS as AUDIT_RESULTS
from shared.routing import queries, settings_views, views
from shared.routing.commands import (
    COMMANDS,
    Command,
    ConversationCommand,
    FireRule,
    LogIn,
    LogOut,
    SetStatus,
)
from shared.routing.events import EVENT_TYPES, Envelope
from shared.routing.questions import EVERY_QUERY
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.bodies import OnBehalf
from shared.wire.feeds import FEEDS, FeedMessage, FeedPage
from shared.wire.replies import Answered, NotDone
from shared.wire.views import PageView, SeenAnswer

Shape = type[msgspec.Struct]


class Nothing(msgspec.Struct, frozen=True):
    """The empty object: there is nothing to tell but that it was done."""


QUERY_RESULTS: Mapping[str, Shape] = {
    "roster": queries.Roster,
    "operators": queries.Operators,
    "me": views.MeView,
    "inbox": queries.Inbox,
    "queue": queries.Queue,
    "conversation": publishing.ConversationWithTimeline,
    "entry_point": views.EntryPointView,
    "visitor": queries.VisitorAnswer,
    "workspace": settings_views.WorkspaceView,
    "feed": FeedPage,
    "dead_letters": dead_letters.DeadLetters,
    "resend_dead_letters": dead_letters.Resent,
    "why_not_fired": explaining.WhyNotFired,
}
"""What stands in ``result`` of the answer to each query."""


def command_result(command: type[Command]) -> Shape:
    """What stands in ``result`` of the answer to an accepted command."""
    if issubclass(command, ConversationCommand):
        return decider.ConversationResult
    if issubclass(command, FireRule):
        return decider.FiringResult
    return views.StatusView if issubclass(command, LogIn | LogOut | SetStatus) else Nothing


def feed_messages() -> Mapping[str, type[FeedMessage]]:
    """Every message of the feeds, as ``FEED.TYPE``."""
    return {
        f"{feed}.{message.__struct_config__.tag}": message
        for feed, messages in FEEDS.items()
        for message in messages
    }


def every_shape() -> Iterable[Shape]:
    """All of it at once, each class one time."""
    return dict.fromkeys([
        *COMMANDS.values(),
        *map(command_result, COMMANDS.values()),
        *EVERY_QUERY.values(),
        *QUERY_RESULTS.values(),
        *AUDIT_QUESTIONS.values(),
        *AUDIT_RESULTS.values(),
        *JOB_RESULTS.values(),
        *feed_messages().values(),
        *EVENT_TYPES.values(),
        Envelope,
        *(OnBehalf, Answered, NotDone),
        *(BeatBody, PageView, SeenAnswer, TranscriptText),
    ])  # fmt: skip
