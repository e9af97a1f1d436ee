"""Every clock against one contract, and the one that can be set forward against its file."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.adapters.clocks import (
    LOOK_EVERY_MS,
    OFFSET_MAX_MS,
    ShiftedClock,
    SystemClock,
    set_forward,
)
from shared.adapters.open_store import open_store
from shared.ports import Clock
from shared.runtime.duty import ClockSkewed, check_clock
from tests.servers.waiting import until

HOUR_MS = 3_600_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "offset"


def _the_machines(_: Path) -> tuple[Clock, int]:
    return SystemClock(), 0


def _never_set(file: Path) -> tuple[Clock, int]:
    return ShiftedClock(file), 0


def _an_hour_ahead(file: Path) -> tuple[Clock, int]:
    set_forward(file, HOUR_MS)
    return ShiftedClock(file), HOUR_MS


@pytest.fixture(params=[_the_machines, _never_set, _an_hour_ahead])
def clock_and_offset(request: pytest.FixtureRequest, file: Path) -> tuple[Clock, int]:
    make: Callable[[Path], tuple[Clock, int]] = request.param
    return make(file)


# --- all of them ----------------------------------------------------------------------------


def test_wall_time_is_unix_time_in_milliseconds(clock_and_offset: tuple[Clock, int]) -> None:
    clock, offset_ms = clock_and_offset
    assert abs(clock.wall_ms() - offset_ms - time.time() * 1_000) < 1_000


def test_elapsed_time_never_goes_backwards(clock_and_offset: tuple[Clock, int]) -> None:
    clock, _ = clock_and_offset
    stamps = [clock.elapsed_ms() for _ in range(10_000)]
    assert stamps == sorted(stamps)


def test_elapsed_time_counts_milliseconds(clock_and_offset: tuple[Clock, int]) -> None:
    clock, _ = clock_and_offset
    first, monotonic = clock.elapsed_ms(), time.monotonic()
    while time.monotonic() < monotonic + 0.05:
        pass
    assert 50 <= clock.elapsed_ms() - first < 1_000


# --- the one that is set by hand ------------------------------------------------------------


async def _ahead(clock: Clock, offset_ms: int) -> None:
    """Wait until the clock has seen that it was set forward so far."""

    async def has_seen() -> bool:
        return abs(clock.wall_ms() - SystemClock().wall_ms() - offset_ms) < 1_000

    await until(f"the clock is {offset_ms} ms ahead", has_seen)


async def test_set_forward_both_times_jump_together(file: Path) -> None:
    clock = ShiftedClock(file)
    wall, elapsed = clock.wall_ms(), clock.elapsed_ms()
    set_forward(file, HOUR_MS)
    await _ahead(clock, HOUR_MS)
    assert HOUR_MS <= clock.wall_ms() - wall < HOUR_MS + 10_000
    assert HOUR_MS <= clock.elapsed_ms() - elapsed < HOUR_MS + 10_000


async def test_it_may_be_set_forward_again_and_again(file: Path) -> None:
    clock = ShiftedClock(file)
    for hours in range(1, 4):
        set_forward(file, hours * HOUR_MS)
        await _ahead(clock, hours * HOUR_MS)


def _less(file: Path) -> None:
    set_forward(file, HOUR_MS - 1)


def _nothing(file: Path) -> None:
    file.write_text("")


def _gone(file: Path) -> None:
    file.unlink()


def _words(file: Path) -> None:
    file.write_text("an hour")


@pytest.mark.parametrize("spoil", [_less, _nothing, _gone, _words])
async def test_nothing_sets_it_back(file: Path, spoil: Callable[[Path], None]) -> None:
    set_forward(file, HOUR_MS)
    clock = ShiftedClock(file)
    spoil(file)
    first = clock.elapsed_ms()
    while clock.elapsed_ms() < first + 3 * LOOK_EVERY_MS:
        pass  # by then it has looked into the file
    assert abs(clock.wall_ms() - SystemClock().wall_ms() - HOUR_MS) < 1_000
    set_forward(file, 2 * HOUR_MS)
    await _ahead(clock, 2 * HOUR_MS)


@pytest.mark.parametrize("text", ["an hour", "-1", "1.5", "", f"{OFFSET_MAX_MS + 1}", "9" * 5_000])
def test_a_file_with_anything_else_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match="whole milliseconds"):
        ShiftedClock(file)


# --- and the store's ------------------------------------------------------------------------


async def test_an_embedded_store_goes_by_the_clock_it_was_opened_with(
    file: Path, tmp_path: Path
) -> None:
    set_forward(file, HOUR_MS)
    clock = ShiftedClock(file)
    store = await open_store(f"sqlite:///{tmp_path}/data", clock=clock)
    try:
        await check_clock(store.events, clock)
        set_forward(file, 24 * HOUR_MS)
        await _ahead(clock, 24 * HOUR_MS)
        await check_clock(store.events, clock)
        with pytest.raises(ClockSkewed, match="differ by"):
            await check_clock(store.events, SystemClock())
    finally:
        await store.close()


async def test_a_clock_set_forward_takes_no_lease_of_a_database_server(
    file: Path, postgres_url: str
) -> None:
    set_forward(file, HOUR_MS)
    with pytest.raises(ValueError, match="cannot be set"):
        await open_store(postgres_url, migrate=True, clock=ShiftedClock(file))
    store = await open_store(postgres_url, migrate=True)
    try:
        with pytest.raises(ClockSkewed, match="differ by"):
            await check_clock(store.events, ShiftedClock(file))
    finally:
        await store.close()
