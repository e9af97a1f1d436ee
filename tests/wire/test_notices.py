"""A notice holds the position that a log has reached, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.routing.ids import Position
from shared.wire.notices import position_body, read_position


@given(st.integers(1, 10**18 - 1))
def test_a_position_comes_through(number: int) -> None:
    assert read_position(position_body(Position(number))) == number


@given(st.binary(max_size=40))
def test_any_bytes_are_a_position_or_nothing(body: bytes) -> None:
    position = read_position(body)
    assert position is None or position_body(position) == body


@pytest.mark.parametrize("body", [b"", b"0", b"-1", b"+1", b" 1", b"1\n", b"01", b"1e3", b"9" * 19])
def test_what_is_no_position_is_nothing(body: bytes) -> None:
    assert read_position(body) is None
