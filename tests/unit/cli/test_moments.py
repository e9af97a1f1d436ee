"""Times as people write them, read as moments; and moments shown as times."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.cli.moments import (
    FORMS,
    Clock,
    Now,
    duration,
    read_moment,
    read_seconds,
    zone_named,
)
from shared.routing.ids import UnixMs
from shared.wire.audit import Moment

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str) -> UnixMs:
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return UnixMs(round(moment.timestamp() * 1_000))


NOW = ms("2026-03-11T15:00:00+01:00")
BY = Now(BERLIN, NOW, NOW)


def meant(text: str, by: Now = BY) -> int:
    moment = read_moment(text, by)
    assert moment.at is not None
    return moment.at


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-10T14:03:20+01:00", "2026-03-10T14:03:20+01:00"),
        ("2026-03-10T13:03:20Z", "2026-03-10T14:03:20+01:00"),
        ("2026-03-10T14:03:20.250+01:00", "2026-03-10T14:03:20.250+01:00"),
        ("2026-03-10T14:03", "2026-03-10T14:03:00+01:00"),
        ("2026-03-10 14:03:20", "2026-03-10T14:03:20+01:00"),
        ("2026-07-10 14:03", "2026-07-10T14:03:00+02:00"),
        ("2026-03-10", "2026-03-10T00:00:00+01:00"),
        ("14:03", "2026-03-11T14:03:00+01:00"),
        ("14:03:20", "2026-03-11T14:03:20+01:00"),
        ("9:05", "2026-03-11T09:05:00+01:00"),
        ("today 14:03", "2026-03-11T14:03:00+01:00"),
        ("yesterday 14:03", "2026-03-10T14:03:00+01:00"),
        ("Yesterday at 14:03:20", "2026-03-10T14:03:20+01:00"),
        ("10 minutes ago", "2026-03-11T14:50:00+01:00"),
        ("1 minute ago", "2026-03-11T14:59:00+01:00"),
        ("an hour ago", "2026-03-11T14:00:00+01:00"),
        ("a day ago", "2026-03-10T15:00:00+01:00"),
        ("2h ago", "2026-03-11T13:00:00+01:00"),
        ("90 s ago", "2026-03-11T14:58:30+01:00"),
        ("5min ago", "2026-03-11T14:55:00+01:00"),
        ("  2   hours  ago ", "2026-03-11T13:00:00+01:00"),
        ("2 weeks ago", "2026-02-25T15:00:00+01:00"),
    ],
)
def test_au04_times_as_people_write_them(text: str, expected: str) -> None:
    assert meant(text) == ms(expected)


def test_au04_now_a_position_and_milliseconds() -> None:
    assert read_moment("now", BY) == Moment()
    assert read_moment("@4711", BY) == Moment(position=4711)
    assert read_moment("@0", BY) == Moment(position=0)
    assert read_moment("1773222067000", BY) == Moment(at=1_773_222_067_000)


@pytest.mark.parametrize(
    ("text", "head_at", "expected"),
    [
        # In the future: yesterday's.
        ("15:01", "2026-03-11T15:00:00+01:00", "2026-03-10T15:01:00+01:00"),
        # The log ended this morning.
        ("14:10", "2026-03-11T09:41:07+01:00", "2026-03-10T14:10:00+01:00"),
        ("09:41", "2026-03-11T09:41:07+01:00", "2026-03-11T09:41:00+01:00"),
        # Nothing has happened for a while, or nothing goes on there any more.
        ("14:59", "2026-03-11T14:20:00+01:00", "2026-03-11T14:59:00+01:00"),
        ("14:59", "2026-03-11T13:58:00+01:00", "2026-03-10T14:59:00+01:00"),
        # The log ended long ago.
        ("14:10", "2025-12-24T13:00:00+01:00", "2025-12-23T14:10:00+01:00"),
        ("14:10", "2025-07-24T18:00:00+02:00", "2025-07-24T14:10:00+02:00"),
        ("13:10", "2025-12-24T13:00:00+01:00", "2025-12-24T13:10:00+01:00"),
        # Its clock went ahead of ours.
        ("15:01", "2026-03-11T15:02:00+01:00", "2026-03-10T15:01:00+01:00"),
    ],
)
def test_au04_a_time_of_day_is_the_last_one_that_the_log_reaches(
    text: str, head_at: str, expected: str
) -> None:
    assert meant(text, Now(BERLIN, NOW, ms(head_at))) == ms(expected)


def test_au04_a_day_that_is_named_is_meant_even_where_the_log_ends_before() -> None:
    by = Now(BERLIN, NOW, ms("2025-12-24T13:00:00+01:00"))
    assert meant("yesterday 14:03", by) == ms("2026-03-10T14:03:00+01:00")


def test_au04_the_zone_decides_which_day_it_is() -> None:
    late = ms("2026-03-11T23:30:00+00:00")
    auckland = Now(ZoneInfo("Pacific/Auckland"), late, late)
    assert meant("08:00", auckland) == ms("2026-03-12T08:00:00+13:00")
    assert meant("08:00", Now(ZoneInfo("UTC"), late, late)) == ms("2026-03-11T08:00:00+00:00")


def test_au04_where_clocks_are_set_the_first_of_two_and_the_one_after_a_gap() -> None:
    autumn, spring = ms("2026-10-25T12:00:00+01:00"), ms("2026-03-29T12:00:00+02:00")
    assert meant("02:30", Now(BERLIN, autumn, autumn)) == ms("2026-10-25T02:30:00+02:00")
    assert meant("02:30", Now(BERLIN, spring, spring)) == ms("2026-03-29T03:30:00+02:00")
    assert meant("yesterday 12:00", Now(BERLIN, spring, spring)) == ms("2026-03-28T12:00:00+01:00")


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "25:00", "14:60", "14.03", "tomorrow 14:03", "2026-13-01", "10 parsecs ago"),
        *(
            "ago",
            "-5 minutes ago",
            "@",
            "@-1",
            "@x",
            "177322206700",
            "2026-03-10T25:00",
            "1960-01-01",
        ),
    ],
)
def test_au04_what_is_no_time_is_answered_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="is no time") as raised:
        read_moment(text, BY)
    assert FORMS in str(raised.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("4m", 240),
        ("4 min", 240),
        ("1 hour", 3_600),
        ("0", 0),
        ("2d", 172_800),
    ],
)
def test_durations_as_people_write_them(text: str, seconds: int) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1.5m", "4 parsecs", "m4"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        read_seconds(text)


@pytest.mark.parametrize(
    ("its_ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (59_999, "59 s"),
        (240_000, "4 min"),
        (241_000, "4 min 1 s"),
        (3_600_000, "1 h"),
        (3_605_000, "1 h"),
        (5_300_000, "1 h 28 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_durations_are_shown_in_their_two_largest_units(its_ms: int, text: str) -> None:
    assert duration(its_ms) == text


def test_times_are_shown_with_their_zone() -> None:
    clock = Clock(BERLIN)
    at = ms("2026-07-10T12:03:20+00:00")
    assert clock.named(at) == "2026-07-10 14:03:20 Europe/Berlin"
    assert clock.beside(at, at - 3_600_000) == "14:03:20"
    assert clock.beside(at, at - 86_400_000) == "2026-07-10 14:03:20"


@pytest.mark.parametrize("at", range(NOW - 400 * 86_400_000, NOW, 37 * 86_400_000 + 5_000))
def test_au04_what_is_shown_can_be_typed_in_again(at: int) -> None:
    assert meant(Clock(BERLIN).full(at)) == at


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd", "Europe"])
def test_a_zone_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        zone_named(name)
