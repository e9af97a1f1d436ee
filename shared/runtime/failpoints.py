"""Places at which a test can make the process die: ``FERNAMT_FAILPOINT=after_commit:3``.

The process ends with exit code 137, as after ``kill -9``, the n-th time the place is passed.
Without the variable a place costs one comparison.
"""

import os

PLACES = (
    "before_decide",
    "after_decide",
    "before_insert",
    "before_commit",
    "after_commit",
    "before_reply",
    "after_reply",
    "before_publish",
    "mid_batch",
    "before_feed",
    "after_feed",
    "before_progress",
    "after_progress",
)
VARIABLE = "FERNAMT_FAILPOINT"
_KILLED = 137


class Failpoints:
    """Counts down to the armed place; unarmed unless the environment says so."""

    def __init__(self, armed: str = "") -> None:
        place, _, count = armed.partition(":")
        if armed and (place not in PLACES or not count.isdecimal() or int(count) < 1):
            raise ValueError(f"{VARIABLE}={armed}: expected PLACE:N with PLACE of {PLACES}")
        self.armed = place
        self._left = int(count) if count else 0

    def passing(self, place: str, times: int = 1) -> None:
        """Die here if this is the armed place and its turn has come, with several at once."""
        if place == self.armed:
            self._left -= times
            if self._left <= 0:
                os._exit(_KILLED)


FAILPOINTS = Failpoints(os.environ.get(VARIABLE, ""))
"""Those of this process."""
