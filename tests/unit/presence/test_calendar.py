"""Schedules in time zones, told minute by minute by a second, slow implementation."""

import datetime as dt
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.presence.calendar import Stretch, stretch_at, zone_of
from shared.routing.ids import UnixMs
from shared.routing.schedule import DAYS, Schedule, Spans, Weekday

BERLIN = "Europe/Berlin"
ZONES = (
    BERLIN,
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "UTC",
)
MINUTE_MS = 60_000
DAY_MS = 1_440 * MINUTE_MS


def hours(
    weekly: dict[Weekday, Spans] | Spans, exceptions: dict[str, Spans] | None = None
) -> Schedule:
    """``weekly``: by day, or the same for every day."""
    by_day = weekly if isinstance(weekly, dict) else dict.fromkeys(DAYS, weekly)
    return Schedule(weekly=by_day, exceptions=exceptions or {}, timezone=None, auto_online=True)


def ms(iso: str) -> UnixMs:
    """``2026-03-02T09:00+01:00`` in milliseconds."""
    return UnixMs(int(dt.datetime.fromisoformat(iso).timestamp()) * 1_000)


def at(schedule: Schedule, iso: str, zone: str = BERLIN) -> Stretch:
    found = zone_of(zone)
    assert found is not None
    return stretch_at(schedule, found, ms(iso))


def is_open(schedule: Schedule, iso: str, zone: str = BERLIN) -> bool:
    return at(schedule, iso, zone).open


# --- by hand --------------------------------------------------------------------------------

OFFICE = hours({"mon": (("09:00", "17:00"),), "fri": (("09:00", "12:00"), ("13:00", "17:00"))})
NIGHT = hours({"mon": (("22:00", "06:00"),)})
ALWAYS = hours((("00:00", "24:00"),))


def test_st07_b05_opening_is_inclusive_and_closing_exclusive() -> None:
    assert at(OFFICE, "2026-03-02T09:00+01:00") == Stretch(
        True, ms("2026-03-02T09:00+01:00"), ms("2026-03-02T17:00+01:00")
    )
    assert not is_open(OFFICE, "2026-03-02T08:59+01:00")
    assert is_open(OFFICE, "2026-03-02T16:59+01:00")
    closed = at(OFFICE, "2026-03-02T17:00+01:00")
    assert closed == Stretch(False, ms("2026-03-02T17:00+01:00"), ms("2026-03-06T09:00+01:00"))


def test_st07_several_spans_a_day() -> None:
    assert not is_open(OFFICE, "2026-03-06T12:30+01:00")
    assert is_open(OFFICE, "2026-03-06T13:00+01:00")


def test_st07_b01_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    opened = {
        "2026-03-01T23:00+01:00": False,
        "2026-03-02T05:00+01:00": False,
        "2026-03-02T23:00+01:00": True,
        "2026-03-03T05:00+01:00": True,
        "2026-03-03T06:00+01:00": False,
        "2026-03-03T23:00+01:00": False,
    }
    assert {when: is_open(NIGHT, when) for when in opened} == opened


def test_st07_spans_that_meet_at_midnight_are_one_stretch() -> None:
    """Nobody goes off shift for no time at all."""
    split = hours({"mon": (("22:00", "24:00"),), "tue": (("00:00", "06:00"),)})
    stretch = Stretch(True, ms("2026-03-02T22:00+01:00"), ms("2026-03-03T06:00+01:00"))
    assert at(split, "2026-03-02T23:59+01:00") == stretch
    assert at(split, "2026-03-03T00:00+01:00") == stretch


def test_st07_who_is_always_open_never_changes() -> None:
    stretch = at(ALWAYS, "2026-03-02T12:00+01:00")
    assert stretch.open
    assert stretch.since is None
    assert stretch.until - ms("2026-03-02T12:00+01:00") > 7 * DAY_MS
    closed = at(hours({}), "2026-03-02T12:00+01:00")
    assert not closed.open
    assert closed.since is None


def test_st07_an_exception_replaces_its_day_and_leaves_the_night_before() -> None:
    nights = hours((("22:00", "06:00"),), {"2026-12-25": (), "2026-12-26": (("10:00", "11:00"),)})
    assert is_open(nights, "2026-12-25T05:00+01:00")
    assert not is_open(nights, "2026-12-25T23:00+01:00")
    assert not is_open(nights, "2026-12-26T05:00+01:00")
    assert is_open(nights, "2026-12-26T10:30+01:00")
    assert not is_open(nights, "2026-12-26T23:00+01:00")
    assert is_open(nights, "2026-12-27T23:00+01:00")


def test_st07_a_time_that_clocks_jump_over_is_the_instant_after() -> None:
    """In Berlin 02:00 to 03:00 is missing on 29 March 2026."""
    gap = ms("2026-03-29T03:00+02:00")
    assert at(hours((("02:30", "06:00"),)), "2026-03-29T04:00+02:00").since == gap
    assert at(hours((("00:00", "02:30"),)), "2026-03-29T01:00+01:00").until == gap
    assert not is_open(hours((("02:10", "02:50"),)), "2026-03-29T03:00+02:00")


def test_st07_a_time_that_comes_twice_opens_first_and_closes_last() -> None:
    """In Berlin 02:00 to 03:00 comes twice on 25 October 2026."""
    opens = hours((("02:30", "06:00"),))
    assert at(opens, "2026-10-25T04:00+01:00").since == ms("2026-10-25T02:30+02:00")
    closes = hours((("00:00", "02:30"),))
    assert at(closes, "2026-10-25T01:00+02:00").until == ms("2026-10-25T02:30+01:00")


def test_st07_a_date_that_a_zone_left_out_has_no_hours() -> None:
    """Samoa went from 29 to 31 December 2011."""
    lost = hours({}, {"2011-12-30": (("09:00", "17:00"),)})
    assert not is_open(lost, "2011-12-30T20:00+00:00", "Pacific/Apia")
    always = at(ALWAYS, "2011-12-30T20:00+00:00", "Pacific/Apia")
    assert always.open
    assert always.since is None


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../zones", "/etc/localtime", "Europe", "__init__.py", "a\0b", "."]
)
def test_st07_what_is_no_zone_is_none(name: str) -> None:
    assert zone_of(name) is None


# --- against the slow one -------------------------------------------------------------------

FIRST, LAST = dt.date(2010, 1, 1), dt.date(2030, 12, 1)
BEFORE_DAYS, DAYS_SHOWN = 4, 4
_TIMES = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 1, 15, 30, 45, 59)]


@cache
def wall_clock(zone: str, day: dt.date, days: int) -> tuple[tuple[int, dt.datetime], ...]:
    """Every minute from ``day`` on, UTC, and what the clocks of the zone show in it."""
    found = zone_of(zone)
    assert found is not None
    start = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    minutes = (start + dt.timedelta(minutes=number) for number in range(days * 1_440))
    return tuple(
        (int(m.timestamp()) * 1_000, m.astimezone(found).replace(tzinfo=None, fold=0))
        for m in minutes
    )


def slowly(schedule: Schedule, zone: str, day: dt.date) -> dict[int, bool]:
    """Minute by minute from ``day`` on: whether any span covers it."""
    clock = wall_clock(zone, day - dt.timedelta(days=BEFORE_DAYS), BEFORE_DAYS + DAYS_SHOWN + 4)
    shown: dict[dt.datetime, list[int]] = {}
    for minute, local in clock:
        shown.setdefault(local, []).append(minute)
    covered: set[int] = set()
    for number in range(-BEFORE_DAYS + 1, DAYS_SHOWN + 2):
        date = day + dt.timedelta(days=number)
        spans = schedule.exceptions.get(date.isoformat())
        for start, end in schedule.weekly.get(DAYS[date.weekday()], ()) if spans is None else spans:
            begins, ends = _local(date, start), _local(date, end)
            ends += dt.timedelta(days=end < start)
            opening = shown[begins][0] if begins in shown else _after(clock, begins)
            closing = shown[ends][-1] if ends in shown else _after(clock, ends)
            covered.update(range(opening, closing, MINUTE_MS))
    first = ms(f"{day.isoformat()}T00:00+00:00")
    minutes = range(first, first + DAYS_SHOWN * DAY_MS, MINUTE_MS)
    return {minute: minute in covered for minute in minutes}


def _local(day: dt.date, time: str) -> dt.datetime:
    midnight = dt.datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a local time
    return midnight + dt.timedelta(hours=int(time[:2]), minutes=int(time[3:]))


def _after(clock: tuple[tuple[int, dt.datetime], ...], local: dt.datetime) -> int:
    """The instant at which the clocks jumped over ``local``."""
    return next(minute for (_, before), (minute, now) in pairwise(clock) if before < local < now)


spans = st.lists(
    st.tuples(st.sampled_from(_TIMES), st.sampled_from([*_TIMES, "24:00"])).filter(
        lambda span: span[0] != span[1]
    ),
    max_size=3,
).map(tuple)
days = st.dates(FIRST, LAST)
# Around the nights in which some of these zones put their clocks forward or back.
turns = st.sampled_from(
    [
        dt.date(2026, 3, 27),
        dt.date(2026, 10, 23),
        dt.date(2026, 3, 6),
        dt.date(2026, 10, 30),
        dt.date(2026, 4, 3),
        dt.date(2026, 10, 2),
        dt.date(2026, 2, 13),
        dt.date(2026, 3, 20),
        dt.date(2018, 10, 26),
    ]
)


@given(
    zone=st.sampled_from(ZONES),
    day=days | turns,
    weekly=st.dictionaries(st.sampled_from(DAYS), spans),
    exceptions=st.dictionaries(st.integers(-2, 5), spans, max_size=2),
)
@example("Australia/Lord_Howe", dt.date(2026, 4, 3), {"sun": (("01:45", "24:00"),)}, {})
@settings(max_examples=150, deadline=None)
def test_st07_every_minute_is_as_the_slow_one_says(
    zone: str, day: dt.date, weekly: dict[Weekday, Spans], exceptions: dict[int, Spans]
) -> None:
    dated = {
        (day + dt.timedelta(days=number)).isoformat(): closed
        for number, closed in exceptions.items()
    }
    schedule = hours(weekly, dated)
    expected = slowly(schedule, zone, day)
    found = zone_of(zone)
    assert found is not None
    now = next(iter(expected))
    last = now + DAYS_SHOWN * DAY_MS
    before: Stretch | None = None
    while now < last:
        stretch = stretch_at(schedule, found, UnixMs(now))
        assert stretch.until > now
        assert stretch.since is None or stretch.since <= now
        if before is not None and stretch.since is not None:
            assert stretch.since == now, "a stretch begins where the one before it ends"
            assert stretch.open != before.open
        shown = range(now, min(stretch.until, last), MINUTE_MS)
        assert {expected[minute] for minute in shown} == {stretch.open}
        middle = UnixMs((now + stretch.until) // 2)
        assert stretch_at(schedule, found, middle).until >= stretch.until
        before, now = stretch, stretch.until
