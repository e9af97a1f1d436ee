"""States kept beside the log, whatever they are kept in: found by position, made again at will."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shared.adapters.migrations import migrate_sqlite, migrations
from shared.adapters.open_store import Store, open_archive
from shared.adapters.snapshot_rows import (
    CHUNK_KEYS,
    CHUNK_ROWS,
    HEADS_AT_ONCE,
    KEYS_AT_ONCE,
    ROWS_AT_ONCE,
)
from shared.ports.archive import Archive, SettledKey, SettledRow, Snapshot, SnapshotHead
from shared.routing.ids import Position
from tests.contract.log_samples import NORTH, SOUTH

FOLD = "f5"
OLDER, NEWER = "f1", "f9"


def snapshot(
    position: int, settled: Sequence[tuple[str, str]] = (), commands: Sequence[bytes] = ()
) -> Snapshot:
    """A snapshot whose conversations are given as id and body."""
    head = SnapshotHead(Position(position), b"anchor", f"head {position}".encode())
    rows = [conversation(its_id, position, body) for its_id, body in settled]
    return Snapshot(head, commands, rows)


def conversation(its_id: str, position: int, body: str) -> SettledRow:
    return SettledRow("conversation", its_id, Position(position), body.encode())


def keys(*ids: str) -> list[SettledKey]:
    return [("conversation", its_id) for its_id in ids]


@pytest.fixture
async def archive(store: Store, store_url: str) -> AsyncIterator[Archive]:
    """The same store as somebody sees it who only reads."""
    opened = await open_archive(store_url)
    yield opened
    await opened.close()


async def everything(archive: Archive, upto: int, fold: str = FOLD) -> list[SettledRow]:
    found = archive.snapshots.all_settled(NORTH, fold, Position(upto))
    return [row async for rows in found for row in rows]


async def every_key(archive: Archive, upto: int) -> list[SettledKey]:
    found = archive.snapshots.settled_keys(NORTH, FOLD, Position(upto))
    return [key async for some in found for key in some]


async def latest(archive: Archive, upto: int, fold: str = FOLD) -> SnapshotHead | None:
    head = await archive.snapshots.latest(NORTH, fold, Position(upto))
    position = await archive.snapshots.last(NORTH, fold, Position(upto))
    assert position == (None if head is None else head.position)
    return head


async def test_where_nothing_was_kept_there_is_nothing(archive: Archive) -> None:
    assert await latest(archive, 100) is None
    assert await archive.snapshots.commands(NORTH, FOLD) is None
    assert await archive.snapshots.settled(NORTH, FOLD, Position(9), keys("c-1")) == []
    assert await everything(archive, 100) == []


async def test_the_last_head_at_or_before_a_position_is_found(
    store: Store, archive: Archive
) -> None:
    for position in (30, 10, 20):
        await store.snapshots.add(NORTH, FOLD, snapshot(position))
    await store.snapshots.add(SOUTH, FOLD, snapshot(15))
    await store.snapshots.add(NORTH, NEWER, snapshot(25))
    assert await latest(archive, 9) is None
    for upto, found in ((10, 10), (19, 10), (29, 20), (30, 30), (2**62, 30)):
        assert await latest(archive, upto) == snapshot(found).head


async def test_of_each_thing_the_last_row_before_a_position_is_found(
    store: Store, archive: Archive
) -> None:
    await store.snapshots.add(NORTH, FOLD, snapshot(10, [("c-1", "old"), ("c-2", "only")]))
    await store.snapshots.add(NORTH, FOLD, snapshot(20, [("c-1", "new"), ("c-3", "late")]))
    await store.snapshots.add(SOUTH, FOLD, snapshot(20, [("c-4", "theirs")]))
    old = [conversation("c-1", 10, "old"), conversation("c-2", 10, "only")]
    new = [
        conversation("c-1", 20, "new"),
        conversation("c-2", 10, "only"),
        conversation("c-3", 20, "late"),
    ]
    asked = keys("c-3", "c-1", "c-2", "c-4", "c-5")
    for upto, rows in ((9, []), (10, old), (19, old), (20, new), (21, new)):
        found = await archive.snapshots.settled(NORTH, FOLD, Position(upto), asked)
        assert sorted(found) == rows
        assert await everything(archive, upto) == rows
        assert await every_key(archive, upto) == [(row.kind, row.id) for row in rows]


async def test_a_kind_is_part_of_the_key(store: Store, archive: Archive) -> None:
    visitor = SettledRow("visitor", "x", Position(5), b"visitor")
    other = SettledRow("conversation", "x", Position(5), b"conversation")
    await store.snapshots.add(NORTH, FOLD, snapshot(5)._replace(settled=[visitor, other]))
    assert await archive.snapshots.settled(NORTH, FOLD, Position(5), [("visitor", "x")]) == [
        visitor
    ]
    assert await everything(archive, 5) == [other, visitor]


async def test_commands_are_kept_of_the_last_snapshot_that_brought_any(
    store: Store, archive: Archive
) -> None:
    await store.snapshots.add(NORTH, FOLD, snapshot(10, commands=[b"one"]))
    await store.snapshots.add(SOUTH, FOLD, snapshot(40, commands=[b"theirs"]))
    assert await archive.snapshots.commands(NORTH, FOLD) == (10, [b"one"])
    await store.snapshots.add(NORTH, FOLD, snapshot(20, commands=[b"two", b"three"]))
    assert await archive.snapshots.commands(NORTH, FOLD) == (20, [b"two", b"three"])
    await store.snapshots.add(NORTH, FOLD, snapshot(30))
    assert await archive.snapshots.commands(NORTH, FOLD) == (20, [b"two", b"three"])


async def test_what_was_added_before_may_be_added_again(store: Store, archive: Archive) -> None:
    twice = snapshot(10, [("c-1", "a"), ("c-2", "b")], [b"one"])
    await store.snapshots.add(NORTH, FOLD, twice)
    await store.snapshots.add(NORTH, FOLD, twice)
    assert await latest(archive, 10) == twice.head
    assert await everything(archive, 10) == list(twice.settled)
    assert await archive.snapshots.commands(NORTH, FOLD) == (10, [b"one"])


async def test_a_fold_is_dropped_piece_by_piece_and_its_heads_at_once(
    store: Store, archive: Archive
) -> None:
    rows = [(f"c-{number}", "x") for number in range(5)]
    for fold in (OLDER, FOLD, NEWER):
        await store.snapshots.add(NORTH, fold, snapshot(10, rows, [b"one"]))
    for position in range(11, 11 + 2 * HEADS_AT_ONCE):
        await store.snapshots.add(NORTH, NEWER, snapshot(position))
    await store.snapshots.add(SOUTH, OLDER, snapshot(10, rows))
    assert await store.snapshots.drop_others(NORTH, FOLD, 7) == 7
    assert await latest(archive, 10, OLDER) is None
    assert await latest(archive, 2**62, NEWER) is None
    assert await store.snapshots.drop_others(NORTH, FOLD, 7) == 3
    assert await store.snapshots.drop_others(NORTH, FOLD, 7) == 0
    assert [await everything(archive, 10, fold) for fold in (OLDER, NEWER)] == [[], []]
    assert len(await everything(archive, 10)) == 5
    assert await archive.snapshots.latest(SOUTH, OLDER, Position(10)) is not None
    assert await store.snapshots.drop(NORTH, FOLD, 3) == 3
    assert await latest(archive, 10) is None
    assert await archive.snapshots.commands(NORTH, FOLD) is None
    assert await store.snapshots.drop(NORTH, FOLD, 3) == 2
    assert await everything(archive, 10) == []


async def test_more_rows_than_go_into_one_statement(store: Store, archive: Archive) -> None:
    many = max(ROWS_AT_ONCE, CHUNK_ROWS, KEYS_AT_ONCE, CHUNK_KEYS) * 2 + 1
    ids = [f"c-{number:05}" for number in range(many)]
    await store.snapshots.add(NORTH, FOLD, snapshot(10, [(its_id, "x") for its_id in ids]))
    assert [row.id for row in await everything(archive, 10)] == ids
    assert await every_key(archive, 10) == keys(*ids)
    found = await archive.snapshots.settled(NORTH, FOLD, Position(10), keys(*ids))
    assert len(found) == many


async def test_what_is_read_is_there_though_others_write(store: Store, archive: Archive) -> None:
    adding = [store.snapshots.add(NORTH, FOLD, snapshot(n, [("c-1", str(n))])) for n in range(1, 9)]
    await asyncio.gather(*adding)
    assert await everything(archive, 8) == [conversation("c-1", 8, "8")]


async def test_a_log_from_before_there_were_snapshots_has_none(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "log.sqlite3", isolation_level=None)
    known = migrations("sqlite")
    ours = next(one for one in known if one.name.endswith("_snapshots.sql"))
    migrate_sqlite(connection, [one for one in known if one.number < ours.number])
    connection.close()
    before = (tmp_path / "log.sqlite3").read_bytes()
    archive = await open_archive(f"sqlite:///{tmp_path}")
    assert await latest(archive, 100) is None
    assert await archive.snapshots.settled(NORTH, FOLD, Position(9), keys("c-1")) == []
    assert await everything(archive, 100) == []
    await archive.close()
    assert (tmp_path / "log.sqlite3").read_bytes() == before
