"""What both stores hold of seals: the columns, and reading them chunk by chunk."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from shared.ports.archive import Seal
from shared.routing.ids import Position

COLUMNS = "first, upto, digests, hash, signature, key"
CHUNK_SEALS = 64
"""Seals fetched at once: 1 MB of digests where each covers 1,000 events."""

FetchSeals = Callable[[Position, int], Awaitable[Sequence[Seal]]]
"""Seals that begin behind a position, in order, at most so many."""


def seal_of(row: Sequence[Any]) -> Seal:
    """Read a row; whatever somebody has put there in place of bytes matches nothing."""
    first, upto, digests, its_hash, signature, key = row
    return Seal(_whole(first), _whole(upto), *map(_bytes, (digests, its_hash, signature, key)))


async def seals_in_chunks(fetch: FetchSeals, after: Position) -> AsyncIterator[Sequence[Seal]]:
    """Yield what ``fetch`` finds; every chunk is a statement of its own."""
    while seals := await fetch(after, CHUNK_SEALS):
        yield seals
        if seals[-1].first <= after:
            return  # somebody has put something else than a number there
        after = seals[-1].first


def _whole(value: Any) -> Position:
    return Position(value if isinstance(value, int) else -1)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""
