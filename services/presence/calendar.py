"""Whether a schedule is open at an instant, and when that changes: zones, nights, exceptions.

Opening is inclusive, closing exclusive. A span belongs to the day on which it begins; a dated
exception replaces what begins on that date. Zones come from the ``tzdata`` package alone, so that
all processes of one release agree, whatever their machines know.
"""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from shared.routing.ids import UnixMs
from shared.routing.schedule import DAYS, Schedule, TimeOfDay

_NEAR_DAYS, _FAR_DAYS = 3, 10
"""How far to look in both directions: most changes are near, and a week repeats itself."""
_DAY = dt.timedelta(days=1)
_MILLISECOND = dt.timedelta(milliseconds=1)
_SECOND = dt.timedelta(seconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Interval = tuple[UnixMs, UnixMs]


class Stretch(NamedTuple):
    """How a schedule stands for a while around an instant."""

    open: bool
    since: UnixMs | None
    """When it became so; null if that was more than a week ago."""
    until: UnixMs
    """When to look again: at the next change, or in a week if there is none before."""


def stretch_at(schedule: Schedule, zone: ZoneInfo, at: UnixMs) -> Stretch:
    """The stretch that ``at`` lies in. Spans that touch are one stretch, also over midnight."""
    stretch, found = _look(schedule, zone, at, _NEAR_DAYS)
    return stretch if found else _look(schedule, zone, at, _FAR_DAYS)[0]


@lru_cache(maxsize=1_024)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone with this IANA name; none if there is none."""
    parts = name.split("/")
    if not all(part and set(part) <= _ZONE_LETTERS for part in parts):
        return None
    file = resources.files("tzdata").joinpath("zoneinfo", *parts)
    try:
        with file.open("rb") as opened:
            return ZoneInfo.from_file(opened, key=name)
    except (OSError, ValueError):
        return None


_ZONE_LETTERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-")


def _look(schedule: Schedule, zone: ZoneInfo, at: UnixMs, days: int) -> tuple[Stretch, bool]:
    """The stretch as far as ``days`` around show it, and whether they show both of its ends.

    What begins before the first day may last until the end of the next one, and what ends with
    the last day may go on: so neither is looked at.
    """
    today = (_EPOCH + at * _MILLISECOND).astimezone(zone).date()
    intervals = _intervals(schedule, zone, today - days * _DAY, 2 * days + 1)
    earliest = _instant(zone, _midnight(today - (days - 2) * _DAY), "opening")
    latest = _instant(zone, _midnight(today + days * _DAY), "opening")
    edges = [edge for interval in intervals for edge in interval]
    before = [edge for edge in edges if earliest <= edge <= at]
    after = [edge for edge in edges if at < edge < latest]
    is_open = any(begins <= at < ends for begins, ends in intervals)
    stretch = Stretch(is_open, before[-1] if before else None, after[0] if after else latest)
    return stretch, bool(before and after)


def _intervals(schedule: Schedule, zone: ZoneInfo, first: dt.date, days: int) -> Sequence[Interval]:
    """When it is open of all that begins on these days, in order and without touching spans."""
    found = []
    for number in range(days):
        day = first + number * _DAY
        spans = schedule.exceptions.get(day.isoformat())
        if spans is None:
            spans = schedule.weekly.get(DAYS[day.weekday()], ())
        for start, end in spans:
            begins, ends = _midnight(day) + _since_midnight(start), _midnight(day)
            ends += _since_midnight(end) + (_DAY if end < start else 0 * _DAY)
            found.append((_instant(zone, begins, "opening"), _instant(zone, ends, "closing")))
    merged: list[Interval] = []
    for begins_at, ends_at in sorted(found):
        if begins_at >= ends_at:  # all of it lies where clocks were set forward
            continue
        if merged and begins_at <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends_at))
        else:
            merged.append((begins_at, ends_at))
    return merged


def _instant(zone: ZoneInfo, local: dt.datetime, edge: Literal["opening", "closing"]) -> UnixMs:
    """When the zone's clocks show ``local``.

    Of two such instants an opening takes the first and a closing the second. Where there is none
    it is the one at which the clocks were set forward past it.
    """
    first, second = _offset(zone, local), _offset(zone, local.replace(fold=1))
    if first < second:
        return _first_with(zone, second, local - second, local - first)
    return _unix_ms(local - (first if edge == "opening" else second))


def _offset(zone: ZoneInfo, local: dt.datetime) -> dt.timedelta:
    offset = zone.utcoffset(local)
    assert offset is not None  # as it is for a time only that has none
    return offset


def _first_with(
    zone: ZoneInfo, offset: dt.timedelta, before: dt.datetime, by: dt.datetime
) -> UnixMs:
    """The first whole second after ``before`` and not after ``by``, in UTC, with this offset."""
    low, high = 0, (by - before) // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        at = (before + middle * _SECOND).replace(tzinfo=dt.UTC).astimezone(zone)
        if at.utcoffset() == offset:
            high = middle
        else:
            low = middle
    return _unix_ms(before + high * _SECOND)


def _unix_ms(utc: dt.datetime) -> UnixMs:
    return UnixMs((utc.replace(tzinfo=dt.UTC) - _EPOCH) // _MILLISECOND)


def _midnight(day: dt.date) -> dt.datetime:
    """By clocks that show local time; without a zone."""
    return dt.datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the zone is applied later


def _since_midnight(time: TimeOfDay) -> dt.timedelta:
    return dt.timedelta(hours=int(time[:2]), minutes=int(time[3:]))
