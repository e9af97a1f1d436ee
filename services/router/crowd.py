"""How many requests are under way in this process, and who may still join them.

Whoever sends more than can be done has to hear so at once, and what was taken has to be answered
in the usual time. So what decides is how long the requests of a workspace have been waiting, not
how many there are: the same number is a moment's work on one machine and a long line on another.
Whose requests are answered in time is let in whatever the others do, as workspaces are served in
turn (``turns``). How many there are counts where it could only be waiting in vain: few requests are
no crowd, however long they wait for a store that is away or a log that is being read; and memory
is finite.
"""

from typing import Final

from shared.ports import Clock
from shared.routing.commands import Refused

CROWD: Final = 1_250
"""Fewer requests under way are always let in: a quarter of a second's work of one core."""
WAIT_MAX_MS: Final = 50
"""Beyond that, a workspace whose oldest request has waited so long is full. Of N times what can be
done, N times as much has come by then: so long is what is taken then kept waiting at most."""
JOBS_MAX: Final = 16_384
"""Beyond this all are."""

_TOO_LONG = Refused("overloaded", f"what was asked {WAIT_MAX_MS} ms ago is not answered yet")
_TOO_MANY = Refused("overloaded", f"{JOBS_MAX} requests are under way")


class Crowd:
    """Counts the requests under way, from when they were read to their answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.jobs = 0

    def now(self) -> int:
        """The moment to note beside a request that was just read."""
        return self._clock.elapsed_ms()

    def enter(self) -> None:
        self.jobs += 1

    def leave(self, jobs: int = 1) -> None:
        """So many were answered, or never will be."""
        self.jobs -= jobs

    def refusal(self, oldest_at: int | None) -> Refused | None:
        """Why a workspace may not bring another, if so; ``oldest_at`` is when its oldest came."""
        if self.jobs < CROWD:
            return None
        if self.jobs >= JOBS_MAX:
            return _TOO_MANY
        if oldest_at is not None and self.now() - oldest_at >= WAIT_MAX_MS:
            return _TOO_LONG
        return None
