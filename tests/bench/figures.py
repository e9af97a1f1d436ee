"""Figures that were measured: rounds of one side or of two, summed up for table and file.

A row may name the goal that it is measured for. It is shown beside the figure and never asserted:
what is slow on a busy machine is no fault of the program.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Literal

import msgspec

Better = Literal["more", "less"]


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
        bound, number = self.goal.split()[:2]
        wanted = float(number.replace(",", ""))
        found = self.ours.median if self.ratio is None else self.ratio
        return _BOUNDS[bound](found, wanted)


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


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed; ``values`` must be sorted."""
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


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
