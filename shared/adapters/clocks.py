"""The machine's clocks."""

import time

from shared.routing.ids import UnixMs

# Linux's CLOCK_MONOTONIC stands still while the machine is suspended, and a lease does not.
# Elsewhere the monotonic clock is the best there is.
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """``Clock`` of this machine."""

    def wall_ms(self) -> UnixMs:
        """Milliseconds since 1970; may jump in either direction when somebody sets the clock."""
        return UnixMs(time.time_ns() // 1_000_000)

    def elapsed_ms(self) -> int:
        """Milliseconds since the machine started, never backwards, counting suspended time."""
        return time.clock_gettime_ns(_ELAPSED) // 1_000_000
