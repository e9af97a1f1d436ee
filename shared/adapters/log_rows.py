"""What both stores hold of rows: a batch is checked before it is sent, a read is checked for gaps.

A batch that is refused here is a bug of the caller, hence ``ValueError`` and no ``StoreError``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import lru_cache

from shared.ports import Append, LeaseLost, LogCorrupt, StoredRow, VaultRow
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of

CHUNK_ROWS = 2_000
"""Rows fetched at once: some 600 kB, or 5 ms during which SQLite cannot shorten its WAL."""

MAX_POSITION = Position(2**63 - 1)

FetchRows = Callable[[Position, Position, int], Awaitable[Sequence[StoredRow]]]
"""Rows after the first position, up to the second, in order, at most so many."""


# Tags and ids come back again and again; the bound keeps a flood of ids from filling the memory.
@lru_cache(maxsize=65_536)
def storable(text: str) -> str:
    """Return ``text`` if every database can hold it, else raise ``ValueError``.

    PostgreSQL knows no U+0000 in text, and a lone surrogate has no UTF-8.
    """
    if "\0" in text:
        raise ValueError("text for the store holds U+0000")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("text for the store holds a lone surrogate") from error
    return text


def check_batch(batch: Sequence[Append], leases: Mapping[int, int]) -> dict[int, int]:
    """Return the leases the batch needs, epoch by partition in ascending order.

    Raises ``ValueError`` if a workspace appears twice or without a lease, if its rows are not
    consecutive, or if some text cannot be stored.
    """
    if len({append.workspace_id for append in batch}) < len(batch):
        raise ValueError("a workspace appears twice in one batch")
    partitions = set()
    for append in batch:
        _check_append(append)
        partitions.add(partition_of(append.workspace_id))
    if missing := partitions - leases.keys():
        raise ValueError(f"the batch writes partition {min(missing)}, for which no lease is given")
    return {partition: leases[partition] for partition in sorted(partitions)}


def lease_lost(lacking: Sequence[int], needed: Mapping[int, int]) -> LeaseLost:
    """What is raised where these partitions are not held as the batch ``needed`` it."""
    first = lacking[0]
    return LeaseLost(f"partition {first} is no longer held at epoch {needed[first]}", lacking)


def _check_append(append: Append) -> None:
    storable(append.workspace_id)
    first = append.rows[0].position if append.rows else 0
    if first < 1:
        raise ValueError(f"nothing to append to {append.workspace_id}, or at a position below 1")
    for position, row in enumerate(append.rows, first):
        storable(row.topic)
        if row.position != position:
            raise ValueError(f"position {row.position} of {append.workspace_id} is out of turn")
    for text in append.vault:
        storable(text.ref)
        storable(text.subject)
    for erasure in append.erase:
        storable(erasure.subject)


def texts_to_keep(append: Append) -> Sequence[VaultRow]:
    """The new texts without those that are erased in the same commit."""
    upto: dict[str, Position] = {}
    for erasure in append.erase:
        upto[erasure.subject] = max(erasure.upto, upto.get(erasure.subject, erasure.upto))
    return [text for text in append.vault if text.position > upto.get(text.subject, Position(0))]


async def read_in_chunks(
    fetch: FetchRows, workspace_id: WorkspaceId, after: Position, upto: Position | None
) -> AsyncIterator[Sequence[StoredRow]]:
    """Yield what ``fetch`` finds until the head or ``upto``; every chunk is a statement of its own.

    Raises ``LogCorrupt`` at a gap, after the rows before it have been handed out.
    """
    last = MAX_POSITION if upto is None else upto
    while after < last:
        rows = await fetch(after, last, CHUNK_ROWS)
        whole = _before_gap(rows, after)
        if whole:
            yield whole
        after = Position(after + len(whole))
        if len(whole) < len(rows):
            raise LogCorrupt(f"position {after + 1} of workspace {workspace_id} is missing")
        if len(rows) < CHUNK_ROWS:
            return


def _before_gap(rows: Sequence[StoredRow], after: Position) -> Sequence[StoredRow]:
    if not rows or rows[-1].position == after + len(rows):
        return rows
    return [row for number, row in enumerate(rows, after + 1) if row.position == number]
