"""The data directory of an embedded store: one writer, any number of readers, nothing left open."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.adapters import sqlite_writer
from shared.adapters.log_rows import CHUNK_ROWS
from shared.adapters.open_store import Store, open_log, open_store
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.ports import DirectoryInUse, Erasure, LogCorrupt, StoreUnavailable
from shared.ports.archive import Seal
from shared.routing.ids import Position, Ref, UnixMs
from tests.contract.log_samples import (
    NORTH,
    SOUTH,
    append,
    hold_everything,
    log_of,
    row,
    rows,
    text,
)

ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import asyncio, sys
from shared.adapters.open_store import open_store

async def hold() -> None:
    store = await open_store(sys.argv[1])
    print("open", flush=True)
    await asyncio.Event().wait()

asyncio.run(hold())
"""


def make_file(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)


def bytes_below(directory: Path) -> dict[str, bytes]:
    """The files of a directory by name."""
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def url(directory: Path) -> str:
    return f"sqlite:///{directory}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
def holder(url: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the directory open for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


async def test_a_second_writer_is_told_who_the_first_is(
    holder: "subprocess.Popen[str]", url: str
) -> None:
    with pytest.raises(DirectoryInUse, match=f"in use by process {holder.pid}"):
        await open_store(url)


async def test_a_second_writer_in_the_same_process_is_refused(store: Store, url: str) -> None:
    with pytest.raises(DirectoryInUse, match=f"in use by process {os.getpid()}"):
        await open_store(url)
    assert await hold_everything(store)


async def test_a_killed_process_leaves_the_directory_free(
    holder: "subprocess.Popen[str]", url: str
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    await (await open_store(url)).close()


async def test_a_closed_store_leaves_the_directory_free(url: str) -> None:
    for _ in range(3):
        await (await open_store(url)).close()


async def test_a_log_survives_its_process(url: str) -> None:
    store = await open_store(url)
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 3))], leases)
    await store.close()
    again = await open_store(url)
    assert await log_of(again, NORTH) == rows(1, 3)
    await again.close()


async def test_another_process_reads_beside_the_writer(store: Store, url: str) -> None:
    leases = await hold_everything(store)
    reader = await open_log(url)
    for position in range(1, 20):
        await store.events.append([append(NORTH, rows(position, position))], leases)
        assert await reader.head(NORTH) == position
    await store.events.register_workspace(NORTH, UnixMs(1))
    assert await reader.workspaces() == [NORTH]
    await reader.close()


async def test_a_slow_reader_does_not_keep_the_write_ahead_log_from_shrinking(
    store: Store, url: str, directory: Path
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(SOUTH, rows(1, 3 * CHUNK_ROWS))], leases)
    reader = await open_log(url)
    chunks = reader.read(SOUTH, Position(0))
    await anext(chunks)
    position = 1
    for _ in range(40):
        states = [row(position + n, bytes(100_000)) for n in range(10)]
        await store.events.append([append(NORTH, states)], leases)
        position += 10
    written = (directory / "log.sqlite3").stat().st_size
    left = (directory / "log.sqlite3-wal").stat().st_size
    assert [len(chunk) async for chunk in chunks] == [CHUNK_ROWS, CHUNK_ROWS]
    await reader.close()
    assert written > 30_000_000
    assert left < 20_000_000


async def test_a_log_that_is_not_there_is_named(url: str, directory: Path) -> None:
    with pytest.raises(StoreUnavailable, match=f"no log at {directory}"):
        await open_log(url)


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot use the directory"):
        await open_store(f"sqlite:///{tmp_path}/file/data")


async def test_a_file_that_is_no_database_is_refused(url: str, directory: Path) -> None:
    make_file(directory / "log.sqlite3", b"not a database" * 100)
    with pytest.raises(LogCorrupt, match="not a database"):
        await open_store(url)
    with pytest.raises(LogCorrupt, match="not a database"):
        await open_log(url)


async def test_a_log_that_nobody_writes_is_read_where_nothing_can_be_created(
    url: str, directory: Path
) -> None:
    store = await open_store(url)
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 3))], leases)
    await store.close()
    # Stands in for a read-only disk, also for root: SQLite cannot make its file of this name.
    (directory / "log.sqlite3-shm").mkdir()
    reader = await SqliteLogReader.open(directory)
    assert await reader.head(NORTH) == 3
    await reader.close()


async def test_readers_cannot_write(store: Store, url: str) -> None:
    reader = await SqliteLogReader.open(Path(url.removeprefix("sqlite:///")))
    with pytest.raises(StoreUnavailable, match="readonly"):
        await reader._select("delete from stored_events")
    await reader.close()


async def test_another_program_that_writes_is_waited_for_only_so_long(
    store: Store, directory: Path
) -> None:
    leases = await hold_everything(store)
    other = sqlite3.connect(directory / "log.sqlite3", isolation_level=None)
    other.execute("begin immediate")
    async with asyncio.timeout(20):
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.events.append([append(NORTH, rows(1, 1))], leases)
    other.rollback()
    other.close()
    assert await store.events.append([append(NORTH, rows(1, 1))], leases) == frozenset()


async def test_a_full_disk_writes_nothing_and_is_survived(store: Store) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)

    def limit(pages: int) -> None:
        with writer.recorder.datastore.get_connection(commit=True) as connection:
            connection.cursor().execute(f"pragma max_page_count = {pages}")

    writer = store.leases._writer  # type: ignore[attr-defined]
    await writer.run(lambda: limit(1))
    big = [row(2 + n, bytes(100_000)) for n in range(20)]
    with pytest.raises(StoreUnavailable, match="full"):
        await store.events.append([append(NORTH, big, [text("r1")])], leases)
    assert await log_of(store, NORTH) == rows(1, 1)
    assert await store.vault.read([Ref("r1")]) == {}
    await writer.run(lambda: limit(1_000_000))
    assert await store.events.append([append(NORTH, rows(2, 2))], leases) == frozenset()


async def test_the_writing_connection_is_durable(store: Store) -> None:
    def pragma(name: str) -> object:
        with writer.recorder.datastore.get_connection(commit=False) as connection:
            cursor = connection.cursor()
            cursor.execute(f"pragma {name}")
            return cursor.fetchone()[0]

    writer = store.leases._writer  # type: ignore[attr-defined]
    found = [await writer.run(lambda name=name: pragma(name)) for name in _DURABLE]
    assert dict(zip(_DURABLE, found, strict=True)) == _DURABLE


_DURABLE = {"synchronous": 2, "journal_mode": "wal", "secure_delete": 1}


@pytest.mark.parametrize("again", [False, True])
async def test_erased_texts_are_gone_from_the_files(
    store: Store, directory: Path, again: bool
) -> None:
    leases = await hold_everything(store)
    body = b"Ana Petrova, Sofia, 14 Vitosha Blvd"
    await store.events.append([append(NORTH, rows(1, 1), [text("r1", body)])], leases)
    gone = [Erasure("operator:ana", Position(2))]
    if again:
        await store.vault.erase(NORTH, gone)
    else:
        await store.events.append([append(NORTH, rows(2, 2), erase=gone)], leases)
    files = bytes_below(directory)
    assert files.keys() >= {"log.sqlite3", "log.sqlite3-wal"}
    assert not [name for name, content in files.items() if body in content]


async def test_erasing_looks_at_the_texts_that_go_and_not_at_all_there_are(
    store: Store, directory: Path
) -> None:
    leases = await hold_everything(store)
    texts = [text(f"r{n}", subject=f"visitor:v{n}") for n in range(2_000)]
    await store.events.append([append(NORTH, rows(1, 1), texts)], leases)
    erase = sqlite_writer._ERASE
    with contextlib.closing(sqlite3.connect(directory / "log.sqlite3")) as reader:
        plan = reader.execute(f"explain query plan {erase}", ("[]", NORTH)).fetchall()
    steps = [str(step[-1]) for step in plan]
    assert any("SCAN gone" in step for step in steps), steps
    assert any("vault USING INDEX vault_subject_idx" in step for step in steps), steps
    assert not any(step.startswith("SCAN vault") for step in steps), steps


@pytest.mark.parametrize("table", ["stored_events", "log_seals", "workspaces"])
@pytest.mark.parametrize("change", ["update {} set rowid = 2", "delete from {}"])
async def test_what_is_only_added_to_refuses_a_slip_of_the_hand(
    store: Store, directory: Path, table: str, change: str
) -> None:
    leases = await hold_everything(store)
    await store.events.register_workspace(NORTH, UnixMs(1))
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    await store.seals.add(NORTH, Seal(Position(1), Position(1), b"", b"", b"", b""))
    statement = change.format(table)
    if table == "workspaces":  # it has no rowid
        statement = statement.replace("rowid", "partition")
    with (
        contextlib.closing(sqlite3.connect(directory / "log.sqlite3")) as somebody,
        pytest.raises(sqlite3.IntegrityError, match=f"{table} is only ever added to"),
    ):
        somebody.execute(statement)
    assert await log_of(store, NORTH) == rows(1, 1)
