"""Choosing one operator out of many without looking at all of them.

A pool holds the operators that may be given one kind of conversation, ordered by a ranking. The
order is total: rank, then least recently assigned, then id. Nothing is drawn by lot.
"""

from collections.abc import Container
from heapq import heapify, heappop, heappush
from typing import NamedTuple, assert_never

from sortedcontainers import SortedList

from shared.routing.ids import OperatorId
from shared.routing.queue import Lane, Order
from shared.routing.state import Audience, Operator
from shared.routing.status import not_routable
from shared.routing.vocabulary import AssignTo, Ranking, TieBreak

Entry = tuple[int, int, OperatorId]
"""Rank (lower is better), position of the last assignment, id."""

_PARTS = 1_000_000_000
_AWAY = 2**52
_STALE_ENTRIES_MAX = 64


class Demand(NamedTuple):
    """What a conversation asks of an operator, apart from its own exclusions."""

    audience: Audience
    ranking: Ranking
    assign_to: AssignTo
    weight: int
    skills: tuple[str, ...]


class Choice(NamedTuple):
    """The best operator of a pool and what put him before the next."""

    operator_id: OperatorId
    key: tuple[int, ...]
    tie_break: TieBreak | None


def _rank(operator: Operator, demand: Demand) -> int:
    """How early ``operator`` comes under this ranking; lower is earlier.

    ``highest_free_ratio`` counts billionths of the capacity left after the assignment, so that
    no two capacities up to 10,000 are confused.
    """
    match demand.ranking:
        case "most_free_slots":
            return operator.load - operator.capacity
        case "highest_free_ratio":
            return -((operator.free - demand.weight) * _PARTS // max(operator.capacity, 1))
        case "fewest_open":
            return len(operator.owned)
        case "round_robin":
            return operator.last_assigned_in.get(demand.audience, 0)
        case "longest_idle":
            return operator.idle_since
        case _:
            assert_never(demand.ranking)


def rank(operator: Operator, demand: Demand) -> int:
    """How early ``operator`` comes; with ``assign_to: any`` whoever is away after all others."""
    away = demand.assign_to == "any" and not_routable(operator) is not None
    return _rank(operator, demand) + (_AWAY if away else 0)


def entry_of(operator: Operator, demand: Demand) -> Entry:
    return (rank(operator, demand), operator.last_assigned, operator.operator_id)


class Pool:
    """Operators eligible for one demand, and the lanes of conversations that wait for them.

    The order is a heap in which outdated entries are skipped when they surface: placing costs the
    logarithm of the pool's size, and so does choosing.
    """

    __slots__ = ("_heap", "demand", "entries", "heads", "lanes")

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        self.entries: dict[OperatorId, Entry] = {}
        self._heap: list[Entry] = []
        self.lanes: dict[tuple[OperatorId, ...], Lane] = {}
        self.heads: SortedList[tuple[Order, tuple[OperatorId, ...]]] = SortedList()
        """The first of every lane, in the order in which they are to be served."""

    def __len__(self) -> int:
        return len(self.entries)

    def place(self, operator: Operator) -> bool:
        """Put the operator where his rank belongs; true if he was not in the pool before."""
        operator_id = operator.operator_id
        entry = entry_of(operator, self.demand)
        known = self.entries.get(operator_id)
        if known == entry:
            return False
        self.entries[operator_id] = entry
        heappush(self._heap, entry)
        if len(self._heap) > 2 * len(self.entries) + _STALE_ENTRIES_MAX:
            self._heap = list(self.entries.values())
            heapify(self._heap)
        return known is None

    def remove(self, operator_id: OperatorId) -> None:
        self.entries.pop(operator_id, None)

    def choose(self, excluded: Container[OperatorId]) -> Choice | None:
        """The best operator who is not ``excluded``, or none."""
        best, second = self._first_two(excluded)
        if best is None:
            return None
        return Choice(best[2], (best[0], best[1]), tie_break(best, second))

    def _first_two(self, excluded: Container[OperatorId]) -> tuple[Entry | None, Entry | None]:
        seen: list[Entry] = []
        found: list[Entry] = []
        heap = self._heap
        while heap and len(found) < 2:
            entry = heappop(heap)
            if self.entries.get(entry[2]) is not entry:
                continue
            seen.append(entry)
            if entry[2] not in excluded:
                found.append(entry)
        for entry in seen:
            heappush(heap, entry)
        return (found[0] if found else None, found[1] if len(found) > 1 else None)


def tie_break(best: Entry, second: Entry | None) -> TieBreak:
    """What puts ``best`` before ``second``."""
    if second is None:
        return "sole"
    if best[0] != second[0]:
        return "key"
    return "least_recently_assigned" if best[1] != second[1] else "operator_id"
