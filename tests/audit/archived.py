"""Logs with snapshots beside them, and what a state restored from those must agree on."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from services.archivist.keeping import Keeping, Settings
from shared.adapters.open_store import Store, open_store
from shared.audit.liveness import live_of, named_by
from shared.audit.past import Past, restored
from shared.ports import Append, StoredRow
from shared.ports.archive import Archive
from shared.routing.describe import describe
from shared.routing.events import Decision
from shared.routing.evolve import evolve
from shared.routing.explain import explain
from shared.routing.ids import ConversationId, Position, UnixMs, VisitorId, WorkspaceId
from shared.routing.partition import PARTITIONS
from shared.routing.relief import why_waiting
from shared.routing.route import next_decision
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from shared.wire.log_codec import encode_event
from tests.core.story import Story

ACME = WorkspaceId("acme")
Log = Sequence[Recorded]
NEVER = 2**30
"""Bytes for each event: nothing is ever so large that it is written more rarely."""
ABRIDGED = ("conversations", "visitors", "acquaintances")
"""The tables of which not everything need be there."""
NOTHING = b"null"
RELIEF_EVERY = 5
"""Positions: what would help those who wait takes long to find out."""


class WithCommandIds(Story):
    """A story in which every command has an id, so that retries of it are recognised."""

    def when(self, *told: Any, cmd: str | None = None, **fields: Any) -> Story:
        return super().when(*told, cmd=cmd or f"cmd-{len(self.log)}", **fields)


# --- keeping --------------------------------------------------------------------------------


class Archived(NamedTuple):
    """A log in a store, and the one who takes snapshots of it."""

    store: Store
    archive: Archive
    log: Log
    keeping: Keeping

    async def take(self, upto: Position, chunk: int = 1) -> None:
        """Follow the log, so many groups of events at a time, as far as they are whole by then."""
        begun = await self.keeping.begin()
        await follow(self.keeping, self.log[begun:upto], chunk)

    def another(self, every: int, bytes_per_event: int = NEVER) -> Keeping:
        """Somebody else who takes snapshots of the same log, beginning at its beginning."""
        settings = Settings(every, bytes_per_event)
        return Keeping(self.archive, self.store.snapshots, ACME, settings)


async def follow(keeping: Keeping, log: Log, chunk: int) -> None:
    """Hand over these events, so many whole groups of them at a time."""
    groups = [list(group) for _, group in groupby(log, key=lambda one: one.envelope.first)]
    for start in range(0, len(groups), chunk):
        await keeping.take([one for group in groups[start : start + chunk] for one in group])


def whole_groups(log: Log, upto: int) -> Position:
    """Where the last group ends that is over by then."""
    return Position(log[upto].envelope.first - 1) if upto < len(log) else log[-1].position


@asynccontextmanager
async def archived(log: Log, directory: Path, every: int) -> AsyncIterator[Archived]:
    """The log in a store of its own; nothing is kept beside it yet."""
    store = await open_store(f"sqlite:///{directory}")
    try:
        leases = dict(await store.leases.acquire("router", range(PARTITIONS)))
        rows = [StoredRow(one.position, *encode_event(one.envelope)) for one in log]
        await store.events.register_workspace(ACME, UnixMs(0))
        assert await store.events.append([Append(ACME, rows)], leases) == frozenset()
        archive = Archive(store.events, store.snapshots, store.seals)
        keeping = Keeping(archive, store.snapshots, ACME, Settings(every, NEVER))
        yield Archived(store, archive, log, keeping)
    finally:
        await store.close()


# --- agreeing -------------------------------------------------------------------------------


def step(workspace: Workspace, recorded: Recorded) -> None:
    """Fold one event, deciding before it what it was decided on."""
    position, envelope = recorded
    if envelope.first == position or isinstance(envelope.data, Decision):
        outstanding(workspace)
    evolve(workspace, envelope)


def outstanding(workspace: Workspace) -> bytes:
    """What is to be decided next, as it would stand in the log."""
    return b"" if workspace.is_cut else msgspec.json.encode(next_decision(workspace))


async def folded_on(past: Past, tail: Log) -> Workspace:
    await past.prepare(tail)
    for recorded in tail:
        step(past.workspace, recorded)
    return past.workspace


def explained(workspace: Workspace, its_id: ConversationId, *, at_rest: bool) -> list[bytes]:
    """Everything that is said of one conversation. Its place in line only ``at_rest``: within a
    group it depends on whether somebody looked before."""
    conversation = workspace.conversations[its_id]
    said: list[Any] = [explain(workspace, conversation)]
    if at_rest:
        said.append(workspace.place_in_line(conversation))
        if conversation.state == "waiting" and workspace.position % RELIEF_EVERY == 0:
            said.append(why_waiting(workspace, conversation))
    return [msgspec.json.encode(one) for one in said]


def agree(partial: Workspace, whole: Workspace, named: Iterable[tuple[str, str]] = ()) -> None:
    """Raises ``AssertionError`` unless both say the same of all that is live or named.

    Of what is neither, the partial one may say the same or nothing.
    """
    theirs, ours = describe(whole), describe(partial)
    for table in ABRIDGED:
        said, true = ours.pop(table), theirs.pop(table)
        assert said == {its_id: true.get(its_id) for its_id in said}
    for both in (theirs, ours):
        del both["commands"]
    assert ours == theirs
    live = live_of(whole)
    assert live == live_of(partial)
    wanted = {("conversation", c) for c in live.conversations} | set(named)
    wanted |= {("visitor", v) for v in live.visitors}
    wanted |= {("acquaintance", c) for c in live.contacts}
    for table, kind in zip(ABRIDGED, ("conversation", "visitor", "acquaintance"), strict=True):
        there = getattr(whole, table)
        missing = [key for key in wanted if key[0] == kind and key[1] in there]
        assert [key for key in missing if key[1] not in getattr(partial, table)] == []
    assert list(partial.conversations) == [
        c for c in whole.conversations if c in partial.conversations
    ]
    assert outstanding(partial) == outstanding(whole)
    at_rest = outstanding(whole) == NOTHING
    for its_id in partial.conversations:
        expected = explained(whole, its_id, at_rest=at_rest)
        assert explained(partial, its_id, at_rest=at_rest) == expected


async def prove(
    log: Log,
    directory: Path,
    seed: int,
    positions: int,
    chunk: int | None = None,
    *,
    twice: bool = False,
) -> int:
    """Restore at that many positions, and compare with the log folded from its beginning.

    ``chunk`` is how many groups of events are followed at once, with a snapshot after each of these
    chunks; else both are drawn. With ``twice`` somebody else takes snapshots of the same log in
    another rhythm. The result is the number of snapshots begun from.
    """
    draw = Random(seed)
    every = draw.choice([1, 7, 20, 60]) if chunk is None else 1
    chunk = chunk or draw.choice([1, 3, 9])
    begun: set[Position] = set()
    async with archived(log, directory, every) as kept:
        await kept.take(log[-1].position, chunk)
        if twice:
            await follow(kept.another(draw.choice([1, 11, 30])), log, draw.choice([1, 2, 5]))
        wanted = set(draw.sample(range(1, len(log) + 1), min(positions, len(log))))
        whole = Workspace(workspace_id=ACME)
        for recorded in log:
            step(whole, recorded)
            if recorded.position in wanted:
                past = await restored(kept.archive, ACME, recorded.position)
                if past is not None:
                    begun.add(past.workspace.position)
                    await _prove_one(past, log, whole, draw)
    return len(begun)


async def _prove_one(past: Past, log: Log, whole: Workspace, draw: Random) -> None:
    """With and without its being asked about everything there was."""
    tail = log[past.workspace.position : whole.position]
    half = draw.randrange(len(tail) + 1)
    await folded_on(past, tail[:half])
    if draw.random() < 0.5:
        some = draw.sample(sorted(whole.conversations), len(whole.conversations) // 2)
        await past.name(conversations=map(ConversationId, some))
        assert [c for c in some if c in past.workspace.conversations] == [
            c for c in some if whole.conversations[c].positions[0] <= past.workspace.position
        ]
    partial = await folded_on(past, tail[half:])
    agree(partial, whole, named_by(tail))
    await past.name(whole.conversations, map(VisitorId, whole.visitors), whole.acquaintances)
    agree(partial, whole)
    for table in ABRIDGED:
        assert len(getattr(partial, table)) == len(getattr(whole, table))
