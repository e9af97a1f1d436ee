"""What the commit costs a command: rows of openings into the store that comes built in.

As many commands share a transaction as do under load. With a server's database see the rounds of
the whole; what counts here is the share of one command, disk and all.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from shared.adapters.open_store import Store, open_store
from shared.ports import Append, StoredRow
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.partition import partition_of
from shared.wire.log_codec import Stored, encode_event
from tests.bench.choosing import Core
from tests.bench.figures import Row, row

W = WorkspaceId("bench")
COMMANDS_AT_ONCE = 400
"""Each makes two rows: a thousand rows are the most that a batch takes."""
_DESK = 100


def rows(rounds: int, batches: int) -> Iterator[Row]:
    """A line in the table of stages: the share of one command in a commit."""
    yield row("opening: commit", "µs", asyncio.run(_shares_us(rounds, batches)))


async def _shares_us(rounds: int, batches: int) -> Sequence[float]:
    said = _encoded(rounds * batches * COMMANDS_AT_ONCE)
    with tempfile.TemporaryDirectory(prefix="fernamt-bench-") as directory:
        store = await open_store(f"sqlite:///{Path(directory) / 'data'}")
        try:
            return [await _share_us(store, said, batches) for _ in range(rounds)]
        finally:
            await store.close()


def _encoded(commands: int) -> Iterator[list[Stored]]:
    core = Core(_DESK, -(-commands // _DESK))  # places enough for all
    for number in range(commands):
        yield [encode_event(one.envelope) for one in core.recorded(core.opened(number))]


async def _share_us(store: Store, said: Iterator[list[Stored]], batches: int) -> float:
    """Mean of so many commits, each in the store before the next is sent."""
    leases = dict(await store.leases.acquire("bench", [partition_of(W)]))
    await store.events.register_workspace(W, UnixMs(0))
    head = await store.events.head(W)
    spent_s = 0.0
    for _ in range(batches):
        batch = [one for _ in range(COMMANDS_AT_ONCE) for one in next(said)]
        stored = [StoredRow(Position(n), *one) for n, one in enumerate(batch, head + 1)]
        began = perf_counter()
        assert not await store.events.append([Append(W, stored)], leases)
        spent_s += perf_counter() - began
        head = stored[-1].position
    return spent_s / batches / COMMANDS_AT_ONCE * 1e6
