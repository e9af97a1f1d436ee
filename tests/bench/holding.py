"""What an open conversation and an operator take in the router's memory, each of 100,000.

A child process makes as many and reads what it takes of the machine before and after: the tables,
every index over them, and what the allocator leaves between.
"""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

from shared.runtime.garbage import spare_what_lasts
from tests.bench.choosing import Core
from tests.bench.figures import Row, row

NUMBER = 100_000
DESK = 1_000
_PAGE_BYTES = 4_096
_KIB = 1_024


def rows(rounds: int) -> Iterator[Row]:
    """A line for operators, and one for conversations that are owned or wait."""
    goal = "<= 2"
    operators = [_in_child("operators") for _ in range(rounds)]
    yield row("memory of an operator", "KiB", operators, goal=goal)
    owned = [_in_child("owned") for _ in range(rounds)]
    yield row("memory of an owned conversation", "KiB", owned, goal=goal)
    waiting = [_in_child("waiting") for _ in range(rounds)]
    yield row("memory of a waiting conversation", "KiB", waiting, goal=goal)


def _in_child(what: str) -> float:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_kib_each, (what,))


def _kib_each(what: str) -> float:
    """Kibibytes of each of ``NUMBER``."""
    spare_what_lasts()
    if what == "operators":
        before = _resident_bytes()
        core = Core(NUMBER, 1)
    else:
        core = Core(DESK, NUMBER // DESK if what == "owned" else 0)
        before = _resident_bytes()
        for number in range(NUMBER):
            core.record(core.opened(number))
    assert len(core.workspace.places) == (NUMBER if what == "waiting" else 0)
    return (_resident_bytes() - before) / NUMBER / _KIB


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
