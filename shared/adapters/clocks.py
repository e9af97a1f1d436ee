"""The machine's clocks, and one that can be set forward by hand."""

import time
from pathlib import Path

import structlog

from shared.ports import Clock
from shared.routing.ids import UnixMs

log = structlog.get_logger()

LOOK_EVERY_MS = 50
"""How long a ``ShiftedClock`` may take to see that it was set forward, unless told otherwise."""
OFFSET_MAX_MS = 366 * 24 * 60 * 60 * 1_000
"""A year and a day: more is a mistake in the unit."""

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


class ShiftedClock:
    """``Clock`` that runs as fast as another one, and ahead of it by what a file says.

    The file holds whole milliseconds; ``set_forward`` writes it, also from another process. Both
    times jump together. A file that is missing, or says less than it did, sets nothing back.
    """

    def __init__(
        self, file: Path, clock: Clock | None = None, *, look_every_ms: int = LOOK_EVERY_MS
    ) -> None:
        """Raises ``ValueError`` if the file is there and holds anything else."""
        self._file = file
        self._look_every_ms = look_every_ms
        self._clock = clock or SystemClock()
        self._looked = self._clock.elapsed_ms()
        self._text = _text(file)
        self._offset_ms = _milliseconds(self._text)

    def wall_ms(self) -> UnixMs:
        """Milliseconds since 1970, and what was added."""
        return UnixMs(self._clock.wall_ms() + self._offset())

    def elapsed_ms(self) -> int:
        """Milliseconds since the machine started, and what was added; never backwards."""
        return self._clock.elapsed_ms() + self._offset()

    def _offset(self) -> int:
        """Read without leaving the thread: a few bytes, now and then."""
        now = self._clock.elapsed_ms()
        if now - self._looked >= self._look_every_ms:
            self._looked = now
            self._look()
        return self._offset_ms

    def _look(self) -> None:
        text = _text(self._file)
        if text == self._text:
            return
        self._text = text
        try:
            offset_ms = _milliseconds(text)
        except ValueError as error:
            log.warning("clock_not_set", reason=error)
        else:
            self._offset_ms = max(self._offset_ms, offset_ms)
            log.info("clock_set_forward", offset_ms=self._offset_ms)


def set_forward(file: Path, offset_ms: int) -> None:
    """Let every ``ShiftedClock`` on this file run ``offset_ms`` ahead of its machine's time.

    The file is replaced as a whole, so that nobody reads half a number.
    """
    new = file.with_name(f"{file.name}.new")
    new.write_text(f"{offset_ms}\n", encoding="ascii")
    new.replace(file)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return "0"


def _milliseconds(text: str) -> int:
    if not (text.isdigit() and len(text) <= 15 and int(text) <= OFFSET_MAX_MS):
        raise ValueError(
            f"an offset of the clock is whole milliseconds from 0 to {OFFSET_MAX_MS}: {text[:40]!r}"
        )
    return int(text)
