"""What both stores hold of snapshots: how many rows are read and written at once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

KEYS_AT_ONCE = 2_000
ROWS_AT_ONCE = 1_000
"""Settled rows in one statement: less than a megabyte, and far from any time limit."""
HEADS_AT_ONCE = 20
"""Heads deleted in one statement: some megabytes."""
CHUNK_ROWS = 2_000
CHUNK_KEYS = 5_000

T = TypeVar("T")
Keyed = TypeVar("Keyed", bound=tuple[Any, ...])
"""What begins with a kind and an id."""


def in_slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def settled_in_chunks(
    fetch: Callable[[tuple[str, str], int], Awaitable[Sequence[Keyed]]], size: int
) -> AsyncIterator[Sequence[Keyed]]:
    """Yield what ``fetch`` finds after a kind and id, at most so many at once, to the end."""
    after = ("", "")
    while True:
        rows = await fetch(after, size)
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = rows[-1][:2]
