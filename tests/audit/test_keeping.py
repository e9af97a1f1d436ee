"""When snapshots are taken, what goes into them, and what becomes of those that fail."""

import itertools
from pathlib import Path

import pytest

from services.archivist.keeping import Keeping, Settings
from shared.adapters.open_store import Store
from shared.adapters.sqlite_snapshots import SqliteSnapshots
from shared.audit.past import SnapshotsGone, restored
from shared.audit.snapshots import COMMANDS_IN_A_PIECE, fold_key
from shared.ports import CommitInDoubt, StoreUnavailable
from shared.ports.archive import Snapshot
from shared.routing.describe import state_hash
from shared.routing.ids import Position, WorkspaceId
from shared.routing.workspace import Workspace
from tests.audit.archived import (
    ACME,
    NEVER,
    Archived,
    Log,
    WithCommandIds,
    archived,
    folded_on,
    follow,
    step,
)
from tests.core.wanderer import Wanderer
from tests.golden.record import golden
from tests.servers.vandal import run_as_vandal

END = Position(2**62)


def wandered() -> Log:
    story = WithCommandIds()
    Wanderer(5).wander(story, 200)
    return story.log


def whole(log: Log, upto: Position) -> str:
    """The hash of the state that the log leads to."""
    workspace = Workspace(workspace_id=ACME)
    for recorded in log[:upto]:
        step(workspace, recorded)
    return state_hash(workspace)


async def positions(kept: Archived) -> list[Position]:
    """Of all snapshots, the last first."""
    found: list[Position] = []
    upto = END
    while (head := await kept.archive.snapshots.latest(ACME, fold_key(), upto)) is not None:
        found.append(head.position)
        upto = Position(head.position - 1)
    return found


async def test_a_snapshot_is_taken_after_so_many_events_and_at_the_end_of_a_group(
    tmp_path: Path,
) -> None:
    log = golden("a_day")
    firsts = {one.envelope.first for one in log} | {log[-1].position + 1}
    async with archived(log, tmp_path, every=25) as kept:
        await kept.take(log[-1].position)
        taken = [Position(0), *reversed(await positions(kept))]
        assert len(taken) > 3
        for before, after in itertools.pairwise(taken):
            assert after + 1 in firsts
            assert not [end for end in firsts if before + 25 <= end - 1 < after]


async def test_large_heads_are_written_more_rarely(tmp_path: Path) -> None:
    log = wandered()
    async with archived(log, tmp_path, every=1) as kept:
        await follow(kept.another(every=20, bytes_per_event=20), log, 1)
        taken = await positions(kept)
        for after, before in itertools.pairwise(taken):
            head = await kept.archive.snapshots.latest(ACME, fold_key(), before)
            assert head is not None
            assert after - before >= max(20, len(head.body) // 20)
        assert 2 < len(taken) < len(log) // 40


async def test_many_commands_are_written_more_rarely_and_begun_from(tmp_path: Path) -> None:
    log = wandered()
    end = log[-1].position
    async with archived(log, tmp_path, every=1) as kept:
        await follow(kept.another(every=20, bytes_per_event=60), log, 1)
        commands = await kept.archive.snapshots.commands(ACME, fold_key())
        newest = (await positions(kept))[0]
        assert commands is not None
        assert commands.position < newest
        past = await restored(kept.archive, ACME, end, everything=True)
        assert past is not None
        assert past.workspace.position == commands.position
        partial = await folded_on(past, log[commands.position :])
        assert state_hash(partial) == whole(log, end)
        assert await kept.keeping.begin() == commands.position
        await follow(kept.keeping, log[commands.position :], 1)
        past = await restored(kept.archive, ACME, end, everything=True)
        assert past is not None
        assert past.workspace.position == end
        assert state_hash(past.workspace) == whole(log, end)


async def test_more_commands_than_go_into_a_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert COMMANDS_IN_A_PIECE > 100
    monkeypatch.setattr("shared.audit.snapshots.COMMANDS_IN_A_PIECE", 7)
    log = wandered()
    end = log[-1].position
    async with archived(log, tmp_path, every=1) as kept:
        await kept.take(end)
        commands = await kept.archive.snapshots.commands(ACME, fold_key())
        assert commands is not None
        assert len(commands.pieces) > 2
        past = await restored(kept.archive, ACME, end, everything=True)
        assert past is not None
        assert state_hash(past.workspace) == whole(log, end)


class Failing(SqliteSnapshots):
    """Fails before or after it wrote, every other time."""

    def __init__(self, store: Store, failure: type[Exception]) -> None:
        inner = store.snapshots
        assert isinstance(inner, SqliteSnapshots)
        super().__init__(inner._writer, inner._reader)
        self._failure = failure
        self.calls = 0

    async def add(self, workspace_id: WorkspaceId, fold: str, snapshot: Snapshot) -> None:
        self.calls += 1
        if self.calls % 2 and self._failure is StoreUnavailable:
            raise StoreUnavailable("nothing was written")
        await super().add(workspace_id, fold, snapshot)
        if self.calls % 2:
            raise CommitInDoubt("it was written, perhaps")


@pytest.mark.parametrize("failure", [StoreUnavailable, CommitInDoubt])
async def test_what_could_not_be_written_is_written_when_the_events_come_again(
    failure: type[Exception], tmp_path: Path
) -> None:
    log = wandered()
    end = log[-1].position
    async with archived(log, tmp_path, every=20) as kept:
        failing = Failing(kept.store, failure)
        keeping = Keeping(kept.archive, failing, ACME, Settings(20, NEVER))
        groups = [*sorted({one.envelope.first for one in log}), Position(end + 1)]
        for first, following in itertools.pairwise(groups):
            group = log[first - 1 : following - 1]
            try:
                await keeping.take(group)
            except (StoreUnavailable, CommitInDoubt):
                await keeping.take(group)
        assert failing.calls > 10
        past = await restored(kept.archive, ACME, end, everything=True)
        assert past is not None
        partial = await folded_on(past, log[past.workspace.position :])
        assert state_hash(partial) == whole(log, end)


async def test_whoever_finds_the_tables_empty_gives_up_instead_of_writing(tmp_path: Path) -> None:
    log = wandered()
    async with archived(log, tmp_path, every=20) as kept:
        await kept.take(Position(log[200].envelope.first - 1))
        for table in ("snapshots", "settled"):
            await run_as_vandal(f"sqlite:///{tmp_path}", f"delete from {table}")  # noqa: S608
        rest = log[log[200].envelope.first - 1 :]
        with pytest.raises(SnapshotsGone):
            await follow(kept.keeping, rest, 1)
        assert await positions(kept) == []
        assert await kept.keeping.begin() == 0
