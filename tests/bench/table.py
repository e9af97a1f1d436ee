"""Figures as a table for a terminal."""

from collections.abc import Sequence

from rich.console import Console, JustifyMethod
from rich.table import Table

from tests.bench.figures import REACHED, Row, Spread, shown

_WIDTH = 180
_COLUMNS = ("", "ours", "floor", "unit", "ratio", "goal", "reached", "rounds")


def show(rows: Sequence[Row], explained: str) -> None:
    """Print all rows, and what they mean."""
    table = Table()
    for column in _COLUMNS:
        justify: JustifyMethod = "left" if column in ("", "unit") else "right"
        table.add_column(column, justify=justify, no_wrap=True)
    for one in rows:
        table.add_row(
            one.name,
            _shown(one.ours),
            _shown(one.floor) if one.floor is not None else "",
            one.unit,
            f"{one.ratio:.2f}" if one.ratio is not None else "",
            one.goal,
            REACHED[one.reached],
            str(len(one.ours.rounds)),
        )
    Console(width=_WIDTH).print(table, explained)


def _shown(spread: Spread) -> str:
    low, high = (shown(end, spread.median) for end in spread.range)
    return f"{shown(spread.median)} ({low}-{high})"
