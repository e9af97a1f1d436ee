"""What is remembered of visits, in which order, for how long, and how much at most."""

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.trigger_evaluator.lane import Job, Lane
from services.trigger_evaluator.sighting import Now
from services.trigger_evaluator.visit import PAGES_KEPT, SESSION_MS, VisitKey, Visits
from shared.routing.ids import EntryPointId, Position, SessionId, UnixMs, VisitorId, WorkspaceId
from shared.wire.views import PageView


def _key(visitor: str = "v-1", session: str = "s-1") -> VisitKey:
    return VisitKey(WorkspaceId("w"), VisitorId(visitor), SessionId(session))


def _view(url: str = "https://example.org/", **fields: Any) -> PageView:
    return PageView(
        session_id=SessionId("s-1"), entry_point_id=EntryPointId("site"), url=url, **fields
    )


def test_a_visit_counts_its_pages_and_keeps_what_later_views_leave_out() -> None:
    visits = Visits()
    visits.track(_key(), _view(country="FR", custom={"plan": "gold", "n": 1}), "1", 0)
    visit, page, repeated = visits.track(_key(), _view(custom={"n": None}), "2", 5_000)
    assert not repeated
    assert (page.pages_seen, page.country, page.since_ms, page.site_since_ms) == (2, "FR", 5_000, 0)
    assert page.custom == {"plan": "gold", "n": None}
    assert visit.page is page


def test_t03_the_same_view_again_is_no_other() -> None:
    visits = Visits()
    _, first, _ = visits.track(_key(), _view(), "1", 0)
    _, again, repeated = visits.track(_key(), _view("https://other.example/"), "1", 10)
    assert again is first
    assert repeated
    assert first.pages_seen == 1


def test_views_may_come_in_another_order_than_they_were_made() -> None:
    visits = Visits()
    visits.track(_key(), _view("https://example.org/2"), "2", 10_000)
    visit, late, _ = visits.track(_key(), _view("https://example.org/1"), "1", 10_500, ago_ms=400)
    assert late.since_ms == 10_100
    visit, early, _ = visits.track(_key(), _view("https://example.org/0"), "0", 11_000, ago_ms=950)
    assert [page.url[-1] for page in visit.pages] == ["2", "0", "1"]
    assert visit.page is late
    assert early.since_ms == 10_050


def test_a_moment_of_long_ago_or_to_come_is_taken_for_one_that_can_be() -> None:
    visits = Visits()
    _, page, _ = visits.track(_key(), _view(), "1", 10 * SESSION_MS, ago_ms=5 * SESSION_MS)
    assert page.since_ms == 9 * SESSION_MS
    _, page, _ = visits.track(_key("v-2"), _view(), "1", 10 * SESSION_MS, ago_ms=-1_000)
    assert page.since_ms == 10 * SESSION_MS


def test_fw12_a_session_ends_half_an_hour_after_its_last_view() -> None:
    visits = Visits()
    visits.track(_key(), _view(), "1", 0)
    visit, _, _ = visits.track(_key(), _view(), "2", SESSION_MS - 1)
    assert visit.visit_count == 1
    visit, page, _ = visits.track(_key(), _view(), "3", 2 * SESSION_MS - 1)
    assert (visit.session_id, visit.visit_count, page.returning) == ("s-1--again-2", 2, True)
    assert page.pages_seen == 1
    visit, _, _ = visits.track(_key(), _view(), "4", 4 * SESSION_MS)
    assert visit.session_id == "s-1--again-3"


def test_fw12_a_session_of_the_log_goes_on_after_a_restart() -> None:
    again = SessionId("s-1--again-2")
    visit, _, _ = Visits().track(_key(), _view(), "1", 0, going_on=again)
    assert visit.session_id == again
    visit, _, _ = Visits().track(_key(), _view(), "1", 0, going_on=SessionId("s-9"))
    assert visit.session_id == "s-1"


def test_visits_are_bounded_in_number_and_the_oldest_go() -> None:
    visits = Visits(visits_max=3)
    for number in range(5):
        visits.track(_key(f"v-{number}"), _view(), "1", number)
    assert len(visits) == 3
    assert visits.forgotten == 2
    assert visits.get(_key("v-0")) is None
    assert visits.get(_key("v-4")) is not None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4_000)), max_size=60))
def test_visits_are_bounded_in_bytes_and_the_count_is_right(seen: list[tuple[int, int]]) -> None:
    visits = Visits(bytes_max=10_000)
    for number, (visitor, size) in enumerate(seen):
        visits.track(_key(f"v-{visitor}"), _view("x" * size), str(number), number)
        assert visits.weight <= 10_000 or len(visits) == 1
    assert visits.weight == sum(visit.weight for visit in visits.of(WorkspaceId("w")))


def test_few_pages_of_a_visit_are_kept() -> None:
    visits = Visits()
    for number in range(50):
        visits.track(_key(), _view(), str(number), number)
    visit = visits.get(_key())
    assert visit is not None
    assert len(visit.pages) == PAGES_KEPT
    assert visit.pages_seen == 50


# --- the line -------------------------------------------------------------------------------


def _job(visitor: str, reply: str = "") -> Job:
    now = Now(UnixMs(0), 0)
    return Job(_key(visitor), now, Position(0), _view(), name=visitor, reply=reply)


def test_a_full_line_drops_the_oldest_that_nobody_waits_for() -> None:
    lane = Lane(views_max=3)
    assert all([lane.add(_job("a")), lane.add(_job("b", "_INBOX.b")), lane.add(_job("c"))])
    assert lane.add(_job("d", "_INBOX.d"))
    assert lane.add(_job("e", "_INBOX.e"))
    assert not lane.add(_job("f", "_INBOX.f"))
    assert not lane.add(_job("g"))
    assert (lane.waiting, lane.dropped) == (3, 3)
    taken = [job.name for job in iter(lane.take, None)]
    assert taken == ["b", "d", "e"]
    assert lane.waiting == 0


def test_a_visitor_who_is_being_served_waits_and_delays_nobody_else() -> None:
    lane = Lane()
    for visitor in ("a", "a", "b"):
        lane.add(_job(visitor))
    assert lane.take() is not None
    lane.serve(VisitorId("a"))
    other = lane.take()
    assert other is not None
    assert other.name == "b"
    assert lane.take() is None
    assert lane.waiting == 1
    assert lane.next_of(VisitorId("a")) is not None
    assert lane.next_of(VisitorId("a")) is None
    assert lane.waiting == 0
    lane.add(_job("a"))
    assert lane.take() is not None


def test_what_a_visit_takes_is_about_what_it_says() -> None:
    """The bound in bytes means something: the texts of pages are the most of a visit."""
    visits = Visits()
    title = "x" * 1_000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(2_000):
            url = f"https://example.org/{number}/" + "y" * 500
            visits.track(_key(f"v-{number}"), _view(url, title=f"{number}{title}"), "1", number)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert visits.weight < taken < 3 * visits.weight
