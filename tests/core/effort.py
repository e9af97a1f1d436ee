"""How much work something is, counted instead of timed: the same on every machine.

Lines of Python and calls into C are counted by the interpreter's own hooks; comparisons, which C
code makes inside heaps and sorted lists, by integers that count.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class Counted(int):
    """An integer that counts how often any of its kind is compared."""

    comparisons = 0

    def __lt__(self, other: int) -> bool:
        Counted.comparisons += 1
        return int(self) < int(other)

    def __gt__(self, other: int) -> bool:
        Counted.comparisons += 1
        return int(self) > int(other)

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return isinstance(other, int) and int(self) == int(other)

    __hash__ = int.__hash__

    def __sub__(self, other: int) -> "Counted":
        return Counted(int(self) - int(other))

    def __rsub__(self, other: int) -> "Counted":
        return Counted(int(other) - int(self))


def effort(action: Callable[[], object]) -> int:
    """Lines, calls into C and counted comparisons that ``action`` takes."""
    steps = 0

    def line(_: FrameType, what: str, __: Any) -> Any:
        nonlocal steps
        steps += what == "line"
        return line

    def call(_: FrameType, what: str, __: Any) -> None:
        nonlocal steps
        steps += what == "c_call"

    tracer, profiler = sys.gettrace(), sys.getprofile()
    Counted.comparisons = 0
    sys.setprofile(call)
    sys.settrace(line)
    try:
        action()
    finally:
        sys.settrace(tracer)
        sys.setprofile(profiler)
    return steps + Counted.comparisons
