"""The picture of the figures: a bar for each goal, on the right side of the line."""

from xml.etree import ElementTree

from tests.bench.chart import draw
from tests.bench.figures import as_builtins, row

MACHINE = {"date": "2026-01-01", "cores": 2, "processor": "some <processor>", "python": "3.11"}
_SVG = "{http://www.w3.org/2000/svg}"


def test_every_figure_with_a_goal_is_a_bar_and_others_are_not() -> None:
    rows = [
        row("reached by far", "1/s", [50, 60, 70], [10, 10, 10], goal=">= 2"),
        row("missed & said so", "ms", [8.0], [1.0], goal="<= 4"),
        row("beyond the axis", "s", [1_000.0], goal="<= 1"),
        row("without a goal", "s", [3.0]),
    ]
    picture = ElementTree.fromstring(draw(list(as_builtins(rows)), MACHINE))  # noqa: S314 - ours
    bars = picture.findall(f"{_SVG}rect")
    texts = [text.text or "" for text in picture.findall(f"{_SVG}text")]
    goal_at = float(next(iter(picture.findall(f"{_SVG}line[@class='goal']"))).attrib["x1"])
    ends = [float(bar.attrib["x"]) + float(bar.attrib["width"]) for bar in bars]
    assert [bar.attrib["class"] for bar in bars] == ["reached", "missed", "missed"]
    assert ends[0] > goal_at > ends[1] > ends[2]
    assert "missed & said so" in texts
    assert "6.00, goal >= 2" in texts
    assert "1,000.00 s, goal <= 1" in texts
    assert not any("without" in text for text in texts)
    assert any("some <processor>" in text for text in texts)
