"""Seals over the log, whatever they are kept in: added, read in order, and never replaced."""

import sqlite3
from pathlib import Path

from shared.adapters.open_store import Store
from shared.adapters.seal_rows import CHUNK_SEALS
from shared.adapters.sqlite_reader import DATABASE_FILE, SqliteLogReader
from shared.adapters.sqlite_seals import SqliteSealReader
from shared.ports.archive import Seal
from shared.routing.ids import Position, WorkspaceId
from tests.contract.log_samples import NORTH, SOUTH
from tests.servers.vandal import run_as_vandal


def seal(first: int, upto: int, by: bytes = b"k") -> Seal:
    digests = bytes(16 * (upto - first + 1))
    return Seal(Position(first), Position(upto), digests, b"h" * 32, b"s" * 64, by * 32)


async def seals_of(store: Store, workspace_id: WorkspaceId, after: int = 0) -> list[Seal]:
    return [one async for some in store.seals.after(workspace_id, Position(after)) for one in some]


async def test_a_log_without_seals_has_none(store: Store) -> None:
    assert await seals_of(store, NORTH) == []
    assert await store.seals.last(NORTH) is None


async def test_seals_come_back_in_order_each_for_its_workspace(store: Store) -> None:
    for one in (seal(4, 6), seal(1, 3), seal(7, 7)):
        assert await store.seals.add(NORTH, one)
    assert await store.seals.add(SOUTH, seal(1, 9))
    assert await seals_of(store, NORTH) == [seal(1, 3), seal(4, 6), seal(7, 7)]
    assert await seals_of(store, NORTH, after=1) == [seal(4, 6), seal(7, 7)]
    assert await store.seals.last(NORTH) == seal(7, 7)
    assert await store.seals.last(SOUTH) == seal(1, 9)


async def test_many_seals_come_in_chunks_and_none_twice(store: Store) -> None:
    added = [seal(number, number) for number in range(1, 2 * CHUNK_SEALS + 2)]
    for one in added:
        await store.seals.add(NORTH, one)
    assert await seals_of(store, NORTH) == added


async def test_a_second_that_begins_at_the_same_event_is_refused(store: Store) -> None:
    assert await store.seals.add(NORTH, seal(1, 3))
    assert not await store.seals.add(NORTH, seal(1, 5))
    assert not await store.seals.add(NORTH, seal(1, 3, by=b"o"))
    assert await seals_of(store, NORTH) == [seal(1, 3)]


async def test_adding_the_same_again_is_no_conflict(store: Store) -> None:
    assert await store.seals.add(NORTH, seal(1, 3))
    assert await store.seals.add(NORTH, seal(1, 3))
    assert await seals_of(store, NORTH) == [seal(1, 3)]


async def test_what_somebody_put_in_place_of_bytes_is_read_as_nothing(
    store: Store, store_url: str
) -> None:
    await store.seals.add(NORTH, seal(1, 3))
    await run_as_vandal(store_url, "update log_seals set digests = '', signature = ''")
    (found,) = await seals_of(store, NORTH)
    assert (found.digests, found.signature) == (b"", b"")


async def test_text_in_place_of_a_position_ends_the_reading(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / DATABASE_FILE)
    file.execute("create table log_seals (workspace, first, upto, digests, hash, signature, key)")
    file.execute("insert into log_seals values ('north', 'one', 2, x'', x'', x'', x'')")
    file.commit()
    file.close()
    reader = await SqliteLogReader.open(tmp_path)
    chunks = [some async for some in SqliteSealReader(reader).after(NORTH, Position(0))]
    assert [[one.first for one in some] for some in chunks] == [[-1]]
    await reader.close()


async def test_a_file_that_is_older_than_seals_has_none(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / DATABASE_FILE).close()
    reader = await SqliteLogReader.open(tmp_path)
    seals = SqliteSealReader(reader)
    assert await seals.last(NORTH) is None
    assert [some async for some in seals.after(NORTH, Position(0))] == []
    await reader.close()
