"""Who has done nothing for how long: for each operator the last activity and the time allowed.

An activity only notes the time; when somebody's turn comes it is looked at again whether he did
anything since. So the cost of an activity does not depend on how many operators there are.
"""

from heapq import heapify, heappop, heappush

from shared.routing.ids import OperatorId, WorkspaceId

Person = tuple[WorkspaceId, OperatorId]

_VOID_MAX = 1_000
"""Void turns that may lie about beside as many as there are people."""


class Idleness:
    """Watches operators who are there; all times are milliseconds of elapsed time."""

    def __init__(self) -> None:
        self._active: dict[Person, int] = {}
        self._allowed: dict[Person, int] = {}
        self._turn: dict[Person, int] = {}
        """When each is looked at next; an entry of ``_turns`` with another time is void."""
        self._turns: list[tuple[int, Person]] = []
        self._over: dict[Person, None] = {}
        self._afresh = 0

    def __len__(self) -> int:
        return len(self._allowed)

    def watch(self, person: Person, allowed_ms: int, now: int) -> None:
        """From ``now`` on if he was not watched before; else only the time allowed may change."""
        self._active.setdefault(person, now)
        if self._allowed.get(person) != allowed_ms:
            self._allowed[person] = allowed_ms
            self._over.pop(person, None)
            self._take_turn(person)

    def forget(self, person: Person) -> None:
        """He is gone, idle already, or may do nothing for as long as he likes."""
        if self._allowed.pop(person, None) is not None:
            del self._active[person]
            self._turn.pop(person, None)
            self._over.pop(person, None)

    def act(self, person: Person, now: int) -> bool:
        """He did something; false if he is not watched."""
        if person not in self._active:
            return False
        self._active[person] = now
        if person in self._over:
            del self._over[person]
            self._take_turn(person)
        return True

    def run_out(self, by: int, at_most: int) -> list[Person]:
        """Up to ``at_most`` who had done nothing for too long ``by`` then; each is named once."""
        found: list[Person] = []
        while self._turns and self._turns[0][0] <= by and len(found) < at_most:
            turn, person = heappop(self._turns)
            if self._turn.get(person) != turn:
                continue
            if self._due(person) > by:
                self._take_turn(person)
                continue
            del self._turn[person]
            self._over[person] = None
            found.append(person)
        return found

    def is_over(self, person: Person) -> bool:
        """Whether his time ran out and he did nothing since."""
        return person in self._over

    def start_afresh(self, now: int) -> None:
        """Nobody was listening: for everybody the time begins anew."""
        self._afresh = now
        for person in list(self._over):
            del self._over[person]
            self._take_turn(person)

    def _due(self, person: Person) -> int:
        return max(self._active[person], self._afresh) + self._allowed[person]

    def _take_turn(self, person: Person) -> None:
        due = self._due(person)
        if self._turn.get(person) != due:
            self._turn[person] = due
            heappush(self._turns, (due, person))
        if len(self._turns) > 2 * len(self._turn) + _VOID_MAX:
            self._turns = [(due, person) for person, due in self._turn.items()]
            heapify(self._turns)
