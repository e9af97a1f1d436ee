"""A peer beside us: assigning as a team writes it with the ``eventsourcing`` library.

One aggregate for each conversation is opened, assigned and saved by the library's own PostgreSQL
recorder: both events in one transaction, answered once they are on disk. Whose turn it is says a
count of everybody's conversations in memory, behind a lock. Several threads do this at once.

It gets away with less than the engine does: no broker and no other process stands between it and
whoever asks; nobody is told, neither by a reply nor by feeds or events; who is online, in which
group, with which skills is not asked; why somebody was chosen is not kept; the count is lost with
the process, and a second one would not see it; and no place is ever given back.

The recorder is set up as it is by default. It locks its table for each transaction, so that whoever
follows its log misses nothing, and more threads therefore gain nothing. With its functions in the
database it is about twice as fast, without that lock: followers then miss events.
"""

import heapq
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import perf_counter
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from tests.servers.library import library_environment

THREADS_MAX = 8


class Conversation(Aggregate):
    """One conversation, and who has it."""

    @event("Opened")
    def __init__(self, conversation_id: UUID) -> None:
        self.conversation_id = conversation_id
        self.operator_id = ""

    @staticmethod
    def create_id(conversation_id: UUID) -> UUID:
        """The conversation's own id is the aggregate's."""
        return conversation_id

    @event("Assigned")
    def assign(self, operator_id: str) -> None:
        self.operator_id = operator_id


class Loads:
    """How many conversations each operator has."""

    def __init__(self, operators: int, capacity: int) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._heap = [(0, f"operator-{number}") for number in range(operators)]
        heapq.heapify(self._heap)

    def take(self) -> str:
        """A place of the operator with the fewest conversations."""
        with self._lock:
            load, operator_id = self._heap[0]
            if load >= self._capacity:
                raise RuntimeError("nobody has a place left")
            heapq.heapreplace(self._heap, (load + 1, operator_id))
        return operator_id


class LibraryPeer(Application[UUID]):
    """The application, on a database of its own. Closed by ``with``."""

    def __init__(self, url: str, operators: int, capacity: int) -> None:
        super().__init__({**library_environment(url), "POSTGRES_POOL_SIZE": str(THREADS_MAX)})
        self._loads = Loads(operators, capacity)

    def assign(self, conversations: Sequence[UUID], threads: int) -> float:
        """Assign them all, so many at once; conversations a second."""
        shares = [conversations[first::threads] for first in range(threads)]
        saved = self._saved()
        with ThreadPoolExecutor(threads) as pool:
            began = perf_counter()
            for _ in pool.map(self._assign_each, shares):
                pass
            taken_s = perf_counter() - began
        found = self._saved() - saved
        assert found == 2 * len(conversations), f"{found} new events of {len(conversations)}"
        return len(conversations) / taken_s

    def _assign_each(self, conversations: Sequence[UUID]) -> None:
        for conversation_id in conversations:
            conversation = Conversation(conversation_id)
            conversation.assign(self._loads.take())
            self.save(conversation)

    def _saved(self) -> int:
        return self.recorder.max_notification_id() or 0
