"""The machine's clocks, as far as they can be tried without setting them."""

import time

from shared.adapters.clocks import SystemClock


def test_wall_time_is_unix_time_in_milliseconds() -> None:
    assert abs(SystemClock().wall_ms() - time.time() * 1_000) < 1_000


def test_elapsed_time_never_goes_backwards() -> None:
    clock = SystemClock()
    stamps = [clock.elapsed_ms() for _ in range(10_000)]
    assert stamps == sorted(stamps)


def test_elapsed_time_counts_milliseconds() -> None:
    clock = SystemClock()
    first, monotonic = clock.elapsed_ms(), time.monotonic()
    while time.monotonic() < monotonic + 0.05:
        pass
    assert 50 <= clock.elapsed_ms() - first < 1_000
