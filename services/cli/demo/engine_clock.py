"""The clock of the demo's engine, which can be set forward so that a night takes a second."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.adapters.clocks import set_forward

ZONE = "Europe/Berlin"
MONDAY = 0


class EngineClock:
    """``file`` is what the engine was told to read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._offset_ms = 0

    def now(self) -> datetime:
        """What the engine's clock shows."""
        moment = time.time() + self._offset_ms / 1_000
        return datetime.fromtimestamp(moment, ZoneInfo(ZONE))

    def set_to(self, moment: datetime) -> int:
        """Set it forward, and return that moment in Unix milliseconds."""
        milliseconds = round(moment.timestamp() * 1_000)
        self._offset_ms = max(milliseconds - round(time.time() * 1_000), self._offset_ms)
        set_forward(self.file, self._offset_ms)
        return milliseconds

    def next_monday(self) -> datetime:
        """Midnight before the first whole Monday to come."""
        today = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return today + timedelta(days=7 - (today.weekday() - MONDAY) % 7)


def at(day: datetime, hour: int, minute: int = 0) -> datetime:
    """That time on a day, whatever clocks were set forward in between."""
    return day.replace(hour=hour, minute=minute)


def the_day_after(day: datetime) -> datetime:
    return day + timedelta(days=1)
