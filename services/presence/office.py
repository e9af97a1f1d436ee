"""One workspace as presence sees it: what its log shows, what was heard, what is to be reported.

It waits for nothing and sends nothing. Subjects that may need a report stand on the ``agenda``;
whether one does is judged when it is about to be sent.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, assert_never

from services.presence.changes import Changes
from services.presence.hours import Hours, Place
from services.presence.idleness import Idleness, Person
from services.presence.reports import (
    OfActivity,
    OfHours,
    OfSession,
    OfShift,
    Report,
    Subject,
    about_activity,
    about_hours,
    about_session,
    may_lapse,
    report_of,
)
from services.presence.roster import Roster
from services.presence.sessions import Leases, Session
from shared.routing.events import Envelope
from shared.routing.ids import EntryPointId, OperatorId, Position, SessionId, UnixMs, WorkspaceId
from shared.routing.schedule import Schedule
from shared.routing.state import Operator

HEARD_MAX = 10_000
"""Sessions of one workspace that were heard of and are not alive in its log."""
LOOKED_AT_MAX = 1_000
"""Subjects judged in one go: some milliseconds."""
CONTRADICTED_MS = 60_000
"""How long a process that was contradicted about somebody's hours keeps silent about them."""


class Now(NamedTuple):
    """One moment by both clocks."""

    elapsed: int
    """For sessions and idleness."""
    wall: UnixMs
    """For hours."""


class Tables(NamedTuple):
    """What all workspaces share."""

    leases: Leases
    idleness: Idleness
    lease_ms: int
    second_ms: float
    """How long a second of an idle time takes."""


class Office:
    """Fed with events, heartbeats and the passing of time; gives reports."""

    def __init__(self, workspace_id: WorkspaceId, tables: Tables) -> None:
        self.workspace_id = workspace_id
        self.agenda: OrderedDict[Subject, Position] = OrderedDict()
        """What to look at, once the log was read up to that position."""
        self.hours = Hours()
        self._tables = tables
        self._roster = Roster(workspace_id)
        self._alive: dict[OperatorId, tuple[SessionId, ...]] = {}
        self._heard: dict[OperatorId, dict[SessionId, int]] = {}
        self._heard_count = 0
        self._stirred: dict[OperatorId, int] = {}
        self._news: dict[OperatorId, Position] = {}
        self._news_of_hours: dict[EntryPointId, Position] = {}
        self._answered: dict[OperatorId, dict[str, None]] = {}
        self._answered_hours: dict[EntryPointId, dict[str, None]] = {}
        self._full: dict[OperatorId, None] = {}
        self._said: dict[Place, tuple[str, UnixMs | None, UnixMs]] = {}

    @property
    def position(self) -> Position:
        """Up to where the log was read."""
        return self._roster.workspace.position

    # --- the log ----------------------------------------------------------------------------

    def take(self, events: Sequence[tuple[Position, Envelope]], now: Now) -> None:
        """Read on in the log, up to the last of these. Raises ``Unfit``."""
        changes = Changes()
        for position, envelope in events:
            self._roster.feed(position, envelope)
            changes.note(position, envelope)
        self._learn(changes)
        workspace = self._roster.workspace
        for operator_id in list(workspace.operators if changes.everybody else changes.operators):
            self._settle(operator_id, changes, now)
        for entry_point_id in workspace.entry_points if changes.everybody else changes.entries:
            self._settle_hours(entry_point_id, now)
        for operator_id in changes.acted:
            self._tables.idleness.act(self._person(operator_id), now.elapsed)

    def _learn(self, changes: Changes) -> None:
        """With news about somebody what the router answered before is of no interest any more."""
        self._news.update(changes.operators)
        self._news_of_hours.update(changes.entries)
        for operator_id in changes.operators:
            self._answered.pop(operator_id, None)
            self._full.pop(operator_id, None)
        for entry_point_id in changes.entries:
            self._answered_hours.pop(entry_point_id, None)

    def _settle(self, operator_id: OperatorId, changes: Changes, now: Now) -> None:
        """Bring everything about one operator into line with the log, and look at all of it."""
        operator = self._roster.workspace.operators.get(operator_id)
        watched = operator if may_lapse(operator) else None
        self._settle_sessions(operator_id, watched, changes, now)
        self._settle_idleness(operator_id, watched, now)
        if watched is not None:
            schedule = watched.schedule or self._roster.workspace.schedule
            self._settle_place(OfShift(operator_id), schedule, now)
            self.put(self._open_questions(watched))
        else:
            self.hours.set(OfShift(operator_id), None, "", now.wall)

    def _settle_sessions(
        self, operator_id: OperatorId, operator: Operator | None, changes: Changes, now: Now
    ) -> None:
        before = self._alive.pop(operator_id, ())
        alive: tuple[SessionId, ...] = ()
        if operator is not None:
            alive = tuple(one for one in operator.sessions if one not in operator.lapsed)
        for session_id in before:
            if session_id not in alive:
                self._tables.leases.drop(self._session(operator_id, session_id))
        for session_id in alive:
            if session_id not in before or (operator_id, session_id) in changes.renewed:
                self._tables.leases.give(self._session(operator_id, session_id), now.elapsed)
                self._forget_heard(operator_id, session_id)
        if alive:
            self._alive[operator_id] = alive

    def _settle_idleness(
        self, operator_id: OperatorId, operator: Operator | None, now: Now
    ) -> None:
        person = self._person(operator_id)
        allowed_s = self._allowed_s(operator) if operator is not None else 0
        if operator is None or not operator.connected or operator.idle or not allowed_s:
            self._tables.idleness.forget(person)
        else:
            allowed_ms = round(allowed_s * self._tables.second_ms)
            self._tables.idleness.watch(person, allowed_ms, now.elapsed)

    def _allowed_s(self, operator: Operator) -> int:
        if operator.idle_timeout_s is not None:
            return operator.idle_timeout_s
        return self._roster.workspace.workspace_wide().idle_timeout_s

    def _settle_hours(self, entry_point_id: EntryPointId, now: Now) -> None:
        entry_point = self._roster.workspace.entry_points.get(entry_point_id)
        schedule = entry_point.schedule if entry_point is not None else None
        self._settle_place(OfHours(entry_point_id), schedule, now)

    def _settle_place(self, place: Place, schedule: Schedule | None, now: Now) -> None:
        zone = (schedule and schedule.timezone) or self._roster.workspace.timezone
        if self.hours.set(place, schedule, zone, now.wall):
            self._said.pop(place, None)
        self.look_at_hours((place,), now)

    # --- what was heard ---------------------------------------------------------------------

    def hear(self, session: Session, now: Now, upto: Position) -> bool:
        """A heartbeat of a session that is not alive in the log; false if nobody sends those.

        ``upto``: where the log is known to end. It is judged by what stands there.
        """
        operator = self._roster.workspace.operators.get(session.operator_id)
        nobody = upto <= self.position and not may_lapse(operator)
        if nobody or self._heard_count >= HEARD_MAX:
            return False
        times = self._heard.setdefault(session.operator_id, {})
        self._heard_count += session.session_id not in times
        times[session.session_id] = now.elapsed
        self.put((OfSession(session.operator_id, session.session_id),), upto)
        return True

    def stir(self, operator_id: OperatorId, now: Now) -> None:
        """An operator did something that is no event."""
        person = self._person(operator_id)
        late = self._tables.idleness.is_over(person)
        self._tables.idleness.act(person, now.elapsed)
        operator = self._roster.workspace.operators.get(operator_id)
        if operator is not None and (late or operator.idle):
            self._stirred[operator_id] = now.elapsed
            self.put((OfActivity(operator_id),))

    def look_at_hours(self, places: Iterable[Place], now: Now) -> None:
        """Put on the agenda those that stand otherwise than the log shows."""
        for place in places:
            if self._about_hours(place, now) is not None:
                self.put((place,))

    def put(self, subjects: Iterable[Subject], upto: Position | None = None) -> None:
        """Look at these, by what the log shows at ``upto``, or now."""
        for subject in subjects:
            self.agenda[subject] = self.position if upto is None else upto

    # --- what is to be said -----------------------------------------------------------------

    def reports(self, now: Now, at_most: int) -> list[tuple[Subject, Report]]:
        """Take reports off the agenda that are true now; what needs none is taken off too.

        It looks at a bounded part of the agenda; ``may_go_on`` says whether to call it again.
        """
        found: list[tuple[Subject, Report]] = []
        for _ in range(min(len(self.agenda), LOOKED_AT_MAX)):
            if len(found) == at_most:
                break
            subject, upto = self.agenda.popitem(last=False)
            if upto > self.position:
                self.agenda[subject] = upto
                continue
            report = self._judge(subject, now)
            if report is not None:
                found.append((subject, report))
        return found

    def may_go_on(self) -> bool:
        """Whether something on the agenda need not wait for the log."""
        return any(upto <= self.position for upto in self.agenda.values())

    def answered(self, subject: Subject, report: Report, now: Now, *, refused: bool) -> None:
        """The router has said yes or no for good: the same is not said again."""
        self._news_about(subject)[1][report.command_id] = None
        match subject:
            case OfSession(operator_id, session_id):
                self._forget_heard(operator_id, session_id)
                operator = self._roster.workspace.operators.get(operator_id)
                if refused and operator is not None and session_id not in operator.sessions:
                    self._full[operator_id] = None
            case OfActivity(operator_id):
                self._stirred.pop(operator_id, None)
            case OfShift() | OfHours():
                standing = self.hours.standing(subject, now.wall)
                since = standing.since if standing is not None else None
                self._said[subject] = (report.command, since, now.wall)

    def _judge(self, subject: Subject, now: Now) -> Report | None:
        standing = None
        command: str | None
        match subject:
            case OfSession(operator_id, session_id):
                command = self._about_session(operator_id, session_id, now)
            case OfActivity(operator_id):
                command = self._about_activity(operator_id, now)
            case OfShift() | OfHours():
                command = self._about_hours(subject, now)
                standing = self.hours.standing(subject, now.wall)
            case _:
                assert_never(subject)
        if command is None:
            return None
        news, answered = self._news_about(subject)
        report = report_of(self.workspace_id, command, subject, news, standing)
        return None if report.command_id in answered else report

    def _news_about(self, subject: Subject) -> tuple[Position, dict[str, None]]:
        """The position of the last event about it, and what the router has answered since."""
        if isinstance(subject, OfHours):
            its_id = subject.entry_point_id
            return self._news_of_hours[its_id], self._answered_hours.setdefault(its_id, {})
        operator_id = subject.operator_id
        return self._news[operator_id], self._answered.setdefault(operator_id, {})

    def _about_session(
        self, operator_id: OperatorId, session_id: SessionId, now: Now
    ) -> str | None:
        heard_at = self._heard.get(operator_id, {}).get(session_id)
        heard = heard_at is not None and now.elapsed - heard_at <= self._tables.lease_ms
        operator = self._roster.workspace.operators.get(operator_id)
        over = self._tables.leases.is_over(self._session(operator_id, session_id))
        command = about_session(operator, session_id, over=over, heard=heard)
        known = operator is not None and session_id in operator.lapsed
        if command == "session_returned" and (known or operator_id not in self._full):
            return command
        self._forget_heard(operator_id, session_id)
        return command if command == "session_lapsed" else None

    def _about_activity(self, operator_id: OperatorId, now: Now) -> str | None:
        stirred_at = self._stirred.get(operator_id)
        stirred = stirred_at is not None and now.elapsed - stirred_at <= self._tables.lease_ms
        over = self._tables.idleness.is_over(self._person(operator_id))
        operator = self._roster.workspace.operators.get(operator_id)
        return about_activity(operator, over=over, stirred=stirred)

    def _about_hours(self, place: Place, now: Now) -> str | None:
        shown_open = self._shows_open(place)
        if shown_open is None or not self.hours.is_known(place):
            return None
        standing = self.hours.standing(place, now.wall)
        command = about_hours(standing, shown_open=shown_open, at=now.wall)
        said = self._said.get(place)
        if command is None or said is None:
            return command
        what, since, at = said
        again = what == command and since == (standing.since if standing is not None else None)
        if again and at <= now.wall < at + CONTRADICTED_MS:
            self.hours.look_at(place, UnixMs(at + CONTRADICTED_MS))
            return None
        return command

    def _shows_open(self, place: Place) -> bool | None:
        """What the log shows; none where nobody asks for it."""
        workspace = self._roster.workspace
        if isinstance(place, OfShift):
            operator = workspace.operators.get(place.operator_id)
            return not operator.off_shift if operator and may_lapse(operator) else None
        entry_point = workspace.entry_points.get(place.entry_point_id)
        return not entry_point.closed if entry_point is not None else None

    # --- looking up -------------------------------------------------------------------------

    def _open_questions(self, operator: Operator) -> Iterator[Subject]:
        """What is still to be said of somebody about whom there was news."""
        operator_id = operator.operator_id
        for session_id in self._alive.get(operator_id, ()):
            if self._tables.leases.is_over(self._session(operator_id, session_id)):
                yield OfSession(operator_id, session_id)
        for session_id in self._heard.get(operator_id, ()):
            yield OfSession(operator_id, session_id)
        late = self._tables.idleness.is_over(self._person(operator_id))
        if late or (operator.idle and operator_id in self._stirred):
            yield OfActivity(operator_id)

    def _forget_heard(self, operator_id: OperatorId, session_id: SessionId) -> None:
        times = self._heard.get(operator_id)
        if times is not None and times.pop(session_id, None) is not None:
            self._heard_count -= 1
            if not times:
                del self._heard[operator_id]

    def _session(self, operator_id: OperatorId, session_id: SessionId) -> Session:
        return Session(self.workspace_id, operator_id, session_id)

    def _person(self, operator_id: OperatorId) -> Person:
        return (self.workspace_id, operator_id)
