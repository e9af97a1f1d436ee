"""``verify`` compares what is kept beside the log with the log folded from its beginning."""

import sqlite3
import zlib
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import msgpack

from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.audit.checking_snapshots import SnapshotCheck
from shared.audit.snapshots import compressed, fold_key
from shared.audit.verifying import Finding, Verified, verify
from shared.routing.ids import Position
from shared.routing.state import Conversation, Visitor
from tests.audit.archived import ACME, Archived, WithCommandIds, archived
from tests.core.wanderer import Wanderer

SHAPES = {"conversation": Conversation, "visitor": Visitor}
EVERY = 30


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Archived]:
    """A history with a snapshot every so many events."""
    story = WithCommandIds()
    Wanderer(3).wander(story, 200)
    async with archived(story.log, tmp_path / "data", EVERY) as one:
        await one.take(one.log[-1].position)
        yield one


async def checked(kept: Archived, until: int | None = None) -> Verified:
    return await verify(kept.archive, ACME, until=None if until is None else Position(until))


async def test_au05_snapshots_of_a_sound_log_are_what_it_comes_to(kept: Archived) -> None:
    found = await checked(kept)
    assert found.findings == ()
    assert found.snapshots >= len(kept.log) // (2 * EVERY)
    assert 0 < (await checked(kept, 100)).snapshots < found.snapshots


@pytest.mark.parametrize("seed", range(4))
async def test_au05_snapshots_of_any_history_agree(seed: int, tmp_path: Path) -> None:
    story = WithCommandIds()
    Wanderer(seed).wander(story, 150)
    async with archived(story.log, tmp_path / "data", 7) as one:
        await one.take(one.log[-1].position, 3)
        found = await checked(one)
        assert found.findings == ()
        assert found.snapshots > 3


async def heads(kept: Archived) -> list[int]:
    """Where there are snapshots."""
    found: list[int] = []
    upto = kept.log[-1].position
    while head := await kept.archive.snapshots.latest(ACME, fold_key(), upto):
        found.append(head.position)
        upto = Position(head.position - 1)
    return found[::-1]


def execute(directory: Path, sql: str, *arguments: object) -> list[Any]:
    """Do to the database what no program of ours does."""
    with closing(sqlite3.connect(directory / "data" / DATABASE_FILE)) as file, file:
        done = file.execute(sql, arguments)
        assert done.rowcount != 0
        return done.fetchall()


def forge_head(directory: Path, position: int, **tables: Any) -> None:
    """Put something else into tables of a head."""
    ((body,),) = execute(directory, "select body from snapshots where position = ?", position)
    whole = msgpack.decode(zlib.decompress(body))
    whole[0].update(tables)
    forged = compressed(msgpack.encode(whole))
    execute(directory, "update snapshots set body = ? where position = ?", forged, position)


def settled_at(directory: Path, kind: str, *, newest: bool) -> tuple[str, int, bytes]:
    """Id, position and body of a settled row of its kind, the first or the last."""
    sql = "select id, position, body from settled where kind = ? order by position, id"
    found = execute(directory, sql, kind)
    its_id, position, body = found[-1 if newest else 0]
    return its_id, position, body


async def the_finding(kept: Archived) -> Finding:
    (finding,) = (await checked(kept)).findings
    assert finding.check == "snapshot"
    return finding


async def test_au05_a_head_of_another_state_is_found(kept: Archived, tmp_path: Path) -> None:
    second = (await heads(kept))[1]
    forge_head(tmp_path, second, timezone="Mars/Olympus")
    finding = await the_finding(kept)
    assert (finding.position, finding.what) == (second, "the snapshot here keeps other timezone")
    assert (finding.recorded, finding.expected) == ("Mars/Olympus", "UTC")


async def test_au05_only_what_differs_of_a_table_is_shown(kept: Archived, tmp_path: Path) -> None:
    last = (await heads(kept))[-1]
    forge_head(tmp_path, last, erased={"visitor:v-1": 1})
    finding = await the_finding(kept)
    assert (finding.position, finding.what) == (last, "the snapshot here keeps other erased")
    assert (finding.recorded, finding.expected) == ({"visitor:v-1": 1}, {"visitor:v-1": None})


@pytest.mark.parametrize("body", [b"", b"nothing"])
async def test_au05_a_head_that_cannot_be_read_is_found(
    kept: Archived, tmp_path: Path, body: bytes
) -> None:
    first = (await heads(kept))[0]
    execute(tmp_path, "update snapshots set body = ? where position = ?", body, first)
    finding = await the_finding(kept)
    assert finding.position == first
    assert "cannot be used" in finding.what


@pytest.mark.parametrize("newest", [True, False])
@pytest.mark.parametrize("kind", ["conversation", "visitor"])
async def test_au05_something_settled_that_was_changed_is_found(
    kept: Archived, tmp_path: Path, kind: str, newest: bool
) -> None:
    its_id, position, body = settled_at(tmp_path, kind, newest=newest)
    thing: Any = msgpack.decode(body, type=SHAPES[kind])
    thing.contact_id = "another"
    sql = "update settled set body = ? where kind = ? and id = ? and position = ?"
    execute(tmp_path, sql, msgpack.encode(thing), kind, its_id, position)
    finding = await the_finding(kept)
    assert (finding.position, finding.what) == (
        position,
        f"the snapshot here keeps another {kind} {its_id}",
    )
    assert (finding.recorded["contact_id"], finding.expected["contact_id"] == "another") == (
        "another",
        False,
    )


async def test_au05_something_settled_that_is_missing_is_found(
    kept: Archived, tmp_path: Path
) -> None:
    its_id, position, _ = settled_at(tmp_path, "conversation", newest=False)
    execute(tmp_path, "delete from settled where id = ?", its_id)
    finding = await the_finding(kept)
    assert (finding.position, finding.recorded) == (position, None)


async def test_au05_a_snapshot_of_another_log_is_found(kept: Archived, tmp_path: Path) -> None:
    last = (await heads(kept))[-1]
    execute(tmp_path, "update snapshots set anchor = x'00' where position = ?", last)
    finding = await the_finding(kept)
    assert (finding.position, finding.what) == (
        last,
        "the snapshot here was taken after another event",
    )


async def test_au05_other_commands_for_retries_are_found(kept: Archived, tmp_path: Path) -> None:
    forged = compressed(msgpack.encode([]))
    execute(tmp_path, "update snapshot_commands set body = ?", forged)
    assert (await the_finding(kept)).what == "the snapshot here keeps other commands for retries"


async def test_au05_what_is_of_another_release_is_not_looked_at(
    kept: Archived, tmp_path: Path
) -> None:
    execute(tmp_path, "update snapshots set fold = 'older'")
    found = await checked(kept)
    assert (found.findings, found.snapshots) == ((), 0)


async def test_au05_with_snapshots_not_compared_a_forged_one_passes(
    kept: Archived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ablation: nothing else looks at them."""
    forge_head(tmp_path, (await heads(kept))[1], timezone="Mars/Olympus")
    assert (await checked(kept)).findings != ()

    async def nothing_wrong(*_: object) -> None:
        return None

    monkeypatch.setattr(SnapshotCheck, "_wrong_with", nothing_wrong)
    assert (await checked(kept)).findings == ()
