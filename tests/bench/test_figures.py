"""A goal beside a figure: about the ratio where there is one, shown and never asserted."""

import pytest

from tests.bench.figures import Row, as_builtins, row


@pytest.mark.parametrize(
    ("measured", "reached"),
    [
        (row("half", "1/s", [5, 6, 7], [10, 12, 14], goal=">= 0.50"), True),
        (row("less", "1/s", [4, 6, 6], [10, 12, 14], goal=">= 0.50"), False),
        (row("slow", "ms", [30, 21], [10, 10], goal="<= 2"), False),
        (row("alone", "1/s", [499_000, 501_000, 502_000], goal=">= 500,000 events"), True),
        (row("none", "1/s", [1], [1]), None),
    ],
)
def test_a_goal_is_reached_by_the_median(measured: Row, reached: bool | None) -> None:
    assert measured.reached is reached
    (written,) = as_builtins([measured])
    assert (written["goal"], written["reached"]) == (measured.goal, reached)
