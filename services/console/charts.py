"""Bars for inline SVG: numbers to places on a canvas, and nothing about colours or words."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 640
LEFT = 8
TOP = 8
PLOT_HEIGHT = 170
GROUP_GAP = 0.32
"""Of the width of a group."""
ROW_HEIGHT = 34
ROW_BAR = 12
ROW_LEFT = 110
ROW_RIGHT = 60


class Bar(NamedTuple):
    """A rectangle with its number; ``series`` is 0 for what was and 1 for what would have been."""

    x: float
    y: float
    width: float
    height: float
    series: int
    value: str


class Tick(NamedTuple):
    """A label under a group of bars, or beside a row of them."""

    x: float
    y: float
    label: str


class Chart(NamedTuple):
    """Everything to draw, on a canvas of ``width`` by ``height``."""

    width: int
    height: int
    bars: Sequence[Bar]
    ticks: Sequence[Tick]


def columns(labels: Sequence[str], *series: Sequence[int]) -> Chart:
    """Groups of upright bars, one group for each label."""
    most = max((max(numbers, default=0) for numbers in series), default=0) or 1
    group = (WIDTH - 2 * LEFT) / max(len(labels), 1)
    width = group * (1 - GROUP_GAP) / max(len(series), 1)
    base = TOP + 14 + PLOT_HEIGHT
    bars, ticks = [], []
    for place, label in enumerate(labels):
        begin = LEFT + place * group + group * GROUP_GAP / 2
        ticks.append(Tick(round(begin + group * (1 - GROUP_GAP) / 2, 1), base + 16, label))
        for number, numbers in enumerate(series):
            height = PLOT_HEIGHT * numbers[place] / most
            bar = (begin + number * width, base - height, max(width - 2, 1), height)
            x, y, w, h = (round(value, 1) for value in bar)
            bars.append(Bar(x, y, w, h, number, str(numbers[place]) if numbers[place] else ""))
    return Chart(WIDTH, base + 26, bars, ticks)


def rows(labels: Sequence[str], *series: Sequence[int]) -> Chart:
    """Lying bars, one row for each label."""
    most = max((max(numbers, default=0) for numbers in series), default=0) or 1
    room = WIDTH - ROW_LEFT - ROW_RIGHT
    bars, ticks = [], []
    for place, label in enumerate(labels):
        top = TOP + place * ROW_HEIGHT
        ticks.append(Tick(ROW_LEFT - 8, top + ROW_BAR + 4, label))
        for number, numbers in enumerate(series):
            width = round(room * numbers[place] / most, 1)
            y = top + number * (ROW_BAR + 1)
            bars.append(Bar(ROW_LEFT, y, width, ROW_BAR, number, str(numbers[place])))
    return Chart(WIDTH, TOP + len(labels) * ROW_HEIGHT + 4, bars, ticks)
