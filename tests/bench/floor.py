"""The floor that results are stated against: everything the engine does but deciding.

A process of its own that takes the same messages from the same broker, appends as many rows of the
same bytes through the same group commit, and only then sends a reply, feed messages and events of
the same bytes. It keeps no state, decodes nothing and chooses nothing. What it sends was recorded
from the engine in the same run (``Shape``).

``python -m tests.bench.floor --nats URL --store URL --workspace ID --shapes FILE``
"""

import argparse
import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvloop

from services.router.commits import ROWS_MAX
from services.router.relay import Relay
from shared.adapters.clocks import SystemClock
from shared.adapters.event_stream import EventStream
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import Store, open_store
from shared.ports import Append, Message, StoredRow
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of
from shared.runtime.duty import Duty
from shared.runtime.logs import configure_logs
from shared.runtime.signals import stop_requested
from shared.runtime.tasks import Tasks
from shared.wire.subjects import commands_of


class Shape(msgspec.Struct, frozen=True):
    """What one command made the engine write and say: topics or subjects, each with its bytes."""

    rows: tuple[tuple[str, str], ...]
    reply: str
    feeds: tuple[tuple[str, str], ...]


Shapes = dict[str, Shape]
"""By kind of actor and name of the command, as ``Said.sort`` has it."""


class _Sent(NamedTuple):
    """A shape as it is sent, encoded once."""

    rows: tuple[tuple[str, bytes], ...]
    reply: bytes
    feeds: tuple[tuple[str, bytes], ...]


class _Waiting(NamedTuple):
    reply: str
    sent: _Sent
    rows: list[StoredRow]


class Floor:
    """Takes messages and answers them after the commit. ``run`` serves until cancelled."""

    def __init__(
        self, bus: NatsBus, store: Store, workspace_id: WorkspaceId, epochs: Mapping[int, int]
    ) -> None:
        self._bus = bus
        self._store = store
        self._workspace_id = workspace_id
        self._epochs = epochs
        self._position = 0
        self._line: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self.relay = Relay(store.events, EventStream(bus))

    async def listen(self, shapes: Shapes) -> None:
        """Answer every command of ``shapes`` from now on."""
        sent = {name: _encoded(shape) for name, shape in shapes.items()}

        def on_message(message: Message) -> None:
            *_, kind, _actor, name = message.subject.split(".")
            self._take(message.reply, sent[f"{kind}.{name}"])

        self.relay.resume(self._workspace_id, Position(0))
        await self._bus.subscribe(commands_of(self._workspace_id), on_message)

    def _take(self, reply: str, sent: _Sent) -> None:
        first = self._position + 1
        rows = [
            StoredRow(Position(position), topic, state)
            for position, (topic, state) in enumerate(sent.rows, first)
        ]
        self._position += len(rows)
        self._line.append(_Waiting(reply, sent, rows))
        self._wake.set()

    async def run(self) -> None:
        """Commit whatever is waiting, whenever the store is free."""
        while True:
            batch = self._batch()
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            rows = [row for waiting in batch for row in waiting.rows]
            lost = await self._store.events.append([Append(self._workspace_id, rows)], self._epochs)
            assert not lost
            for waiting in batch:
                self._answer(waiting)

    def _batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        rows = 0
        while self._line and rows < ROWS_MAX:
            batch.append(self._line.popleft())
            rows += len(batch[-1].rows)
        return batch

    def _answer(self, waiting: _Waiting) -> None:
        self._bus.publish(waiting.reply, waiting.sent.reply)
        for subject, data in waiting.sent.feeds:
            self._bus.publish(subject, data)
        self.relay.offer(self._workspace_id, waiting.rows)


def _encoded(shape: Shape) -> _Sent:
    return _Sent(
        tuple((topic, state.encode()) for topic, state in shape.rows),
        shape.reply.encode(),
        tuple((subject, data.encode()) for subject, data in shape.feeds),
    )


async def _serve(nats: str, url: str, workspace_id: WorkspaceId, shapes: Shapes) -> None:
    stopping = stop_requested()
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(url, name="floor")
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(NatsSettings(url=nats, name="floor"))
        stack.push_async_callback(bus.close)
        duty = Duty(store.leases, SystemClock(), "floor")
        assert await duty.take([partition_of(workspace_id)])
        floor = Floor(bus, store, workspace_id, duty.epochs)
        tasks = Tasks()
        stack.push_async_callback(tasks.stop)
        tasks.start(duty.keep(), "leases")
        tasks.start(floor.relay.run(), "relay")
        tasks.start(floor.run(), "commits")
        await floor.listen(shapes)
        print("ready", flush=True)  # noqa: T201 - what the starting process waits for
        await _first_of(stopping.wait(), tasks.failed())
        await duty.give_up()


async def _first_of(*awaited: Coroutine[Any, Any, object]) -> None:
    """Return as the first of them does, or raise what it raised."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    for task in done:
        task.result()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nats", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--shapes", required=True, type=Path)
    given = parser.parse_args()
    configure_logs(level="warning")
    shapes = msgspec.json.decode(given.shapes.read_bytes(), type=Shapes)
    uvloop.run(_serve(given.nats, given.store, WorkspaceId(given.workspace), shapes))


if __name__ == "__main__":
    main()
