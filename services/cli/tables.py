"""How answers are printed: lines and tables as wide as the terminal, in colour on one alone."""

from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

Cell = str | Text


def console() -> Console:
    """Stdout. Words are printed as they are: nothing in an id is markup."""
    return Console(highlight=False, emoji=False, markup=False)


def show(what: Iterable[RenderableType], on: Console | None = None) -> None:
    """Print one after the other, without the blanks that fill up a table's last column."""
    its = on or console()
    with its.capture() as held:
        for one in what:
            its.print(one)
    its.file.writelines(f"{line.rstrip(' ')}\n" for line in held.get().splitlines())


def heading(text: str, beside: str = "") -> Text:
    """The line that an answer begins with, and what stands beside it."""
    return Text.assemble((text, "bold"), f"  {beside}" if beside else "")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Sequence[str] = ()
) -> Table:
    """Columns as wide as they need to be. What does not fit goes on in the next line, ids too:
    nothing is cut off. Those named in ``right`` hold what is never broken, as numbers."""
    its = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        number = name in right
        its.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
    for row in rows:
        its.add_row(*row)
    return its


def facts(pairs: Iterable[tuple[str, Cell]]) -> Table:
    """Names with what is to be said of each, one below the other."""
    its = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    its.add_column(style="dim", no_wrap=True)
    its.add_column(overflow="fold")
    for name, said in pairs:
        its.add_row(name, said)
    return its
