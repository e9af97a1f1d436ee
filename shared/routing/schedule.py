"""Weekly hours: when an operator is on shift, or an entry point open. Data, without a calendar.

What a schedule means at a given moment depends on time zones, which change; the presence service
works it out and reports shifts and hours as they begin and end.
"""

from typing import Annotated, Literal

import msgspec

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z")]
"""Local time, ``"09:00"``; ``"24:00"`` is the end of the day."""
Date = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z")]
Span = tuple[TimeOfDay, TimeOfDay]
"""From inclusive, to exclusive. One that ends before it begins ends on the next day."""
Spans = Annotated[tuple[Span, ...], msgspec.Meta(max_length=50)]
Weekly = Annotated[dict[Weekday, Spans], msgspec.Meta(max_length=7)]
Exceptions = Annotated[dict[Date, Spans], msgspec.Meta(max_length=1_000)]
"""What holds on a date instead of the day of the week; no spans: closed."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Hours by the day of the week; a day that is missing has none."""

    weekly: Weekly
    exceptions: Exceptions
    timezone: str | None
    """IANA zone; null is the workspace's."""
    auto_online: bool
    """A chosen ``offline`` from before the last shift is forgotten when a shift begins."""


class Fault(msgspec.Struct, frozen=True):
    """What no hours can be, and where it stands: ``weekly.mon[0]``."""

    path: str
    reason: str


DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MIN = 24 * 60
_DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def normal_weekly(weekly: Weekly) -> Weekly:
    """The same hours, said in one way: days in order without empty ones, spans by their start."""
    return {day: tuple(sorted(weekly[day])) for day in DAYS if weekly.get(day)}


def normal_exceptions(exceptions: Exceptions) -> Exceptions:
    """The same, by date."""
    return {date: tuple(sorted(spans)) for date, spans in sorted(exceptions.items())}


def fault_of(weekly: Weekly, exceptions: Exceptions) -> Fault | None:
    """The first thing that is wrong with these hours, if anything is."""
    for day, spans in weekly.items():
        fault = _fault_of_day(f"weekly.{day}", spans)
        if fault is not None:
            return fault
    for date, spans in exceptions.items():
        if not date_exists(date):
            return Fault(f"exceptions.{date}", "there is no such date in the calendar")
        fault = _fault_of_day(f"exceptions.{date}", spans)
        if fault is not None:
            return fault
    return None


def date_exists(date: Date) -> bool:
    """Whether ``"2028-02-29"`` is in the calendar, from the year 1 on."""
    year, month, day = (int(part) for part in date.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 29 if month == 2 and leap else _DAYS_OF_MONTH[month - 1]
    return year >= 1 and day <= last


def _fault_of_day(path: str, spans: Spans) -> Fault | None:
    taken: list[tuple[int, int, int]] = []
    for number, (start, end) in enumerate(spans):
        begins, ends = _minute(start), _minute(end)
        place = f"{path}[{number}]"
        if begins == ends:
            return Fault(place, 'a span cannot be empty; the whole day is ["00:00", "24:00"]')
        if begins == _DAY_MIN:
            return Fault(place, "a span cannot begin at 24:00: that is 00:00 of the next day")
        taken.append((begins, ends if ends > begins else ends + _DAY_MIN, number))
    free_from = 0
    for begins, ends, number in sorted(taken):
        if begins < free_from:
            return Fault(f"{path}[{number}]", "it overlaps another span of the same day")
        free_from = ends
    return None


def _minute(time: TimeOfDay) -> int:
    return int(time[:2]) * 60 + int(time[3:])
