"""The moments that a workspace's events are stamped with: the wall clock, but never backwards."""

from shared.ports import Clock
from shared.routing.ids import UnixMs


class Stamps:
    """``at = max(wall clock, last stamp + time elapsed since)``.

    A wall clock that is set back therefore slows nothing down and reorders nothing: time goes on
    from where the log had it.
    """

    def __init__(self, clock: Clock, last: UnixMs) -> None:
        self._clock = clock
        self._last = last
        self._elapsed = clock.elapsed_ms()

    def next(self) -> UnixMs:
        """The stamp for what happens now.

        The wall clock is read first. A clock on which both times jump may do so between the two:
        the other way round the jump would be in this stamp, and once more in the next.
        """
        wall = self._clock.wall_ms()
        elapsed = self._clock.elapsed_ms()
        gone_on = self._last + max(elapsed - self._elapsed, 0)
        self._last = UnixMs(max(wall, gone_on))
        self._elapsed = elapsed
        return self._last
