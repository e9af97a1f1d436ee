"""The one door to the past: a question and a history in, an answer out.

The command line, the service on the bus and through it the console all come through here, so that
they cannot say different things.
"""

from collections.abc import Mapping
from typing import NamedTuple

from shared.audit import answers as a
from shared.audit.decisions import explain, why_not_him
from shared.audit.events import stored_events, stored_seals, timeline
from shared.audit.finding import find
from shared.audit.history import History
from shared.audit.moments import answer_then, diff, moment
from shared.audit.openings import conversations_of
from shared.audit.snapshots import BadSnapshot
from shared.audit.stored import Beyond
from shared.audit.waits import why_it_waits
from shared.routing import queries
from shared.routing.commands import Refused
from shared.routing.events import Actor
from shared.routing.ids import Position, UnixMs
from shared.routing.questions import Question
from shared.routing.settings_views import WorkspaceView
from shared.routing.views import EntryPointView, View
from shared.wire import audit as q

AUDITOR = Actor("admin", "auditor")
"""As whom past states are looked at by those who may see everything."""


RESULTS: Mapping[str, type[View]] = {
    "explain": a.Explained,
    "why_not": a.WhyNotView,
    "why_waiting": a.WhyWaitingView,
    "timeline": a.Timeline,
    "moment": a.MomentView,
    "roster": queries.Roster,
    "queue": queries.Queue,
    "conversation": queries.ConversationAnswer,
    "inbox": queries.Inbox,
    "entry_point": EntryPointView,
    "visitor": queries.VisitorAnswer,
    "workspace": WorkspaceView,
    "diff": a.Diff,
    "find": a.Found,
    "conversations_of": a.ConversationsOf,
    "events": a.StoredEvents,
    "seals": a.StoredSeals,
    "verify": a.Begun,
    "simulate": a.Begun,
    "job": a.JobView,
}
"""What each audit question is answered with."""


class Answered(NamedTuple):
    """An answer, the last position that it reflects and when that was."""

    position: Position
    at: UnixMs
    result: View | Refused


async def answer(history: History, question: Question, actor: Actor = AUDITOR) -> Answered:
    """Answer a question about the past that needs no job.

    Whether ``actor`` may ask is not judged here; it matters to what is somebody's own. Raises
    ``LogCorrupt`` and ``StoreUnavailable``.
    """
    try:
        return await _answer(history, question, actor)
    except BadSnapshot:
        history.distrust_snapshots()
        return await _answer(history, question, actor)
    except Beyond as beyond:
        head = await history.head()
        return Answered(head, await history.stamp_of(head), Refused("unavailable", str(beyond)))


async def _answer(history: History, question: Question, actor: Actor) -> Answered:
    moment = question.moment if isinstance(question, q.AskThen) else q.NOW
    upto = await history.position_of(moment)
    if isinstance(question, q.OF_STATES):
        upto = await history.rest_at(upto)
    at = await history.stamp_of(upto)
    if isinstance(question, q.AskThen) and question.at is not None:
        at = UnixMs(question.at)
    return Answered(upto, at, await _result(history, question, actor, upto, at))


async def _result(
    history: History, question: Question, actor: Actor, upto: Position, at: UnixMs
) -> View | Refused:
    match question:
        case q.AskExplain():
            return await explain(history, question, upto)
        case q.AskWhyNot():
            return await why_not_him(history, question, upto)
        case q.AskWhyWaiting():
            return await why_it_waits(history, question, upto, at)
        case q.AskTimeline():
            return await timeline(history, question, upto)
        case q.AskMoment():
            return await moment(history, upto)
        case q.AskDiff():
            return await diff(history, question)
        case q.AskFind():
            return await find(history, question)
        case q.AskConversationsOf():
            return await conversations_of(history, question, upto)
        case q.AskEvents():
            return await stored_events(history, question, upto)
        case q.AskSeals():
            return await stored_seals(history, question)
        case q.AskThen() if (live := q.as_asked_live(question)) is not None:
            asker = actor if isinstance(question, q.AskInboxThen) else AUDITOR
            return await answer_then(history, live, asker, upto, at)
        case _:
            raise TypeError(f"{type(question).__name__} is no question for one answer")
