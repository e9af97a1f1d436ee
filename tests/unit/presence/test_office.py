"""What is reported of one workspace, given its log and what was heard; without a broker."""

import datetime as dt
from collections.abc import Iterable

import msgspec
import pytest

from services.presence.idleness import Idleness
from services.presence.office import CONTRADICTED_MS, Now, Office, Tables
from services.presence.reports import AHEAD_MS, OfActivity, OfSession, Report, Subject
from services.presence.sessions import Leases, Session
from shared.routing import events as e
from shared.routing.events import Fact
from shared.routing.ids import OperatorId, Position, RoleId, SessionId, UnixMs, WorkspaceId
from shared.routing.schedule import DAYS, Schedule
from shared.routing.transaction import Stamp, record
from shared.routing.workspace import Workspace

W, ANA, DESK = WorkspaceId("w"), OperatorId("ana"), SessionId("desk")
LEASE_MS = 45_000
MONDAY = UnixMs(int(dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp()) * 1_000)
HOUR_MS = 3_600_000
REGISTERED = e.OperatorRegistered(
    operator_id=ANA,
    kind="human",
    name=None,
    email=None,
    role_id=RoleId("staff"),
    capacity=3,
    skills=(),
    locale=None,
)
OFFICE_HOURS = Schedule(
    weekly=dict.fromkeys(DAYS, (("09:00", "17:00"),)),
    exceptions={},
    timezone=None,
    auto_online=True,
)


class Scene:
    """A log that is written here, and an office that reads it."""

    def __init__(self) -> None:
        self.leases, self.idleness = Leases(LEASE_MS), Idleness()
        self.office = self.another()
        self.at = MONDAY + 12 * HOUR_MS
        self.elapsed = 0
        self._workspace = Workspace(workspace_id=W)
        self.happens(e.WorkspaceCreated(W, "Work", "UTC", "en"), REGISTERED)

    def another(self) -> Office:
        return Office(W, Tables(self.leases, self.idleness, LEASE_MS, 1_000))

    @property
    def now(self) -> Now:
        return Now(self.elapsed, UnixMs(self.at))

    @property
    def position(self) -> Position:
        """Where the log ends."""
        return self._workspace.position

    def happens(self, *facts: Fact, unread: bool = False) -> list[tuple[Position, e.Envelope]]:
        stamp = Stamp(UnixMs(self.at), 1)
        written = [(r.position, r.envelope) for r in record(self._workspace, facts, stamp)]
        if not unread:
            self.office.take(written, self.now)
        return written

    def after(self, elapsed_ms: int) -> None:
        """Time passes, in which everything that was sent was heard."""
        self.elapsed += elapsed_ms
        self.at += elapsed_ms
        for session in self.leases.run_out(self.elapsed, 100):
            self.office.put((OfSession(session.operator_id, session.session_id),))
        for _, operator_id in self.idleness.run_out(self.elapsed, 100):
            self.office.put((OfActivity(operator_id),))
        places = self.office.hours.turns(UnixMs(self.at), 100)
        self.office.look_at_hours(places, self.now)

    def told(self, office: Office | None = None) -> list[tuple[Subject, Report]]:
        return (office or self.office).reports(self.now, 100)

    def commands(self) -> list[str]:
        return [report.command for _, report in self.told()]

    def answer(self, told: Iterable[tuple[Subject, Report]], *, refused: bool = False) -> None:
        for subject, report in told:
            self.office.answered(subject, report, self.now, refused=refused)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- sessions -------------------------------------------------------------------------------


def test_st03_a_lease_that_ran_out_is_reported_until_it_is_answered(scene: Scene) -> None:
    scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.after(LEASE_MS - 1)
    assert scene.told() == []
    scene.after(1)
    (subject, report), *rest = scene.told()
    assert rest == []
    assert report.command == "session_lapsed"
    assert msgspec.json.decode(report.body) == {"operator_id": "ana", "session_id": "desk"}
    assert scene.told() == []
    scene.office.put((subject,))  # nobody answered
    assert scene.told() == [(subject, report)]
    scene.answer([(subject, report)])
    scene.office.put((subject,))
    assert scene.told() == []


def test_st03_a_report_that_is_not_true_any_more_is_not_sent(scene: Scene) -> None:
    scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.after(LEASE_MS)
    assert scene.leases.renew(Session(W, ANA, DESK), scene.elapsed)
    assert scene.told() == []


def test_st03_ids_are_the_same_for_all_and_new_after_news(scene: Scene) -> None:
    """So that two instances, or a second try, are one report, and a second lapse is another."""
    log = scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.after(LEASE_MS)
    (first,) = scene.told()
    again = Scene()
    again.happens(e.OperatorLoggedIn(ANA, DESK))
    again.after(LEASE_MS + 12_345)
    assert again.told() == [first]
    scene.answer([first])
    scene.happens(e.SessionLapsed(ANA, DESK))
    scene.happens(e.SessionReturned(ANA, DESK))
    scene.after(LEASE_MS)
    (second,) = scene.told()
    assert second[1].command == first[1].command
    assert second[1].command_id != first[1].command_id
    assert len(log) == 2


def test_st03_what_was_heard_is_judged_by_the_log_as_it_was_then(scene: Scene) -> None:
    """The log-in is known to be in the log before it was read: that is no reason to report."""
    written = scene.happens(e.OperatorLoggedIn(ANA, DESK), unread=True)
    assert scene.office.hear(Session(W, ANA, DESK), scene.now, scene.position)
    assert scene.told() == []
    assert not scene.office.may_go_on()
    scene.office.take(written, scene.now)
    assert scene.told() == []
    assert scene.office.hear(Session(W, ANA, SessionId("tab")), scene.now, scene.position)
    assert scene.commands() == ["session_returned"]


def test_st03_heartbeats_of_long_ago_bring_nobody_back(scene: Scene) -> None:
    """The router was away for longer than a lease."""
    scene.office.hear(Session(W, ANA, DESK), scene.now, scene.position)
    (told,) = scene.told()
    scene.after(LEASE_MS + 1)
    scene.office.put((told[0],))
    assert scene.told() == []


def test_st04_what_logged_out_is_not_reported_back(scene: Scene) -> None:
    scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.happens(e.OperatorLoggedOut(ANA, DESK))
    scene.office.hear(Session(W, ANA, DESK), scene.now, scene.position)
    assert scene.told() == []
    assert len(scene.leases) == 0


def test_st03_a_refusal_holds_for_every_new_session_until_there_is_news(scene: Scene) -> None:
    scene.office.hear(Session(W, ANA, SessionId("one")), scene.now, scene.position)
    scene.answer(scene.told(), refused=True)
    scene.office.hear(Session(W, ANA, SessionId("two")), scene.now, scene.position)
    assert scene.told() == []
    scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.office.hear(Session(W, ANA, SessionId("two")), scene.now, scene.position)
    assert scene.commands() == ["session_returned"]


def test_st13_after_a_stall_everybody_has_a_whole_lease(scene: Scene) -> None:
    scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.after(LEASE_MS)
    scene.leases.start_afresh(scene.elapsed)
    scene.idleness.start_afresh(scene.elapsed)
    assert scene.told() == []
    scene.after(LEASE_MS)
    assert scene.commands() == ["session_lapsed"]


# --- idleness -------------------------------------------------------------------------------


def test_st05_who_did_something_while_the_report_was_under_way_is_active_again(
    scene: Scene,
) -> None:
    scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.after(899_999)
    scene.leases.renew(Session(W, ANA, DESK), scene.elapsed)
    scene.told()
    scene.after(1)
    (told,) = scene.told()
    assert told[1].command == "operator_idle"
    scene.office.stir(ANA, scene.now)
    scene.happens(e.OperatorIdle(ANA))
    assert scene.commands() == ["operator_active"]


def test_st05_nobody_is_idle_who_is_not_there(scene: Scene) -> None:
    scene.happens(e.OperatorLoggedIn(ANA, DESK))
    scene.happens(e.SessionLapsed(ANA, DESK))
    assert len(scene.idleness) == 0
    scene.happens(e.SessionReturned(ANA, DESK))
    assert len(scene.idleness) == 1
    scene.happens(e.OperatorRemoved(ANA))
    assert len(scene.idleness) == len(scene.leases) == 0


# --- hours ----------------------------------------------------------------------------------


def test_st07_hours_are_reported_at_their_boundary_and_once(scene: Scene) -> None:
    scene.happens(e.ScheduleSet(None, None, OFFICE_HOURS))
    scene.after(5 * HOUR_MS - 1)
    assert scene.told() == []
    scene.after(1)
    told = scene.told()
    assert [report.command for _, report in told] == ["shift_ended"]
    scene.answer(told)
    scene.happens(e.ShiftEnded(ANA))
    scene.after(16 * HOUR_MS)
    (started,) = scene.told()
    fields = msgspec.json.decode(started[1].body)
    assert fields == {"operator_id": "ana", "auto_online": True}


def test_st07_whose_clock_is_a_little_ahead_is_not_contradicted(scene: Scene) -> None:
    scene.happens(e.ScheduleSet(ANA, None, OFFICE_HOURS))
    scene.after(5 * HOUR_MS - AHEAD_MS)
    scene.happens(e.ShiftEnded(ANA))
    assert scene.told() == []


def test_st07_two_that_disagree_do_not_fight(scene: Scene) -> None:
    """Another instance takes the zone to be elsewhere: each says its own once a minute at most."""
    scene.happens(e.ScheduleSet(ANA, None, OFFICE_HOURS))
    scene.happens(e.ShiftEnded(ANA))
    said = 0
    for _ in range(60):
        told = scene.told()
        if told:
            said += 1
            scene.answer(told)
            scene.happens(e.ShiftStarted(ANA, goes_online=False))
            scene.happens(e.ShiftEnded(ANA))
        scene.after(CONTRADICTED_MS // 20)
    assert said == 3


def test_st07_hours_that_change_are_not_held_against_their_reports(scene: Scene) -> None:
    closed = msgspec.structs.replace(OFFICE_HOURS, weekly={})
    for _ in range(3):
        scene.happens(e.ScheduleSet(ANA, None, closed))
        told = scene.told()
        assert [report.command for _, report in told] == ["shift_ended"]
        scene.answer(told)
        scene.happens(e.ShiftEnded(ANA))
        scene.happens(e.ScheduleSet(ANA, None, None))
        told = scene.told()
        assert [report.command for _, report in told] == ["shift_started"]
        scene.answer(told)
        scene.happens(e.ShiftStarted(ANA, goes_online=False))


def test_st07_of_a_zone_that_nobody_knows_nothing_is_said(scene: Scene) -> None:
    lost = msgspec.structs.replace(OFFICE_HOURS, timezone="Mars/Olympus", weekly={})
    scene.happens(e.ScheduleSet(ANA, None, lost))
    assert list(scene.office.hours.unknown_zones) == ["Mars/Olympus"]
    scene.after(24 * HOUR_MS)
    assert scene.told() == []


def test_st07_a_clock_that_is_set_back_is_followed(scene: Scene) -> None:
    scene.happens(e.ScheduleSet(ANA, None, OFFICE_HOURS))
    scene.after(6 * HOUR_MS)
    scene.answer(scene.told())
    scene.happens(e.ShiftEnded(ANA))
    scene.at -= 3 * HOUR_MS
    scene.office.look_at_hours(scene.office.hours.set_back(UnixMs(scene.at)), scene.now)
    assert scene.commands() == ["shift_started"]
    scene.after(3 * HOUR_MS)
    assert scene.told() == []


def test_st07_half_a_long_list_leaves_the_rest_for_later(scene: Scene) -> None:
    for number in range(150):
        name = OperatorId(f"op{number}")
        scene.happens(msgspec.structs.replace(REGISTERED, operator_id=name))
    closed = msgspec.structs.replace(OFFICE_HOURS, weekly={})
    scene.happens(e.ScheduleSet(None, None, closed))
    told = [*scene.told(), *scene.told()]
    assert len({subject for subject, _ in told}) == len(told) == 151
    assert not scene.office.may_go_on()
