"""Figures that were measured: rounds of one side or of two, summed up for table and file.

A row may name the goal that it is measured for. It is shown beside the figure and never asserted:
what is slow on a busy machine is no fault of the program.
"""

import operator
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec

REACHED: Mapping[bool | None, str] = {True: "yes", False: "no", None: ""}
"""Whether a goal is, for people."""


class Spread(msgspec.Struct, frozen=True):
    """One figure of each round, in the order of the rounds."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.rounds)

    @property
    def range(self) -> tuple[float, float]:
        return min(self.rounds), max(self.rounds)


class Row(msgspec.Struct, frozen=True):
    """One line of the table. ``floor`` is what ``ours`` is stated against."""

    name: str
    unit: str
    ours: Spread
    floor: Spread | None = None
    goal: str = ""
    """``>= 0.50`` or ``<= 2``: of the ratio where there is one, else of the median of ``ours``."""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours to the floor, round by round: neighbours in time, so that a slow minute cancels."""
        if self.floor is None:
            return ()
        pairs = zip(self.ours.rounds, self.floor.rounds, strict=True)
        return tuple(ours / floor for ours, floor in pairs)

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios."""
        return median(self.ratios) if self.ratios else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; none if there is no goal."""
        if not self.goal:
            return None
        bound, wanted = bound_of(self.goal)
        found = self.ours.median if self.ratio is None else self.ratio
        return _BOUNDS[bound](found, wanted)


def bound_of(goal: str) -> tuple[str, float]:
    """Which way it goes, and the number."""
    bound, number = goal.split()[:2]
    return bound, float(number.replace(",", ""))


_BOUNDS: Mapping[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


def row(
    name: str,
    unit: str,
    ours: Sequence[float],
    floor: Sequence[float] | None = None,
    *,
    goal: str = "",
) -> Row:
    against = None if floor is None else Spread(tuple(floor))
    return Row(name, unit, Spread(tuple(ours)), against, goal)


def shown(figure: float, like: float | None = None) -> str:
    """For people: with as many digits as ``like``, or it itself, is worth."""
    size = figure if like is None else like
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    return f"{figure:,.{digits}f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed; ``values`` must be sorted."""
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


def resident_mb(pid: int) -> float:
    """What the process holds in memory; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    found = [int(line.split()[1]) / 1_024 for line in lines if line.startswith("VmRSS")]
    return found[0] if found else 0.0


def processor_s(pid: int) -> float:
    """Processor time that it has used so far; 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def as_builtins(rows: Sequence[Row]) -> Iterator[dict[str, object]]:
    """For the file: medians, the ratio, and every round behind them."""
    for one in rows:
        yield {
            "name": one.name,
            "ours": one.ours.median,
            "floor": one.floor.median if one.floor is not None else None,
            "unit": one.unit,
            "ratio": one.ratio,
            "goal": one.goal,
            "reached": one.reached,
            "rounds": {
                "ours": one.ours.rounds,
                "floor": one.floor.rounds if one.floor is not None else None,
                "ratio": one.ratios or None,
            },
        }
