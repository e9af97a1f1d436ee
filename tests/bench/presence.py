"""What heartbeats cost: 100,000 sessions in one presence process, at one heartbeat each 15 s.

The log that it reads is written here, with as many operators as sessions; there is no router, and
its reports are answered here. Each
stretch of heartbeats ends with one of a session that the log does not know: once presence asks the
router about that, it has handled all that came before. Nothing fails for being slow; it fails if a
session that beat is reported.

``python -m tests.bench.presence [--sessions N]``
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import open_store
from shared.ports import Append, Message, StoredRow
from shared.routing import events as e
from shared.routing.events import Envelope, EventUnion
from shared.routing.ids import OperatorId, Position, RoleId, SessionId, UnixMs, WorkspaceId
from shared.routing.partition import PARTITIONS
from shared.routing.revision import REVISION
from shared.wire.log_codec import encode_event
from shared.wire.replies import answered
from shared.wire.subjects import Beat, subject_of
from tests.bench.figures import Row, processor_s, resident_mb, row
from tests.servers.nats import nats_server
from tests.servers.process import Process

SESSIONS = 100_000
WORKSPACES = 100
EVERY_S = 15.0
BURST = 200_000
"""Heartbeats sent as fast as possible: fewer bytes than the broker keeps for a slow reader."""
_SLICE_S = 0.02
_BEGINNING = UnixMs(1_750_000_000_000)


def _facts(workspace_id: WorkspaceId, operators: int) -> Iterator[EventUnion]:
    yield e.WorkspaceCreated(workspace_id, workspace_id, "UTC", "en")
    for number in range(operators):
        yield e.OperatorRegistered(
            operator_id=OperatorId(f"operator-{number}"),
            kind="human",
            name=None,
            email=None,
            role_id=RoleId("staff"),
            capacity=5,
            skills=(),
            locale=None,
        )
        yield e.OperatorLoggedIn(OperatorId(f"operator-{number}"), SessionId(f"device-{number}"))


async def _write(store_url: str, workspaces: Sequence[WorkspaceId], operators: int) -> None:
    store = await open_store(store_url, migrate=True)
    leases = await store.leases.acquire("bench", range(PARTITIONS))
    epochs = {lease.partition: lease.epoch for lease in leases}
    for workspace_id in workspaces:
        await store.events.register_workspace(workspace_id, _BEGINNING)
        rows = []
        for number, fact in enumerate(_facts(workspace_id, operators), 1):
            position = Position(number)
            envelope = Envelope(at=_BEGINNING, first=position, rev=REVISION, epoch=1, data=fact)
            rows.append(StoredRow(position, *encode_event(envelope)))
        assert not await store.events.append([Append(workspace_id, rows)], epochs)
        await store.leases.renew("bench", leases)
    await store.leases.release("bench", leases)
    await store.close()


class Beating:
    """Sends heartbeats of every session in turn, and overhears what presence reports."""

    def __init__(self, bus: NatsBus, process: Process, subjects: Sequence[str]) -> None:
        self._bus = bus
        self._process = process
        self._subjects = subjects
        self._next = 0
        self._marks = 0
        self._asked = asyncio.Event()
        self._expected = ""
        self.lapses = 0

    async def listen(self) -> None:
        await self._bus.subscribe("fernamt.v1.cmd.*.service.presence.*", self._on_report)

    def _on_report(self, message: Message) -> None:
        if message.subject.endswith(".session_lapsed"):
            self.lapses += 1
        elif self._expected.encode() in message.data:
            self._asked.set()
        self._bus.publish(message.reply, answered(Position(1), _BEGINNING, {}).body)

    def send(self, number: int) -> None:
        """The next so many heartbeats; every tenth says that the person did something."""
        for _ in range(number):
            self._next = (self._next + 1) % len(self._subjects)
            body = b'{"active":true}' if self._next % 10 == 0 else b"{}"
            self._bus.publish(self._subjects[self._next], body)

    async def handled(self) -> None:
        """Wait until all that was sent was handled."""
        self._marks += 1
        self._expected = f"mark-{self._marks}"
        self._asked.clear()
        mark = f"{self._subjects[0].rpartition('.')[0]}.{self._expected}"
        self._bus.publish(mark, b"")
        async with asyncio.timeout(60):
            await self._asked.wait()

    async def steadily(self, seconds: float) -> float:
        """At the rate of real desks; the share of one core that presence used, in percent."""
        await self.handled()
        per_s = len(self._subjects) / EVERY_S
        before, begun, sent = processor_s(self._process.pid), perf_counter(), 0
        while (gone := perf_counter() - begun) < seconds:
            due = int(gone * per_s)
            self.send(due - sent)
            sent = due
            await _slice()
        await self.handled()
        return 100 * (processor_s(self._process.pid) - before) / (perf_counter() - begun)

    async def at_most(self, number: int) -> float:
        """As fast as they are taken; heartbeats a second."""
        await self.handled()
        begun = perf_counter()
        for _ in range(number // 1_000):
            self.send(1_000)
            await asyncio.sleep(0)
        await self.handled()
        return number / (perf_counter() - begun)


async def _slice() -> None:
    """Let a moment of the load's own time pass."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(_SLICE_S, over.set)
    await over.wait()


async def rows(
    rounds: int, seconds: float, *, sessions: int = SESSIONS, burst: int = BURST
) -> list[Row]:
    """Measure one process with so many sessions."""
    workspaces = [WorkspaceId(f"w{number}") for number in range(WORKSPACES)]
    each = sessions // WORKSPACES
    with tempfile.TemporaryDirectory(prefix="fernamt-presence-") as name, nats_server() as nats:
        store_url = f"sqlite:///{name}/data"
        await _write(store_url, workspaces, each)
        servers = {"FERNAMT_NATS_URL": nats.url, "FERNAMT_STORE_URL": store_url}
        process = Process("presence", Path(name), servers)
        begun = perf_counter()
        process.start()
        started_s = perf_counter() - begun
        bus = await NatsBus.connect(NatsSettings(url=nats.url, name="desks"))
        try:
            subjects = [
                subject_of(Beat(one, OperatorId(f"operator-{n}"), SessionId(f"device-{n}")))
                for n in range(each)
                for one in workspaces
            ]
            beating = Beating(bus, process, subjects)
            await beating.listen()
            shares = [await beating.steadily(seconds) for _ in range(rounds)]
            fastest = [await beating.at_most(burst) for _ in range(rounds)]
            memory = resident_mb(process.pid)
            assert beating.lapses == 0, f"{beating.lapses} sessions that beat were reported"
        finally:
            await bus.close()
            process.kill()
    what = f"presence of {sessions:,}"
    return [
        row(f"{what}, a core at {sessions / EVERY_S:,.0f} beats/s", "%", shares),
        row(f"{what}, beats at most", "1/s", fastest),
        row(f"{what}, memory", "MB", [memory]),
        row(f"{what}, start", "s", [started_s]),
    ]


def main() -> None:
    """Measure this alone and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    sessions = parser.parse_args().sessions
    for one in asyncio.run(rows(3, 8, sessions=sessions)):
        print(f"{one.name}: {one.ours.median:,.1f} {one.unit} {one.ours.range}")  # noqa: T201


if __name__ == "__main__":
    main()
