"""First in, first out, held against a plain list."""

import random

import pytest

from shared.routing.fifo import Fifo


def test_it_does_what_a_list_does() -> None:
    draw = random.Random(1)
    fifo, plain = Fifo(range(3)), [0, 1, 2]
    for number in range(20_000):
        if plain and draw.random() < (0.9 if number // 4_000 % 2 else 0.3):
            fifo.drop_first()
            plain.pop(0)
        else:
            fifo.append(number)
            plain.append(number)
        assert len(fifo) == len(plain)
        if plain:
            assert fifo.first == plain[0]


def test_an_empty_one_has_no_first() -> None:
    fifo = Fifo([7])
    fifo.drop_first()
    assert len(fifo) == 0
    with pytest.raises(IndexError):
        _ = fifo.first
