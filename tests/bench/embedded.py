"""The embedded store: what a router writes to SQLite, against what the library alone could write.

Both write rows of the same bytes, durably. The library's recorder is given a thousand at once and
has nothing else to do; the router takes messages, decides and answers. Presence runs beside it, or
it would note that it is missing.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import open_log
from shared.ports import StoredRow
from shared.routing.ids import Position, WorkspaceId
from tests.bench.figures import Row, row
from tests.bench.lean_nats import LeanNats
from tests.bench.load import closed_loop
from tests.bench.office import Said, Visitors
from tests.bench.opening_hours import settle
from tests.bench.rounds import IN_FLIGHT, Plan, request_of, shows, undisturbed
from tests.bench.sides import running
from tests.servers.engine import fernamt
from tests.servers.nats import nats_server

WORKSPACE = WorkspaceId("embedded")
BATCH = 1_000


async def rows(plan: Plan) -> list[Row]:
    """The router and the recorder in turn, each with a file of its own on the same disk."""
    ours: list[float] = []
    library: list[float] = []
    with tempfile.TemporaryDirectory(prefix="fernamt-embedded-") as name, nats_server() as nats:
        store = f"sqlite:///{name}/data"
        servers = ("--nats", nats.url, "--store", store, "--log-level", "warning")
        with running(fernamt("run", "router", "presence", *servers)):
            house = await _House.open(nats.url, store)
            written = await house.first()
            recorder = _Recorder(Path(name) / "library.db", written)
            for _ in range(plan.rounds):
                library.append(recorder.rate(plan.conversations * len(written)))
                ours.append(await house.rate(plan.conversations) * len(written))
            await house.close()
            recorder.close()
    name = "events on SQLite (floor: the library's recorder alone)"
    return [row(name, "1/s", ours, library, goal=">= 0.25")]


class _House:
    """The router's workspace, and a visitor after another."""

    def __init__(self, bus: NatsBus, client: LeanNats, store: str) -> None:
        self._bus = bus
        self._client = client
        self._store = store
        self._visitors = Visitors(seed=7)

    @classmethod
    async def open(cls, nats_url: str, store: str) -> "_House":
        bus = await NatsBus.connect(NatsSettings(url=nats_url, name="bench"))
        await settle(bus, WORKSPACE)
        return cls(bus, await LeanNats.connect(nats_url), store)

    async def close(self) -> None:
        await self._client.close()
        await self._bus.close()

    async def first(self) -> Sequence[StoredRow]:
        """What opening a conversation writes."""
        head = await self._head()
        await self._open(1)
        return await self._rows(head)

    async def rate(self, conversations: int) -> float:
        """Conversations a second."""
        head = await self._head()
        opened, rate = await self._open(conversations)
        assert await self._head() == head + 2 * conversations
        await self._say([self._visitors.closing(said) for said in opened], "closed")
        return rate

    async def _open(self, conversations: int) -> tuple[Sequence[Said], float]:
        openings = [self._visitors.opening() for _ in range(conversations)]
        return openings, await self._say(openings, "assigned")

    async def _say(self, said: Sequence[Said], state: str) -> float:
        make = [request_of(WORKSPACE, one) for one in said].__getitem__
        total, judge = len(said), shows(state)
        with undisturbed():
            result = await closed_loop(
                self._client, make, in_flight=IN_FLIGHT, total=total, judge=judge
            )
        assert (result.n, result.errors) == (total, 0), f"{result.errors} wrong of {total}"
        return result.rate

    async def _head(self) -> Position:
        log = await open_log(self._store)
        try:
            return await log.head(WORKSPACE)
        finally:
            await log.close()

    async def _rows(self, after: Position) -> Sequence[StoredRow]:
        log = await open_log(self._store)
        try:
            return [row async for rows in log.read(WORKSPACE, after) for row in rows]
        finally:
            await log.close()


class _Recorder:
    """The library's own, as it comes; SQLite's default is to have every commit on disk."""

    def __init__(self, path: Path, rows: Sequence[StoredRow]) -> None:
        self._datastore = SQLiteDatastore(str(path), originator_id_type="text")
        self._recorder = SQLiteApplicationRecorder(self._datastore)
        self._recorder.create_table()
        with self._datastore.transaction(commit=False) as cursor:
            cursor.execute("pragma synchronous")
            assert cursor.fetchone()[0] == 2, "what is measured would not be durable"
        self._rows = rows
        self._position = 0

    def rate(self, events: int) -> float:
        """Events a second, a thousand in each transaction."""
        batches = [self._batch() for _ in range(max(1, events // BATCH))]
        began = perf_counter()
        for batch in batches:
            self._recorder.insert_events(batch)
        return len(batches) * BATCH / (perf_counter() - began)

    def _batch(self) -> list[StoredEvent]:
        first, self._position = self._position, self._position + BATCH
        like = self._rows
        return [
            StoredEvent(WORKSPACE, at + 1, like[at % len(like)].topic, like[at % len(like)].state)
            for at in range(first, first + BATCH)
        ]

    def close(self) -> None:
        self._datastore.close()
