"""Stamps of events, whenever the clock is set forward."""

from pathlib import Path

import pytest

from services.router.stamps import Stamps
from shared.adapters.clocks import LOOK_EVERY_MS, ShiftedClock, set_forward
from shared.routing.ids import UnixMs

BEGIN = 1_763_650_000_000
HOUR_MS = 3_600_000
STEPS = 12


class _Ticking:
    """``Clock`` on which time passes with every look at it, and that is set forward at one."""

    def __init__(self, file: Path, set_at: int) -> None:
        self._file = file
        self._set_at = set_at
        self.looks = 0

    def wall_ms(self) -> UnixMs:
        return UnixMs(BEGIN + self.elapsed_ms())

    def elapsed_ms(self) -> int:
        self.looks += 1
        if self.looks == self._set_at:
            set_forward(self._file, HOUR_MS)
        return self.looks * LOOK_EVERY_MS


@pytest.mark.parametrize("set_at", range(1, 4 * STEPS))
def test_a_jump_is_in_the_stamps_once_wherever_it_falls(tmp_path: Path, set_at: int) -> None:
    ticking = _Ticking(tmp_path / "offset", set_at)
    stamps = Stamps(ShiftedClock(tmp_path / "offset", ticking), UnixMs(0))
    found = [stamps.next() for _ in range(STEPS)]
    assert found == sorted(found)
    now = BEGIN + ticking.looks * LOOK_EVERY_MS
    ahead = found[-1] - now
    assert abs(ahead) <= 4 * LOOK_EVERY_MS or abs(ahead - HOUR_MS) <= 4 * LOOK_EVERY_MS
