"""Whose hours are set in one workspace, how they stand, and when each has to be looked at again."""

import itertools
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from services.presence.calendar import Stretch, stretch_at, zone_of
from services.presence.reports import OfHours, OfShift, Standing
from shared.routing.ids import UnixMs
from shared.routing.schedule import Schedule

Place = OfShift | OfHours


class Hours:
    """Schedules by whom they are for. Times are of the wall clock, which may jump."""

    def __init__(self) -> None:
        self.unknown_zones: dict[str, None] = {}
        """Names that stand in schedules and that this release does not know."""
        self._set: dict[Place, tuple[Schedule, str]] = {}
        self._turn: dict[Place, UnixMs] = {}
        self._turns: list[tuple[UnixMs, int, Place]] = []
        self._numbers = itertools.count()
        self._last: tuple[Schedule, ZoneInfo, UnixMs, Stretch] | None = None

    def set(self, place: Place, schedule: Schedule | None, zone: str, at: UnixMs) -> bool:
        """From now on these hours hold; without any it is always open. False if it was so."""
        before = self._set.get(place)
        if schedule is None:
            self._set.pop(place, None)
            self._turn.pop(place, None)
            return before is not None
        if before is not None and before[0] is schedule and before[1] == zone:
            return False
        self._set[place] = (schedule, zone)
        self._take_turn(place, at)
        return True

    def is_known(self, place: Place) -> bool:
        """Whether it can be said how its hours stand: not in a zone of which nothing is known."""
        found = self._set.get(place)
        return found is None or zone_of(found[1]) is not None

    def standing(self, place: Place, at: UnixMs) -> Standing | None:
        """How its hours stand; none where none are set, or none that can be read."""
        found = self._set.get(place)
        zone = zone_of(found[1]) if found is not None else None
        if found is None or zone is None:
            return None
        stretch = self._stretch(found[0], zone, at)
        return Standing(stretch.open, stretch.since, stretch.until, found[0].auto_online)

    def turns(self, at: UnixMs, at_most: int) -> list[Place]:
        """Up to ``at_most`` places that had to be looked at again by ``at``."""
        found: list[Place] = []
        while self._turns and self._turns[0][0] <= at and len(found) < at_most:
            turn, _, place = heappop(self._turns)
            if self._turn.get(place) == turn:
                self._take_turn(place, at)
                found.append(place)
        return found

    def set_back(self, at: UnixMs) -> list[Place]:
        """The wall clock jumped back to ``at``: every place has to be looked at again."""
        self._last = None
        for place in self._set:
            self._take_turn(place, at)
        return list(self._set)

    def look_at(self, place: Place, at: UnixMs) -> None:
        """Have its turn come at ``at`` already."""
        if place in self._turn and at < self._turn[place]:
            self._push(place, at)

    def _take_turn(self, place: Place, at: UnixMs) -> None:
        schedule, name = self._set[place]
        zone = zone_of(name)
        if zone is None:
            self.unknown_zones[name] = None
            self._turn.pop(place, None)
        else:
            self._push(place, self._stretch(schedule, zone, at).until)

    def _push(self, place: Place, turn: UnixMs) -> None:
        if self._turn.get(place) != turn:
            self._turn[place] = turn
        heappush(self._turns, (turn, next(self._numbers), place))

    def _stretch(self, schedule: Schedule, zone: ZoneInfo, at: UnixMs) -> Stretch:
        """Remembers the last one: where a workspace has hours, all its operators ask for them."""
        if self._last is not None:
            its_schedule, its_zone, asked_at, stretch = self._last
            same = its_schedule is schedule and its_zone is zone
            if same and asked_at <= at < stretch.until:
                return stretch
        stretch = stretch_at(schedule, zone, at)
        self._last = (schedule, zone, at, stretch)
        return stretch
