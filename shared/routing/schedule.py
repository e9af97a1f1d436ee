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
Weekly = dict[Weekday, Spans]
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
