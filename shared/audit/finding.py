"""Conversations of a stretch of the log that show a pattern.

The stretch is folded once; what is told of a conversation is what happened to it in there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from shared.audit.answers import Found, FreeMeanwhile, Match
from shared.audit.events import positions_of
from shared.audit.free_meanwhile import Wait, free_meanwhile, is_outside
from shared.audit.history import History
from shared.audit.stored import Recorded
from shared.audit.waits import began_waiting
from shared.routing import events as e
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs, VisitorId
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace
from shared.wire.audit import AskFind, Pattern

EVENTS_MAX = 5_000
"""Of one answer: a quarter of a second. Whoever wants more asks on from its end."""


MATCHES_MAX = 500
"""In one answer, where more than were asked for show at one position."""
FREE_MAX = 10
"""Operators told of one wait who were free meanwhile; first those whom it was for."""

WAITING: tuple[Pattern, ...] = ("waited", "waited_while_free")
_COUNTED: Mapping[Pattern, tuple[type[e.Event], ...]] = {
    "reassigned": (e.ConversationReassigned,),
    "forwarded": (e.ConversationForwarded, e.ForwardOffered),
    "refused": (e.OfferDeclined, e.OfferExpired),
    "missed": (e.ConversationMissed,),
}


class Held(NamedTuple):
    """Somebody owns it since a position."""

    operator_id: OperatorId
    position: Position
    at: UnixMs


class Course:
    """What happened to one conversation in the stretch."""

    def __init__(self, conversation_id: ConversationId, visitor_id: VisitorId) -> None:
        self.conversation_id = conversation_id
        self.visitor_id = visitor_id
        self.waits: list[Wait] = []
        self.owners: list[Held] = []
        self.counted: dict[Pattern, list[Recorded]] = {pattern: [] for pattern in _COUNTED}
        self.before = 0
        """How often what is counted had happened before."""
        self.owner_left: list[tuple[Position, UnixMs]] = []
        self.last: tuple[Position, UnixMs] = (Position(0), UnixMs(0))


async def find(history: History, question: AskFind) -> Found:
    """Look for the pattern, up to ``limit`` conversations. Raises as ``History`` does."""
    begin = await history.position_of(question.since)
    end = max(begin, await history.position_of(question.until))
    reach = Position(min(end, begin + EVENTS_MAX))
    courses = await _courses(history, question, begin, reach, end)
    found = [course for course in courses if _completed(course, question) is not None]
    free = await _free(history, question, found, reach)
    found_here = [_match(course, question, free) for course in found]
    matches = sorted((m for m in found_here if m is not None), key=lambda m: (m.position, m.at))
    page = _page(matches, question.limit)
    if len(matches) > len(page) and matches[len(page)].position > page[-1].position:
        reach = page[-1].position  # what is asked on for comes after the last of these
    return Found(
        matches=tuple(page),
        left_out=sum(match.position <= reach for match in matches[len(page) :]),
        looked_from=begin,
        looked_to=reach,
        next=reach if reach < end else None,
    )


def _page(matches: Sequence[Match], limit: int) -> Sequence[Match]:
    """The first so many, and with them what shows at the very position of the last."""
    page = list(matches[:limit])
    for match in matches[limit:MATCHES_MAX]:
        if match.position != page[-1].position:
            break
        page.append(match)
    return page


async def _courses(
    history: History, question: AskFind, begin: Position, reach: Position, end: Position
) -> list[Course]:
    """What became of the conversations that are asked for, their waits and counts whole."""
    survey = Survey(question.within_s * 1_000)
    async for recorded, workspace in history.walk(begin, reach):
        if recorded is not None:
            survey.take(recorded, workspace)
        elif workspace.position == begin:
            survey.begin(workspace)
    ends_at = question.until.at if reach == end else None
    courses = [c for c in survey.finished(ends_at) if _is_asked_for(c, question)]
    for course in courses:
        if reach < end and question.pattern in WAITING:  # the next piece tells it whole
            course.waits = [wait for wait in course.waits if wait.ended is not None]
        for wait in _asked_waits(course, question):
            if wait.begun == begin:
                began = await began_waiting(history, course.conversation_id, begin)
                wait.begun, wait.since = began.position, began.envelope.at
        if question.more_than and course.counted.get(question.pattern):
            course.before = await _counted_before(history, course, question.pattern, begin)
    return courses


async def _counted_before(
    history: History, course: Course, pattern: Pattern, begin: Position
) -> int:
    """How often it had happened to the conversation by the beginning of the stretch."""
    positions = await positions_of(history, course.conversation_id, begin)
    earlier = await history.events_at(positions)
    return sum(isinstance(one.envelope.data, _COUNTED[pattern]) for one in earlier)


def _is_asked_for(course: Course, question: AskFind) -> bool:
    return question.visitor_id in (None, course.visitor_id) and question.conversation_id in (
        None,
        course.conversation_id,
    )


def _completed(course: Course, question: AskFind) -> tuple[Position, UnixMs, int] | None:
    """Where and when the course shows the pattern, and how often; none if it does not."""
    match question.pattern:
        case "any":
            return (*course.last, 1)
        case "waited" | "waited_while_free":
            long = _asked_waits(course, question)
            return (long[-1].reached, long[-1].until, len(long)) if long else None
        case "owner_left":
            left = course.owner_left
            return (*left[-1], len(left)) if left else None
        case _:
            counted = course.counted[question.pattern]
            times = course.before + len(counted)
            if not counted or times <= (0 if question.pattern == "missed" else question.more_than):
                return None
            return counted[-1].position, counted[-1].envelope.at, times


def _asked_waits(course: Course, question: AskFind) -> list[Wait]:
    """The waits that the question is about."""
    if question.pattern in WAITING:
        return [wait for wait in course.waits if wait.ms > question.over_s * 1_000]
    return course.waits


# --- who was free ---------------------------------------------------------------------------

Free = Mapping[Wait, Sequence[FreeMeanwhile]]


async def _free(
    history: History, question: AskFind, found: Sequence[Course], reach: Position
) -> Free:
    """Who was free, where that is asked for or few conversations can come out."""
    named = (question.visitor_id, question.conversation_id, question.operator_id)
    if question.pattern != "waited_while_free" and not any(named):
        return {}
    waits = [wait for course in found for wait in _asked_waits(course, question)]
    return await free_meanwhile(history, waits, reach)


def _match(course: Course, question: AskFind, free: Free) -> Match | None:
    """The course as a match; none if nobody was free, or had it, who is asked for."""
    completed = _completed(course, question)
    assert completed is not None
    waits = _asked_waits(course, question)
    if question.pattern == "waited_while_free":
        waits = [wait for wait in waits if _somebody_was(free[wait], question.operator_id)]
        if not waits:
            return None
    elif question.operator_id is not None and not _concerns(course, question.operator_id, free):
        return None
    position, at, times = completed
    wait = max(waits, key=lambda wait: (wait.ms, -wait.begun), default=None)
    return Match(
        conversation_id=course.conversation_id,
        visitor_id=course.visitor_id,
        pattern=question.pattern,
        position=position,
        at=at,
        waited_ms=wait.ms if wait is not None else 0,
        waited_from=wait.begun if wait is not None else None,
        waited_to=wait.ended if wait is not None else None,
        reasons=tuple(wait.reasons) if wait is not None else (),
        owners=tuple(held.operator_id for held in course.owners),
        times=times,
        free=_shown(free.get(wait, ()), question.operator_id) if wait is not None else (),
    )


def _shown(
    free: Sequence[FreeMeanwhile], operator_id: OperatorId | None
) -> tuple[FreeMeanwhile, ...]:
    """As many as are told, the one who is asked about among them."""
    first = [one for one in free if one.operator_id == operator_id]
    others = [one for one in free if one.operator_id != operator_id]
    return (*first, *others)[:FREE_MAX]


def _somebody_was(free: Sequence[FreeMeanwhile], operator_id: OperatorId | None) -> bool:
    """Whether this one was free, or anybody whom the conversation was for."""
    if operator_id is not None:
        return any(one.operator_id == operator_id for one in free)
    return any(not is_outside(one) for one in free)


def _concerns(course: Course, operator_id: OperatorId, free: Free) -> bool:
    """Whether he had it, or was free while it waited."""
    owned = any(held.operator_id == operator_id for held in course.owners)
    return owned or any(_somebody_was(free.get(wait, ()), operator_id) for wait in course.waits)


# --- surveying ------------------------------------------------------------------------------


class Survey:
    """Takes the events of a stretch in turn, with the state that each led to."""

    def __init__(self, within_ms: int) -> None:
        self._within_ms = within_ms
        self._courses: dict[ConversationId, Course] = {}
        self._waiting: dict[ConversationId, Wait] = {}
        self._at = UnixMs(0)
        self._position = Position(0)

    def begin(self, workspace: Workspace) -> None:
        """With the state before the first event: what waits by then does so since it was queued."""
        self._at, self._position = workspace.at, workspace.position
        for conversation_id in workspace.open:
            conversation = workspace.conversations[conversation_id]
            if _is_waiting(conversation):
                self._waits(conversation, conversation.queued_at)

    def take(self, recorded: Recorded, workspace: Workspace) -> None:
        """The next event."""
        event = recorded.envelope.data
        self._at, self._position = recorded.envelope.at, recorded.position
        if isinstance(event, e.OperatorStatusChanged | e.SessionLapsed | e.OperatorRemoved):
            self._perhaps_gone(workspace, event.operator_id)
        conversation_id: ConversationId | None = getattr(event, "conversation_id", None)
        if conversation_id is None or conversation_id not in workspace.conversations:
            return
        conversation = workspace.conversations[conversation_id]
        course = self._course(conversation)
        course.last = (recorded.position, recorded.envelope.at)
        for pattern, counted in course.counted.items():
            if isinstance(event, _COUNTED[pattern]):
                counted.append(recorded)
        if conversation.owner is not None and (
            not course.owners or course.owners[-1].operator_id != conversation.owner
        ):
            course.owners.append(Held(conversation.owner, recorded.position, recorded.envelope.at))
        self._note_waiting(conversation, event)

    def finished(self, at: int | None) -> Iterator[Course]:
        """What became of each conversation that anything happened to, or that waits by now.

        The stretch ends ``at``, else with its last event.
        """
        until = UnixMs(max(self._at, at or 0))
        for conversation_id, wait in self._waiting.items():
            wait.until, wait.reached = until, self._position
            self._courses[conversation_id].waits.append(wait)
        self._waiting = {}
        yield from self._courses.values()

    def _course(self, conversation: Conversation) -> Course:
        its_id = conversation.conversation_id
        course = self._courses.get(its_id)
        if course is None:
            course = self._courses[its_id] = Course(its_id, conversation.visitor_id)
            course.last = (self._position, self._at)
        return course

    def _note_waiting(self, conversation: Conversation, event: e.EventUnion) -> None:
        its_id = conversation.conversation_id
        waiting = self._waiting.get(its_id)
        if _is_waiting(conversation):
            if waiting is None:
                waiting = self._waits(conversation, self._at)
            if isinstance(event, e.ConversationQueued):
                waiting.because(event.reason)
        elif waiting is not None:
            waiting.ended = self._position
            waiting.until, waiting.reached = self._at, self._position
            self._course(conversation).waits.append(waiting)
            del self._waiting[its_id]

    def _waits(self, conversation: Conversation, since: UnixMs) -> Wait:
        wait = Wait(conversation.conversation_id, self._position, since)
        self._waiting[conversation.conversation_id] = wait
        self._course(conversation)
        return wait

    def _perhaps_gone(self, workspace: Workspace, operator_id: OperatorId) -> None:
        """Count what was given to an operator shortly before he went."""
        operator = workspace.operators[operator_id]
        if operator.effective != "offline" and operator.connected and not operator.removed:
            return
        for conversation_id in operator.owned:
            course = self._courses.get(conversation_id)
            if course is None or not course.owners:
                continue
            held = course.owners[-1]
            soon = self._at - held.at <= self._within_ms
            counted = course.owner_left and course.owner_left[-1][0] > held.position
            if held.operator_id == operator_id and soon and not counted:
                course.owner_left.append((self._position, self._at))


def _is_waiting(conversation: Conversation) -> bool:
    return conversation.state in ("waiting", "offered")
