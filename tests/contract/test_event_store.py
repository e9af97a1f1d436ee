"""The log, whatever it is kept in: what is appended, what is refused, what is read."""

import asyncio
import time

import pytest

from shared.adapters.log_rows import CHUNK_ROWS
from shared.adapters.open_store import Store
from shared.ports import Append, LeaseLost, LogCorrupt, StoredRow, StoreError
from shared.routing.ids import Position, Ref, UnixMs, WorkspaceId
from shared.routing.partition import partition_of
from tests.contract.log_samples import (
    NORTH,
    SOUTH,
    WEST,
    append,
    hold_everything,
    log_of,
    row,
    rows,
    text,
)
from tests.servers.vandal import run_as_vandal

NOBODY_LOST: frozenset[WorkspaceId] = frozenset()

HOSTILE_BYTES = [
    b"",
    bytes(range(256)),
    b'{"open":',
    b"\xff\xfe\x00\xd8",
    b"'; drop table stored_events; --",
    b"\\x00\\000",
    b"\x00" * 70_000,
]

HOSTILE_IDS = [
    "a'b\"c",
    "%s$1?{}",
    "ünïcödé 東京 \U0001f600",
    " leading and trailing ",
    "line\nbreak\ttab\x7f\x01",
    "x" * 2_000,
]


async def test_what_was_appended_is_read_back(store: Store) -> None:
    leases = await hold_everything(store)
    assert await store.events.append([append(NORTH, rows(1, 3))], leases) == NOBODY_LOST
    assert await store.events.append([append(NORTH, rows(4, 5))], leases) == NOBODY_LOST
    assert await log_of(store, NORTH) == rows(1, 5)


@pytest.mark.parametrize("state", HOSTILE_BYTES, ids=range(len(HOSTILE_BYTES)))
async def test_bytes_come_back_as_they_went_in(store: Store, state: bytes) -> None:
    leases = await hold_everything(store)
    note = text("r1", state)
    await store.events.append([append(NORTH, [row(1, state)], [note])], leases)
    assert await log_of(store, NORTH) == [row(1, state)]
    assert await store.vault.read([note.ref]) == {note.ref: state}


@pytest.mark.parametrize("name", HOSTILE_IDS, ids=range(len(HOSTILE_IDS)))
async def test_ids_are_data_and_nothing_else(store: Store, name: str) -> None:
    leases = await hold_everything(store)
    workspace_id = WorkspaceId(name)
    written = [StoredRow(Position(1), name, b"1")]
    note = text(name, subject=name)
    assert await store.events.register_workspace(workspace_id, UnixMs(1))
    await store.events.append([append(workspace_id, written, [note])], leases)
    assert await store.events.workspaces() == [workspace_id]
    assert await log_of(store, workspace_id) == written
    assert await store.events.head(workspace_id) == 1
    assert await store.vault.read([note.ref]) == {note.ref: note.body}


async def test_an_empty_batch_is_no_work(store: Store) -> None:
    assert await store.events.append([], {}) == NOBODY_LOST


async def test_one_batch_serves_many_workspaces(store: Store) -> None:
    leases = await hold_everything(store)
    many = [WorkspaceId(f"w{number}") for number in range(200)]
    batch = [append(workspace_id, rows(1, 5)) for workspace_id in many]
    assert await store.events.append(batch, leases) == NOBODY_LOST
    assert [await store.events.head(workspace_id) for workspace_id in many] == [5] * 200


async def test_a_taken_position_loses_only_its_own_workspace(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 2, "first"))], leases)
    batch = [
        append(SOUTH, rows(1, 2)),
        append(NORTH, rows(2, 4, "second")),
        append(WEST, rows(1, 1)),
    ]
    assert await store.events.append(batch, leases) == {NORTH}
    assert await log_of(store, NORTH) == rows(1, 2, "first")
    assert await log_of(store, SOUTH) == rows(1, 2)
    assert await log_of(store, WEST) == rows(1, 1)


async def test_a_gap_loses_only_its_own_workspace(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 2))], leases)
    batch = [append(NORTH, rows(4, 4)), append(SOUTH, rows(2, 2)), append(WEST, rows(1, 1))]
    assert await store.events.append(batch, leases) == {NORTH, SOUTH}
    assert await log_of(store, NORTH) == rows(1, 2)
    assert await log_of(store, SOUTH) == []
    assert await log_of(store, WEST) == rows(1, 1)


async def test_a_log_begins_only_once(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 3))], leases)
    assert await store.events.append([append(NORTH, rows(1, 5, "again"))], leases) == {NORTH}
    assert await log_of(store, NORTH) == rows(1, 3)


async def test_a_batch_may_lose_entirely(store: Store) -> None:
    leases = await hold_everything(store)
    batch = [append(NORTH, rows(2, 2)), append(SOUTH, rows(9, 9))]
    assert await store.events.append(batch, leases) == {NORTH, SOUTH}
    assert await log_of(store, NORTH) == await log_of(store, SOUTH) == []


async def test_the_next_append_after_a_loss_goes_through(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    await store.events.append([append(NORTH, rows(1, 1, "late"))], leases)
    assert await store.events.append([append(NORTH, rows(2, 2))], leases) == NOBODY_LOST


async def test_appends_at_the_same_time_do_not_mix(store: Store) -> None:
    leases = await hold_everything(store)
    rivals = [[append(NORTH, rows(1, 20, f"rival {number}"))] for number in range(8)]
    lost = await asyncio.gather(*(store.events.append(batch, leases) for batch in rivals))
    assert sorted(map(len, lost)) == [0, 1, 1, 1, 1, 1, 1, 1]
    assert await log_of(store, NORTH) == rows(1, 20, f"rival {lost.index(NOBODY_LOST)}")


async def test_texts_are_written_with_the_events_that_cite_them(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1), [text("r1"), text("r2", b"")])], leases)
    found = await store.vault.read([Ref("r1"), Ref("r2"), Ref("r3")])
    assert found == {"r1": b"Ana Petrova", "r2": b""}
    assert await store.vault.read([]) == {}


async def test_texts_of_a_lost_append_are_not_kept(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    batch = [
        append(NORTH, rows(1, 1), [text("lost")]),
        append(SOUTH, rows(2, 2), [text("gap")]),
        append(WEST, rows(1, 1), [text("kept")]),
    ]
    await store.events.append(batch, leases)
    assert (await store.vault.read(map(Ref, ["lost", "gap", "kept"]))).keys() == {"kept"}


async def test_events_are_not_written_without_their_texts(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1), [text("r1")])], leases)
    with pytest.raises(StoreError):
        await store.events.append([append(SOUTH, rows(1, 1), [text("r1", b"other")])], leases)
    assert await log_of(store, SOUTH) == []
    assert await store.vault.read([Ref("r1")]) == {"r1": b"Ana Petrova"}


async def test_a_long_log_is_read_in_chunks(store: Store) -> None:
    leases = await hold_everything(store)
    count = 2 * CHUNK_ROWS + 1
    await store.events.append([append(NORTH, rows(1, count))], leases)
    chunks = [list(chunk) async for chunk in store.events.read(NORTH, Position(0))]
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS, CHUNK_ROWS, 1]
    assert [row for chunk in chunks for row in chunk] == rows(1, count)


@pytest.mark.parametrize(
    ("after", "upto", "first", "last"),
    [
        (0, None, 1, 10),
        (4, None, 5, 10),
        (4, 6, 5, 6),
        (0, 10, 1, 10),
        (8, 99, 9, 10),
        (10, None, 1, 0),
        (99, None, 1, 0),
        (5, 5, 1, 0),
        (6, 5, 1, 0),
    ],
)
async def test_a_part_of_the_log_can_be_read(
    store: Store, after: int, upto: int | None, first: int, last: int
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 10)), append(SOUTH, rows(1, 20))], leases)
    end = None if upto is None else Position(upto)
    found = [row async for chunk in store.events.read(NORTH, Position(after), end) for row in chunk]
    assert found == rows(first, last)


async def test_a_missing_row_is_named_after_what_stands_before_it(
    store: Store, store_url: str
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 9)), append(SOUTH, rows(1, 9))], leases)
    await run_as_vandal(
        store_url,
        "delete from stored_events where originator_version = 4 and originator_id = 'north'",
    )
    chunks = store.events.read(NORTH, Position(0))
    assert await anext(chunks) == rows(1, 3)
    with pytest.raises(LogCorrupt, match="position 4 of workspace north is missing"):
        await anext(chunks)
    assert await log_of(store, SOUTH) == rows(1, 9)


async def test_an_unknown_workspace_has_an_empty_log(store: Store) -> None:
    assert await log_of(store, NORTH) == []
    assert await store.events.head(NORTH) == 0


async def test_the_head_is_the_last_position(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 7)), append(SOUTH, rows(1, 2))], leases)
    assert await store.events.head(NORTH) == 7
    assert await store.events.head(SOUTH) == 2


async def test_readers_see_whole_appends_while_others_write(store: Store) -> None:
    leases = await hold_everything(store)
    done = asyncio.Event()

    async def watch() -> int:
        looks = 0
        while not done.is_set():
            seen = await log_of(store, NORTH)
            assert seen == rows(1, len(seen))
            assert len(seen) % 3 == 0
            looks += 1
        return looks

    watchers = [asyncio.create_task(watch()) for _ in range(3)]
    for first in range(1, 300, 3):
        await store.events.append([append(NORTH, rows(first, first + 2))], leases)
    done.set()
    assert all(await asyncio.gather(*watchers))
    assert await log_of(store, NORTH) == rows(1, 300)


async def test_a_workspace_is_registered_once(store: Store) -> None:
    assert await store.events.register_workspace(SOUTH, UnixMs(1_700_000_000_000))
    assert not await store.events.register_workspace(SOUTH, UnixMs(1_800_000_000_000))
    assert await store.events.workspaces() == [SOUTH]


async def test_workspaces_are_listed_in_the_order_of_their_bytes(store: Store) -> None:
    names = ["b", "B", "a_", "a-", "ab", "é", "z", "Z9", "10", "9"]
    for name in names:
        await store.events.register_workspace(WorkspaceId(name), UnixMs(1))
    assert await store.events.workspaces() == sorted(names, key=str.encode)


async def test_a_wrong_epoch_writes_nothing(store: Store) -> None:
    leases = await hold_everything(store)
    stale = {**leases, partition_of(NORTH): leases[partition_of(NORTH)] - 1}
    with pytest.raises(LeaseLost, match=f"partition {partition_of(NORTH)} "):
        await store.events.append(
            [append(SOUTH, rows(1, 1), [text("r1")]), append(NORTH, rows(1, 1))], stale
        )
    assert await log_of(store, NORTH) == await log_of(store, SOUTH) == []
    assert await store.vault.read([Ref("r1")]) == {}


async def test_a_lease_that_was_never_taken_writes_nothing(store: Store) -> None:
    with pytest.raises(LeaseLost):
        await store.events.append([append(NORTH, rows(1, 1))], {partition_of(NORTH): 1})
    assert await log_of(store, NORTH) == []


async def test_only_the_leases_of_the_batch_count(store: Store) -> None:
    leases = await hold_everything(store)
    stale = {**leases, partition_of(SOUTH): leases[partition_of(SOUTH)] - 1}
    assert partition_of(SOUTH) != partition_of(NORTH)
    assert await store.events.append([append(NORTH, rows(1, 1))], stale) == NOBODY_LOST


@pytest.mark.parametrize(
    "batch",
    [
        [append(NORTH, rows(1, 1)), append(NORTH, rows(2, 2))],
        [append(NORTH, [])],
        [append(NORTH, [row(0)])],
        [append(NORTH, [row(1), row(3)])],
        [append(NORTH, [row(2), row(1)])],
        [append(NORTH, [row(1), row(1)])],
        [append(WorkspaceId("no\0rth"), rows(1, 1))],
        [append(WorkspaceId("no\ud800rth"), rows(1, 1))],
        [append(NORTH, [StoredRow(Position(1), "\0", b"")])],
        [append(NORTH, rows(1, 1), [text("\0")])],
        [append(NORTH, rows(1, 1), [text("r1", subject="\udfff")])],
    ],
    ids=range(11),
)
async def test_a_batch_no_store_could_hold_is_refused(store: Store, batch: list[Append]) -> None:
    leases = await hold_everything(store)
    with pytest.raises(ValueError):  # noqa: PT011 - the messages differ, the kind matters
        await store.events.append([append(SOUTH, rows(1, 1)), *batch], leases)
    assert await log_of(store, SOUTH) == []


async def test_a_batch_without_its_lease_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no lease is given"):
        await store.events.append([append(NORTH, rows(1, 1))], {})


@pytest.mark.parametrize("name", ["no\0rth", "no\ud800rth"], ids=["nul", "surrogate"])
async def test_reading_what_cannot_be_there_is_refused(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="text for the store"):
        await store.events.head(WorkspaceId(name))
    with pytest.raises(ValueError, match="text for the store"):
        await log_of(store, WorkspaceId(name))
    with pytest.raises(ValueError, match="text for the store"):
        await store.events.register_workspace(WorkspaceId(name), UnixMs(1))
    with pytest.raises(ValueError, match="text for the store"):
        await store.vault.read([Ref(name)])


async def test_the_clock_of_the_store_tells_the_time(store: Store) -> None:
    assert abs(await store.events.clock_ms() - time.time() * 1_000) < 2_000
