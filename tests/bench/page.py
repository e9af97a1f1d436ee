"""``python -m tests.bench.page``: the last run's table and picture into ``docs``.

The words around the table in ``docs/speed.md`` are written by hand and are about that very run:
read them again whenever the figures are new.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.bench.__main__ import BUILD
from tests.bench.figures import REACHED, shown

DOCS = BUILD.parent / "docs"
BEGIN = "<!-- figures of one run of `make bench`; written by python -m tests.bench.page -->\n"
END = "<!-- end of figures -->\n"


def main() -> None:
    """Write both. Raises ``FileNotFoundError`` before the first ``make bench``."""
    measured = json.loads((BUILD / "bench.json").read_text())
    (DOCS / "bench.svg").write_text((BUILD / "bench.svg").read_text())
    page = DOCS / "speed.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + BEGIN + table(measured) + END + after)


def table(measured: Mapping[str, Any]) -> str:
    """All rows as Markdown, below the shape of the machine."""
    machine = measured["machine"]
    shape = f"{machine['cores']} cores, {machine['processor']}, Python {machine['python']}"
    lines = [
        f"\n{machine['date']}: {shape}.\n",
        "| | ours | floor | unit | ratio | goal | reached | rounds |",
        "| --- | ---: | ---: | --- | ---: | --- | --- | ---: |",
        *map(_line, measured["rows"]),
    ]
    return "\n".join(lines) + "\n\n"


def _line(row: Mapping[str, Any]) -> str:
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    floor = "" if row["floor"] is None else shown(row["floor"])
    goal, reached = row["goal"].replace(">=", "≥").replace("<=", "≤"), REACHED[row["reached"]]
    cells = (row["name"], shown(row["ours"]), floor, row["unit"], ratio, goal, reached)
    return f"| {' | '.join(cells)} | {len(row['rounds']['ours'])} |"


if __name__ == "__main__":
    main()
