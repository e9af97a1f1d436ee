"""Figures as a table for a terminal."""

from collections.abc import Sequence

from rich.console import Console, JustifyMethod
from rich.table import Table

from tests.bench.figures import Row, Spread

_WIDTH = 180
_REACHED = {True: "yes", False: "no", None: ""}
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
            _REACHED[one.reached],
            str(len(one.ours.rounds)),
        )
    Console(width=_WIDTH).print(table, explained)


def _shown(spread: Spread) -> str:
    digits = 0 if spread.median >= 100 else 1 if spread.median >= 10 else 2
    low, high = spread.range
    return f"{spread.median:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"
