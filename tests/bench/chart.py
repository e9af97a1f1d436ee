"""Figures with a goal as a picture: a bar that ends right of the line has reached it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from tests.bench.figures import bound_of

LEAST, MOST = 1 / 16, 16
"""Of the goal: where the axis begins and ends, on a logarithmic scale."""
_MARKS = {1 / 8: "1/8", 1 / 4: "1/4", 1 / 2: "1/2", 1: "goal", 2: "2 x", 4: "4 x", 8: "8 x"}
_ROW, _TOP, _LABELS, _BARS, _NUMBERS = 22, 56, 400, 320, 230
_WIDTH = _LABELS + _BARS + _NUMBERS
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.quiet { fill: #57606a } .reached { fill: #2da44e } .missed { fill: #bf8700 }
.goal { stroke: #24292f } .grid { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #9198a1 }
  .goal { stroke: #e6edf3 } .grid { stroke: #3d444d }
}
"""


def draw(rows: Sequence[Mapping[str, Any]], machine: Mapping[str, Any]) -> str:
    """The rows as ``build/bench.json`` has them, those with a goal, as SVG."""
    shown = [one for one in rows if one["goal"]]
    height = _TOP + _ROW * len(shown) + 12
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    told = 'role="img" aria-label="Figures beside their goals"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {told}>',
        f"<style>{_STYLE}</style>",
        _text(0, 16, f"{machine['date']}, {machine['cores']} cores, {machine['processor']}"),
        _text(0, 34, f"Python {machine['python']}; medians of all rounds of one run", "quiet"),
    ]
    for factor, label in _MARKS.items():
        x = _x(factor)
        kind = "goal" if factor == 1 else "grid"
        line = f'<line class="{kind}" x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 8}"/>'
        parts += [line, _text(x - 12, _TOP - 12, label, "quiet")]
    for number, one in enumerate(shown):
        parts += _bar(_TOP + _ROW * number, one)
    return "\n".join([*parts, "</svg>", ""])


def _bar(y: float, one: Mapping[str, Any]) -> list[str]:
    found = one["ours"] if one["ratio"] is None else one["ratio"]
    bound, wanted = bound_of(one["goal"])
    factor = found / wanted if bound == ">=" else wanted / found
    begin, end = _x(LEAST), _x(min(max(factor, LEAST), MOST))
    kind = "reached" if one["reached"] else "missed"
    unit = f" {one['unit']}" if one["ratio"] is None else ""
    return [
        _text(0, y + 14, one["name"]),
        f'<rect class="{kind}" x="{begin:.1f}" y="{y + 4}" width="{end - begin:.1f}" height="12"/>',
        _text(_LABELS + _BARS + 12, y + 14, f"{found:,.2f}{unit}, goal {one['goal']}"),
    ]


def _x(factor: float) -> float:
    share = math.log(factor / LEAST) / math.log(MOST / LEAST)
    return _LABELS + share * _BARS


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f'<text{styled} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
