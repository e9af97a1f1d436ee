"""How long a router takes to answer that takes over a workspace with a long log, and what it holds.

The log is made by the core itself and ends about now, so that all of the last hour's commands have
to be known for their retries. A real router is started on it again and again: without snapshots,
which is a fold of everything, and with those that the archivist's own code has taken. Each time the
first command is a visitor's who was never there before.

``python -m tests.bench.restart [--events N]``
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter, time
from typing import NamedTuple

import asyncpg

from shared.adapters.open_store import open_store
from shared.routing.ids import UnixMs
from shared.runtime.logs import configure_logs
from shared.wire.log_codec import encode_event
from tests.bench.figures import Row, processor_s, resident_mb, row
from tests.bench.pasts import EACH_MS, W, keep, story_of
from tests.servers.client import Client
from tests.servers.nats import nats_server
from tests.servers.postgres import postgres_server
from tests.servers.process import Process
from tests.servers.streams import last_in_stream
from tests.servers.waiting import until

EVENTS = 1_000_000
GOAL = "<= 2"
OPERATORS = 1_000
_COMMANDS_EACH = 0.75
"""Commands for each event, roughly: they tell when the log has to begin to end about now."""
_READY_WITHIN_S = 600.0
_PUBLISHED_WITHIN_S = 900.0
_COLUMNS = ("originator_id", "originator_version", "topic", "state")


class Start(NamedTuple):
    """One start of a router."""

    seconds: float
    worked_s: float
    """Of the processor, until then."""
    memory_mb: float


async def write(url: str, events: int) -> None:
    """Make the log."""
    store = await open_store(url, migrate=True)
    begins = UnixMs(int(time() * 1_000) - int(events * _COMMANDS_EACH) * EACH_MS)
    await store.events.register_workspace(W, begins)
    connection = await asyncpg.connect(url)
    for batch in story_of(events, OPERATORS, begins):
        rows = [(W, position, *encode_event(envelope)) for position, envelope in batch]
        await connection.copy_records_to_table("stored_events", records=rows, columns=_COLUMNS)
    await connection.execute("vacuum analyze stored_events")
    await connection.close()
    await store.close()


class Routers:
    """Routers that follow one another on the same log."""

    def __init__(self, directory: Path, nats_url: str, store_url: str) -> None:
        servers = {"FERNAMT_NATS_URL": nats_url, "FERNAMT_STORE_URL": store_url}
        self._process = Process("router", directory, servers, ready_within_s=_READY_WITHIN_S)
        self._nats_url = nats_url
        self._number = 0

    async def start(self) -> Start:
        """One more, to its first answer; it is stopped after a while."""
        self._number += 1
        client = await Client.connect(self._nats_url)
        began = perf_counter()
        await asyncio.to_thread(self._process.start)
        try:
            its_id = f"new-{self._number}"
            opening = {"conversation_id": its_id, "entry_point_id": "e-1"}
            answer = await client.command(W, "visitor", f"new-{its_id}", "open", opening)
            seconds, worked_s = perf_counter() - began, processor_s(self._process.pid)
            assert answer["ok"], answer
            await self._published(client, answer["position"])
            await until("it knows what is settled", self._knows_settled)
            return Start(seconds, worked_s, resident_mb(self._process.pid))
        finally:
            await client.close()
            assert await asyncio.to_thread(self._process.stop) == 0, self._process.stderr

    async def _knows_settled(self) -> bool:
        """Whether the last one is done with what it reads beside serving."""
        _, _, since = self._process.stderr.rpartition('"from_snapshot": ')
        return since.startswith("0,") or "settled_keys_known" in since

    async def _published(self, client: Client, position: int) -> None:
        """Wait until the stream has everything: the first of them has all of the log to publish."""

        async def has_it() -> bool:
            return await last_in_stream(client, W) >= position

        await until("all events are in the stream", has_it, _PUBLISHED_WITHIN_S)


async def rows(rounds: int, *, events: int = EVENTS) -> Sequence[Row]:
    """Measure with a log of so many events."""
    with (
        tempfile.TemporaryDirectory(prefix="fernamt-restart-") as name,
        postgres_server() as postgres,
        nats_server() as nats,
    ):
        await write(postgres.url, events)
        routers = Routers(Path(name), nats.url, postgres.url)
        await routers.start()
        folded = [await routers.start()]
        store = await open_store(postgres.url)
        await keep(store)
        await store.close()
        taken_over = [await routers.start() for _ in range(rounds)]
    what = f"restart, {events:,} events"
    return [*_rows(what, taken_over, GOAL), *_rows(f"{what}, no snapshots", folded)]


def _rows(what: str, starts: Sequence[Start], goal: str = "") -> Iterator[Row]:
    yield row(f"{what}: first answer", "s", [one.seconds for one in starts], goal=goal)
    yield row(f"{what}: processor time", "s", [one.worked_s for one in starts])
    yield row(f"{what}: memory", "MB", [one.memory_mb for one in starts])


def main() -> None:
    """Measure this alone and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    configure_logs(level="warning")
    for one in asyncio.run(rows(asked.rounds, events=asked.events)):
        print(f"{one.name}: {one.ours.median:,.2f} {one.unit} {one.ours.range}")  # noqa: T201


if __name__ == "__main__":
    main()
