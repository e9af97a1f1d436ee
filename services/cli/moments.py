"""Times as people say and read them: from words to a moment of the log, and back, in one zone."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.routing.ids import UnixMs
from shared.wire.audit import NOW, Moment

FORMS = (
    "14:03 or 14:03:20, yesterday 14:03, 2026-03-01, 2026-03-01T14:03:20+01:00 (without an offset: "
    "in the zone), 10 minutes ago, 2h ago, now, 1772370200000 (Unix ms), @POSITION"
)
"""What ``read_moment`` takes."""

QUIET_MS = 3_600_000
"""For so long after its last event a log may go on in which nothing happens."""

_UNITS_S: Mapping[str, int] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}
_AGO = re.compile(r"(\d{1,9}|an?) ?([a-z]+) ago")
_DURATION = re.compile(r"(\d{1,9}) ?([a-z]*)")
_CLOCK = re.compile(r"(?:(today|yesterday) (?:at )?)?(\d{1,2}):(\d\d)(?::(\d\d))?")
_POSITION = re.compile(r"@(\d{1,15})")
_UNIX_MS = re.compile(r"\d{13}")


class Now(NamedTuple):
    """What times are told by: the zone, the time now, and the time of the log's last event."""

    zone: ZoneInfo
    now: UnixMs
    head_at: UnixMs


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this name. Raises ``ValueError``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}: one like Europe/Berlin") from None


# --- reading --------------------------------------------------------------------------------


def read_moment(text: str, by: Now) -> Moment:
    """What somebody means by a time.

    A time of day alone is the last such time that the log reaches, give or take a quiet hour at its
    end: today's, or that of an earlier day. Where a clock is set back, the first of two is meant.
    Raises ``ValueError`` that lists the forms.
    """
    words = " ".join(text.split())
    said = words.lower()
    if said == "now":
        return NOW
    if found := _POSITION.fullmatch(said):
        return Moment(position=int(found[1]))
    if _UNIX_MS.fullmatch(said):
        return Moment(at=int(said))
    at = _ago(said, by) or _on_the_clock(said, by) or _iso(words, by)
    if at is None or at < 0:
        raise ValueError(f"{text!r} is no time: {FORMS}")
    return Moment(at=at)


def _ago(said: str, by: Now) -> int | None:
    found = _AGO.fullmatch(said)
    if found is None or found[2] not in _UNITS_S:
        return None
    count = 1 if found[1].startswith("a") else int(found[1])
    return by.now - count * _UNITS_S[found[2]] * 1_000


def _on_the_clock(said: str, by: Now) -> int | None:
    found = _CLOCK.fullmatch(said)
    if found is None:
        return None
    try:
        clock = time_of_day(int(found[2]), int(found[3]), int(found[4] or 0))
    except ValueError:
        return None
    today = datetime.fromtimestamp(by.now / 1_000, by.zone).date()
    if found[1] is not None:
        return _at(today - timedelta(days=found[1] == "yesterday"), clock, by.zone)
    latest = min(by.now, by.head_at + QUIET_MS)
    day = min(today, datetime.fromtimestamp(latest / 1_000, by.zone).date())
    at = _at(day, clock, by.zone)
    return at if at <= latest else _at(day - timedelta(days=1), clock, by.zone)


def _at(day: date, clock: time_of_day, zone: ZoneInfo) -> int:
    return _ms(datetime.combine(day, clock, zone))


def _iso(words: str, by: Now) -> int | None:
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        return None
    return _ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=by.zone))


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def read_seconds(text: str) -> int:
    """A duration, as ``90``, ``90s``, ``4m`` or ``1 hour``, in seconds. Raises ``ValueError``."""
    found = _DURATION.fullmatch(text.strip().lower())
    unit = found[2] or "s" if found else ""
    if found is None or unit not in _UNITS_S:
        raise ValueError(f"{text!r} is no duration: one like 90, 90s, 4m or 1h")
    return int(found[1]) * _UNITS_S[unit]


# --- showing --------------------------------------------------------------------------------


class Clock(NamedTuple):
    """Shows times as the clocks of one zone did."""

    zone: ZoneInfo

    def named(self, at: int) -> str:
        """Day, time and zone: ``2026-03-01 14:03:20 Europe/Berlin``."""
        return f"{self.full(at)} {self.zone.key}"

    def full(self, at: int) -> str:
        """Day and time: ``2026-03-01 14:03:20``."""
        return f"{self._moment(at):%Y-%m-%d %H:%M:%S}"

    def beside(self, at: int, other: int) -> str:
        """The time, with its day unless that is the day of the other time."""
        same = self._moment(at).date() == self._moment(other).date()
        return f"{self._moment(at):%H:%M:%S}" if same else self.full(at)

    def _moment(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / 1_000, self.zone)


def duration(ms: int) -> str:
    """A duration in its two largest units: ``4 min 1 s``."""
    if ms < 1_000:
        return f"{ms} ms"
    seconds = ms // 1_000
    parts = ((seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "min"))
    shown = [(count, unit) for count, unit in (*parts, (seconds % 60, "s"))]
    first = next(index for index, (count, _) in enumerate(shown) if count)
    return " ".join(f"{count} {unit}" for count, unit in shown[first : first + 2] if count)
