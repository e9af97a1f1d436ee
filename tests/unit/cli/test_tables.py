"""Tables fit the terminal, lose nothing, and are coloured on a terminal alone."""

import io
import re

import pytest
from rich.console import Console, RenderableType

from services.cli.tables import facts, heading, show, table

LONG = "c-" + "0123456789" * 6 + "xy"


def printed(width: int, *, terminal: bool = False, **environment: str) -> str:
    out = io.StringIO()
    on = Console(
        file=out,
        width=width,
        force_terminal=terminal,
        highlight=False,
        markup=False,
        _environ={"TERM": "xterm-256color", **environment},
    )
    rows = [(LONG, "1234567", "waits because everybody who could have it is full, and so on")]
    what: list[RenderableType] = [
        heading("one conversation waits", "waited"),
        table(("conversation", "position", "why"), rows, right=("position",)),
        facts([("conversation", LONG), ("markup", "[bold]no[/bold]")]),
    ]
    show(what, on)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_what_does_not_fit_goes_on_in_the_next_line(width: int) -> None:
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    first = [line.split("  ")[0].strip() for line in text.splitlines()[2:]]
    pieces = first[
        : next(n for n, piece in enumerate(first) if not piece or piece == "conversation")
    ]
    assert "".join(pieces) == LONG
    assert "1234567" in text


def test_more_room_is_used() -> None:
    assert len(printed(200).splitlines()) < len(printed(80).splitlines())
    assert LONG in printed(200)


def test_colour_is_for_terminals() -> None:
    assert "\x1b" not in printed(80)
    assert "\x1b[1m" in printed(80, terminal=True)
    assert not re.search(r"\x1b\[3\d", printed(80, terminal=True, NO_COLOR="1"))


def test_nothing_in_an_id_is_markup() -> None:
    assert "[bold]no[/bold]" in printed(80)
