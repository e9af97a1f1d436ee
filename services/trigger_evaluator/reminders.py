"""When to look at which page again: the moments at which a rule may come to hold by itself."""

import heapq
import itertools
from typing import NamedTuple

from services.trigger_evaluator.desk import Desk
from services.trigger_evaluator.visit import Page, VisitKey


class Reminder(NamedTuple):
    at_ms: int
    number: int
    """Of two for the same moment the older comes first."""
    desk: Desk
    key: VisitKey
    page: Page


class Reminders:
    """One for each page; a later word for the same page replaces the earlier."""

    def __init__(self) -> None:
        self._heap: list[Reminder] = []
        self._current: dict[VisitKey, Reminder] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._current)

    @property
    def next_ms(self) -> int | None:
        """When the first is due."""
        return self._heap[0].at_ms if self._heap else None

    def set(self, desk: Desk, key: VisitKey, page: Page, at_ms: int) -> None:
        reminder = Reminder(at_ms, next(self._numbers), desk, key, page)
        self._current[key] = reminder
        heapq.heappush(self._heap, reminder)
        if len(self._heap) > 2 * len(self._current) + 64:
            self._heap = list(self._current.values())
            heapq.heapify(self._heap)

    def due(self, now_ms: int) -> list[Reminder]:
        """Take out those whose moment has come."""
        found: list[Reminder] = []
        while self._heap and self._heap[0].at_ms <= now_ms:
            reminder = heapq.heappop(self._heap)
            if self._current.get(reminder.key) is reminder:
                del self._current[reminder.key]
                found.append(reminder)
        return found

    def clear(self) -> None:
        self._heap.clear()
        self._current.clear()
