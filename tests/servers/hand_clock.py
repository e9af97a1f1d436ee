"""A clock for what runs in the test's own process."""

from shared.routing.ids import UnixMs


class HandClock:
    """A ``Clock`` that stands still until it is moved."""

    def __init__(self, now_ms: int = 1_000_000) -> None:
        self.now_ms = now_ms

    def wall_ms(self) -> UnixMs:
        return UnixMs(self.now_ms)

    def elapsed_ms(self) -> int:
        return self.now_ms
