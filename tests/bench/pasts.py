"""``python -m tests.bench.pasts DIRECTORY``: how long the past of a big log takes, with snapshots.

A log of busy days is made by the core itself and written straight into a data directory, once; the
archivist's own code takes its snapshots, and then decisions at random positions are explained. What
is measured is the state, not the answer's way over the bus.
"""

import argparse
import asyncio
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import NamedTuple

import msgspec
from rich.console import Console

from services.archivist.keeping import Keeping
from shared.adapters.log_follower import CHUNK_EVENTS
from shared.adapters.open_store import Store, open_archive, open_store
from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.audit.past import Past, restored
from shared.ports.archive import Archive
from shared.routing.events import Actor, Decision, Envelope
from shared.routing.explain import explain
from shared.routing.following import Retracing
from shared.routing.ids import ConversationId, Position, UnixMs, WorkspaceId
from shared.routing.partition import partition_of
from shared.routing.state import Conversation
from shared.routing.transaction import Recorded
from shared.runtime.garbage import spare_what_lasts
from shared.runtime.logs import configure_logs
from shared.wire.log_codec import decode_event, encode_event
from tests.core.story import BEGINNING, Story, entry_point, group, logged_in, policy, registered

W = WorkspaceId("acme")
GROUPS = 20
CAPACITY = 4
EACH_MS = 20
"""Between two commands: a hundred thousand of them in half an hour."""
FORGET_EVERY = 20_000
"""Events after which the generator lets go of what was closed a while ago."""
BATCH = 20_000

TABLES = {
    "stored_events": "select count(*), total(length(state)), max(length(state)) from stored_events",
    "snapshots": "select count(*), total(length(body)), max(length(body)) from snapshots",
    "settled": "select count(*), total(length(body)), max(length(body)) from settled",
    "snapshot_commands": """
        select count(*), total(length(body)), max(length(body)) from snapshot_commands
    """,
}
FIGURES = ("explain, ms", "of it at work, ms", "events folded", "one conversation more, ms")
say = Console(highlight=False).print
_EVENTS = "insert into stored_events values (?, ?, ?, ?)"


class Days(Story):
    """Conversations opened, answered and closed, a few reopened, by visitors who come back."""

    def __init__(self, seed: int, operators: int) -> None:
        self.random = Random(seed)
        self.operators = [f"op-{number}" for number in range(operators)]
        self.under_way: list[ConversationId] = []
        self.closed: list[ConversationId] = []
        self.opened = 0
        super().__init__()

    def set_up(self) -> None:
        for number in range(GROUPS):
            self.given(group(f"g-{number}"), entry_point(f"e-{number}", f"g-{number}"))
        self.given(policy(missed_after_s=0, wrap_up_s=0))
        for number, operator_id in enumerate(self.operators):
            joins = f"g-{number % GROUPS}"
            self.given(registered(operator_id, joins, capacity=CAPACITY), logged_in(operator_id))

    def go_on(self) -> None:
        """One command of somebody, a little later."""
        self.at = UnixMs(self.at + EACH_MS)
        draw = self.random.random()
        busy = len(self.under_way) > len(self.operators) * CAPACITY * 3 // 4
        if not self.under_way or (draw < 0.2 and not busy):
            self._open()
        elif draw < 0.01:
            self._somebody_pauses()
        elif draw < 0.4 and busy:
            self._close()
        else:
            self._talk()

    def _say(self, actor: Actor, name: str, **fields: object) -> None:
        self.when(actor, name, cmd=f"cmd-{self.workspace.position}", **fields)

    def _open(self) -> None:
        if self.closed and self.random.random() < 0.03:
            again = self.random.choice(self.closed[-500:])
            conversation = self.workspace.conversations[again]
            if conversation.state == "closed":
                visitor = Actor("visitor", conversation.visitor_id)
                self._say(visitor, "write", conversation_id=again)
                self.under_way.append(again)
                return
        self.opened += 1
        its_id = ConversationId(f"c-{self.opened}")
        who = self.opened if self.random.random() < 0.6 else self.random.randint(1, self.opened)
        where = f"e-{self.random.randrange(GROUPS)}"
        visitor = Actor("visitor", f"v-{who}")
        self._say(visitor, "open", conversation_id=its_id, entry_point_id=where)
        if self.refusal is None:
            self.under_way.append(its_id)

    def _one(self) -> tuple[int, Conversation]:
        place = self.random.randrange(len(self.under_way))
        return place, self.workspace.conversations[self.under_way[place]]

    def _talk(self) -> None:
        _, conversation = self._one()
        if conversation.owner is not None and conversation.unanswered_since is not None:
            who = Actor("operator", conversation.owner)
            self._say(who, "reply", conversation_id=conversation.conversation_id)
        else:
            who = Actor("visitor", conversation.visitor_id)
            self._say(who, "write", conversation_id=conversation.conversation_id)

    def _close(self) -> None:
        place, conversation = self._one()
        if conversation.owner is None:
            return
        who = Actor("operator", conversation.owner)
        self._say(who, "close", conversation_id=conversation.conversation_id)
        self.under_way[place] = self.under_way[-1]
        self.under_way.pop()
        self.closed.append(conversation.conversation_id)

    def _somebody_pauses(self) -> None:
        who = Actor("operator", self.random.choice(self.operators))
        self._say(who, "set_status", status=self.random.choice(["busy", "online", "online"]))

    def forget(self) -> None:
        """Let go of conversations that nobody will reopen."""
        recent = dict.fromkeys(self.closed[-1_000:])
        for its_id in [one for one in self.workspace.closed if one not in recent]:
            del self.workspace.conversations[its_id], self.workspace.closed[its_id]
        self.closed = list(recent)


def story_of(
    events: int, operators: int, begins: UnixMs = BEGINNING
) -> Iterator[Sequence[Recorded]]:
    """The log in batches."""
    days = Days(7, operators)
    days.at = begins
    days.set_up()
    while True:
        if len(days.log) >= BATCH:
            yield days.log
            days.log = []
            if days.workspace.position >= events:
                return
            days.forget()
        days.go_on()


async def write(directory: Path, events: int, operators: int) -> None:
    """Make the log, unless there is one."""
    store = await open_store(f"sqlite:///{directory}")
    await store.close()
    with closing(sqlite3.connect(directory / DATABASE_FILE, isolation_level=None)) as file:
        if file.execute("select count(*) from workspaces").fetchone()[0]:
            return
        file.execute("pragma synchronous = off")
        file.execute("insert into workspaces values (?, ?, ?)", (W, partition_of(W), 0))
        for batch in story_of(events, operators):
            rows = [(W, position, *encode_event(envelope)) for position, envelope in batch]
            file.execute("begin")
            file.executemany(_EVENTS, rows)
            file.execute("commit")
            if batch[-1].position % 100_000 < BATCH:
                say(f"  {batch[-1].position:,} events written")


class Kept(NamedTuple):
    """What taking the snapshots took."""

    events: int
    seconds: float
    worked_s: float
    """Of the processor, in all threads."""
    stood_still_ms: float
    """The longest work of the loop's own thread before others got their turn."""


async def keep(store: Store) -> Kept:
    """Take all snapshots that are missing."""
    archive = Archive(store.events, store.snapshots, store.seals)
    keeping = Keeping(archive, store.snapshots, W)
    longest_s = 0.0

    async def tick() -> None:
        nonlocal longest_s
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            longest_s = max(longest_s, time.thread_time() - before)

    ticking = asyncio.create_task(tick())
    started, worked = time.perf_counter(), time.process_time()
    begun = position = await keeping.begin()
    held: list[tuple[Position, Envelope]] = []
    async for rows in store.events.read(W, begun):
        for row in rows:
            envelope = decode_event(row.topic, row.state)
            if envelope.first == row.position and len(held) >= CHUNK_EVENTS:
                await keeping.take(held)
                held = []
                await asyncio.sleep(0)
            held.append((row.position, envelope))
            position = row.position
    await keeping.take(held)
    ticking.cancel()
    seconds, worked_s = time.perf_counter() - started, time.process_time() - worked
    return Kept(position - begun, seconds, worked_s, longest_s * 1_000)


async def at(archive: Archive, position: Position) -> Past:
    """The state that the decision at a position was made on."""
    past = await restored(archive, W, position)
    assert past is not None
    following = Retracing(past.workspace)
    async for rows in archive.log.read(W, past.workspace.position, position):
        events = [(row.position, decode_event(row.topic, row.state)) for row in rows]
        await past.prepare(events)
        for at_position, envelope in events:
            following.feed(at_position, envelope)
    following.rest()
    return past


async def ask(directory: Path, asks: int) -> Iterator[tuple[str, list[float]]]:
    """Explain decisions at random positions, each as a process that has just opened the log."""
    archive = await open_archive(f"sqlite:///{directory}")
    head = await archive.log.head(W)
    random = Random(11)
    took: dict[str, list[float]] = {name: [] for name in FIGURES}
    while len(took["explain, ms"]) < asks:
        position = Position(random.randrange(20_000, head))
        (row,) = await archive.log.read_at(W, [position])
        event = decode_event(row.topic, row.state).data
        its_id = getattr(event, "conversation_id", None)
        if not isinstance(event, Decision) or its_id is None:
            continue
        started, worked = time.perf_counter(), time.process_time()
        past = await at(archive, Position(position - 1))
        await past.name(conversations=[its_id])
        msgspec.json.encode(explain(past.workspace, past.workspace.conversations[its_id]))
        took["explain, ms"].append((time.perf_counter() - started) * 1_000)
        took["of it at work, ms"].append((time.process_time() - worked) * 1_000)
        took["events folded"].append(position - 1 - past.abridged.since)
        closed = ConversationId(f"c-{random.randint(1, 1 + position // 40)}")
        started = time.perf_counter()
        await past.name(conversations=[closed])
        assert closed in past.workspace.conversations
        took["one conversation more, ms"].append((time.perf_counter() - started) * 1_000)
    await archive.close()
    return iter(took.items())


def sizes(directory: Path) -> Iterable[str]:
    with closing(sqlite3.connect(directory / DATABASE_FILE)) as file:
        for table, question in TABLES.items():
            rows, in_bytes, most = file.execute(question).fetchone()
            yield f"{table}: {rows:,} rows, {in_bytes / 1e6:,.1f} MB, largest {most:,} bytes"


def spread(values: Sequence[float]) -> str:
    cuts = quantiles(values, n=20)
    return f"median {median(values):,.1f}, 95% {cuts[-1]:,.1f}, worst {max(values):,.1f}"


async def measure(directory: Path, events: int, operators: int, asks: int) -> None:
    await write(directory, events, operators)
    store = await open_store(f"sqlite:///{directory}")
    kept = await keep(store)
    await store.close()
    say(
        f"followed {kept.events:,} events in {kept.seconds:,.1f} s, {kept.worked_s:,.1f} s at work,"
    )
    say(f"at most {kept.stood_still_ms:.1f} ms of it at once")
    for line in sizes(directory):
        say(line)
    for name, values in await ask(directory, asks):
        say(f"{name}: {spread(values)}")
    archive = await open_archive(f"sqlite:///{directory}")
    started = time.perf_counter()
    past = await restored(archive, W, await archive.log.head(W), everything=True)
    took_s = time.perf_counter() - started
    assert past is not None
    whole = {name: len(getattr(past.workspace, name)) for name in ("conversations", "visitors")}
    say(f"everything at position {past.workspace.position:,}: {took_s:.1f} s, {json.dumps(whole)}")
    await archive.close()


def main() -> None:
    """Make the log if need be, take what snapshots are missing, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="data directory; made if it is not there")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--operators", type=int, default=1_000)
    parser.add_argument("--asks", type=int, default=100)
    asked = parser.parse_args()
    configure_logs(level="warning")
    spare_what_lasts()
    asyncio.run(measure(asked.directory, asked.events, asked.operators, asked.asks))


if __name__ == "__main__":
    main()
