"""Leases and idle times against models that look at everybody every time."""

from hypothesis import given
from hypothesis import strategies as st

from services.presence.idleness import Idleness, Person
from services.presence.sessions import Leases, Session
from shared.routing.ids import OperatorId, SessionId, WorkspaceId

LEASE_MS = 45
NAMES = ("a", "b", "c", "d")
W = WorkspaceId("w")

steps = st.lists(
    st.tuples(
        st.sampled_from(("give", "renew", "drop", "run_out", "afresh")),
        st.sampled_from(NAMES),
        st.integers(0, 30),
        st.integers(0, 3),
    ),
    max_size=60,
)


def _session(name: str) -> Session:
    return Session(W, OperatorId(name), SessionId("s"))


@given(steps)
def test_st03_a_lease_runs_out_when_it_was_not_renewed_for_so_long(
    told: list[tuple[str, str, int, int]],
) -> None:
    leases, heard, handed_out = Leases(LEASE_MS), dict[Session, int](), set[Session]()
    now = proven = 0
    for what, name, later, at_most in told:
        now += later
        session = _session(name)
        match what:
            case "give":
                leases.give(session, now)
                heard[session] = now
                handed_out.discard(session)
            case "renew":
                assert leases.renew(session, now) == (session in heard)
                if session in heard:
                    heard[session] = now
                    handed_out.discard(session)
            case "drop":
                leases.drop(session)
                heard.pop(session, None)
                handed_out.discard(session)
            case "afresh":
                leases.start_afresh(now)
                heard = dict.fromkeys(heard, now)
                handed_out.clear()
            case _:
                proven = max(proven, now - 7)
                found = leases.run_out(proven, at_most)
                late = {one for one, at in heard.items() if at + LEASE_MS <= proven} - handed_out
                assert len(found) == min(at_most, len(late))
                assert set(found) <= late
                handed_out.update(found)
        assert len(leases) == len(heard)
        assert all(session in leases for session in heard)
        assert {one for one in map(_session, NAMES) if leases.is_over(one)} == handed_out


doings = st.lists(
    st.tuples(
        st.sampled_from(("watch", "watch", "act", "forget", "run_out", "run_out", "afresh")),
        st.sampled_from(NAMES),
        st.integers(0, 30),
        st.sampled_from((10, 25, 60)),
    ),
    max_size=80,
)


@given(doings)
def test_st05_idle_is_who_did_nothing_for_the_time_allowed(
    told: list[tuple[str, str, int, int]],
) -> None:
    idleness = Idleness()
    active, allowed = dict[Person, int](), dict[Person, int]()
    over = set[Person]()
    now = 0
    for what, name, later, number in told:
        now += later
        person = (W, OperatorId(name))
        match what:
            case "watch":
                idleness.watch(person, number, now)
                active.setdefault(person, now)
                if allowed.get(person) != number:
                    over.discard(person)
                allowed[person] = number
            case "act":
                assert idleness.act(person, now) == (person in active)
                if person in active:
                    active[person] = now
                    over.discard(person)
            case "forget":
                idleness.forget(person)
                active.pop(person, None)
                allowed.pop(person, None)
                over.discard(person)
            case "afresh":
                idleness.start_afresh(now)
                active = dict.fromkeys(active, now)
                over.clear()
            case _:
                found = idleness.run_out(now, 100)
                late = {one for one, at in active.items() if at + allowed[one] <= now}
                assert set(found) == late - over
                assert len(found) == len(set(found))
                over |= late
        assert len(idleness) == len(active)
        everybody = {(W, OperatorId(one)) for one in NAMES}
        assert {one for one in everybody if idleness.is_over(one)} == over


def test_st05_who_comes_and_goes_all_day_leaves_nothing_behind() -> None:
    idleness = Idleness()
    person = (W, OperatorId("ana"))
    for now in range(20_000):
        idleness.watch(person, 900_000, now)
        idleness.forget(person)
    assert len(idleness._turns) < 2_000
