"""Local times of the shop, and how much there is to do at each hour of its day."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from services.cli.sample.shop import ZONE
from services.presence.calendar import stretch_at, zone_of
from shared.routing.ids import UnixMs
from shared.routing.schedule import Schedule

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS

ARRIVALS = (3, 2, 2, 2, 2, 3, 5, 8, 13, 17, 21, 26, 32, 26, 19, 18, 18, 17, 16, 14, 11, 8, 6, 4)
"""Conversations that are opened in each hour of the day: a ramp, the noon, the evening, a night."""


def _zone() -> ZoneInfo:
    zone = zone_of(ZONE)
    assert zone is not None
    return zone


def local(at: UnixMs) -> dt.datetime:
    """What the shop's clock shows."""
    return dt.datetime.fromtimestamp(at / 1_000, _zone())


def latest(hour: int, minute: int, before: UnixMs) -> UnixMs:
    """The last time up to ``before`` at which the shop's clock showed this."""
    day = local(before)
    while True:
        moment = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        at = UnixMs(int(moment.timestamp()) * 1_000)
        if at <= before:
            return at
        day -= dt.timedelta(days=1)


def hourly(at: UnixMs) -> int:
    """How many conversations an hour like this one brings."""
    return ARRIVALS[local(at).hour]


def is_open(schedule: Schedule, at: UnixMs) -> bool:
    return stretch_at(schedule, _zone(), at).open


def turns(schedule: Schedule, after: UnixMs, upto: UnixMs) -> Iterator[tuple[UnixMs, bool]]:
    """When hours begin (true) and end between two times."""
    stretch = stretch_at(schedule, _zone(), after)
    while stretch.until <= upto:
        at = stretch.until
        stretch = stretch_at(schedule, _zone(), at)
        yield at, stretch.open
