"""The ``eventsourcing`` library beside us: it reads what we write, we read what it writes.

Its PostgreSQL recorder needs psycopg, which nothing of ours does.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    MapperDeserialisationError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore
from eventsourcing.utils import resolve_topic

from shared.adapters.open_store import Store, open_store, parse_store_url
from shared.adapters.struct_mapper import LogEvent, LogMapper, StructMapper
from shared.routing.events import EVENT_TYPES
from tests.contract.log_samples import NORTH, SOUTH, TOPIC, append, hold_everything, log_of, rows
from tests.servers.library import library_environment


class ForeignApplication(Application[str]):
    """What another Python team would write to work beside us."""

    name = "stored"


def _environment(store_url: str) -> dict[str, str]:
    """How that team would configure it."""
    shared = {
        "MAPPER_TOPIC": "shared.adapters.struct_mapper:LogMapper",
        "ORIGINATOR_ID_TYPE": "text",
        "CREATE_TABLE": "no",
    }
    directory = parse_store_url(store_url).directory
    if directory is not None:
        return shared | {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(directory / "log.sqlite3"),
        }
    return shared | library_environment(store_url)


@pytest.fixture
def application(store: Store, store_url: str) -> Iterator[ForeignApplication]:
    """The library's application on the same database, with our mapper."""
    opened = ForeignApplication(_environment(store_url))
    yield opened
    opened.close()


@pytest.fixture
def recorder(application: ForeignApplication) -> ApplicationRecorder:
    """The library's own recorder for the same database."""
    assert type(application.recorder) in {PostgresApplicationRecorder, SQLiteApplicationRecorder}
    return application.recorder


def _theirs(position: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(NORTH, position, TOPIC, state)


async def test_its_recorder_reads_what_we_wrote(
    store: Store, recorder: ApplicationRecorder
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 3)), append(SOUTH, rows(1, 1))], leases)
    found = recorder.select_events(NORTH)
    assert found == [StoredEvent(NORTH, *row) for row in rows(1, 3)]


async def test_we_read_what_its_recorder_wrote(store: Store, recorder: ApplicationRecorder) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    recorder.insert_events([StoredEvent(NORTH, *row) for row in rows(2, 3)])
    assert await store.events.append([append(NORTH, rows(4, 4))], leases) == frozenset()
    assert await log_of(store, NORTH) == rows(1, 4)


async def test_its_recorder_cannot_take_our_position(
    store: Store, recorder: ApplicationRecorder
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 2))], leases)
    with pytest.raises(IntegrityError):
        recorder.insert_events([_theirs(2)])
    assert await log_of(store, NORTH) == rows(1, 2)


async def test_we_cannot_take_the_position_of_its_recorder(
    store: Store, recorder: ApplicationRecorder
) -> None:
    leases = await hold_everything(store)
    recorder.insert_events([_theirs(1, b"theirs")])
    batch = [append(NORTH, rows(1, 1)), append(SOUTH, rows(1, 1))]
    assert await store.events.append(batch, leases) == {NORTH}
    assert [row.state for row in await log_of(store, NORTH)] == [b"theirs"]
    assert await log_of(store, SOUTH) == rows(1, 1)


async def test_its_notifications_follow_our_positions(
    store: Store, recorder: ApplicationRecorder
) -> None:
    leases = await hold_everything(store)
    batch = [append(NORTH, rows(1, 50)), append(SOUTH, rows(1, 50))]
    await store.events.append(batch, leases)
    notifications = recorder.select_notifications(start=1, limit=1_000)
    assert [note.id for note in notifications] == list(range(1, 101))
    assert [note.originator_version for note in notifications] == [*range(1, 51)] * 2


async def test_an_application_reads_what_we_wrote(
    store: Store, application: ForeignApplication
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 3))], leases)
    assert list(application.events.get(NORTH)) == [LogEvent(NORTH, *row) for row in rows(1, 3)]


async def test_an_application_writes_beside_us(
    store: Store, application: ForeignApplication
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    application.save(*(LogEvent(NORTH, *row) for row in rows(2, 3)))
    assert await log_of(store, NORTH) == rows(1, 3)


async def test_an_application_and_we_conflict_on_a_position(
    store: Store, application: ForeignApplication
) -> None:
    leases = await hold_everything(store)
    await store.events.append([append(NORTH, rows(1, 1))], leases)
    with pytest.raises(IntegrityError):
        application.save(*(LogEvent(NORTH, *row) for row in rows(1, 2)))
    application.save(*(LogEvent(NORTH, *row) for row in rows(2, 2)))
    assert await store.events.append([append(NORTH, rows(2, 2))], leases) == {NORTH}


def _mapper(kind: type[StructMapper] = LogMapper) -> StructMapper:
    return kind(Application[str]().construct_transcoder())


def test_its_topics_resolve_to_our_classes() -> None:
    assert {tag: resolve_topic(tag) for tag in EVENT_TYPES} == EVENT_TYPES


def test_an_event_is_decoded_by_its_tag() -> None:
    class Rung(msgspec.Struct, frozen=True, tag="rung.v1"):
        bell: int

    class BellMapper(StructMapper):
        event_types = {"rung.v1": Rung}

    state = b'{"at":1,"data":' + msgspec.json.encode(Rung(3)) + b"}"
    assert _mapper(BellMapper).decode(LogEvent(NORTH, 1, "rung.v1", state)) == Rung(3)


@pytest.mark.parametrize("state", [b"", b"{}", b'{"data":', b'{"data":{"bell":1}}'])
def test_bytes_that_do_not_fit_their_tag_are_refused(state: bytes) -> None:
    with pytest.raises(
        MapperDeserialisationError, match=r"conversation_assigned\.v1 at 1 of north"
    ):
        _mapper().decode(LogEvent(NORTH, 1, TOPIC, state))


def test_an_unknown_tag_is_refused_and_not_imported() -> None:
    with pytest.raises(MapperDeserialisationError, match="unknown event this"):
        _mapper().to_domain_event(StoredEvent(NORTH, 1, "this", b"{}"))
    with pytest.raises(MapperDeserialisationError, match="unknown event this"):
        _mapper().to_stored_event(LogEvent(NORTH, 1, "this", b"{}"))


def test_a_compressed_log_is_refused() -> None:
    environment = {"COMPRESSOR_TOPIC": "zlib"}
    environment["MAPPER_TOPIC"] = "shared.adapters.struct_mapper:LogMapper"
    with pytest.raises(ValueError, match="plain JSON"):
        ForeignApplication(environment)


async def test_sqlite_has_the_table_the_library_would_make(tmp_path: Path) -> None:
    await (await open_store(f"sqlite:///{tmp_path}/ours")).close()
    theirs = SQLiteDatastore(str(tmp_path / "theirs.sqlite3"), originator_id_type="text")
    SQLiteApplicationRecorder(theirs).create_table()
    theirs.close()
    made = [
        _sqlite_table(path) for path in (tmp_path / "ours/log.sqlite3", tmp_path / "theirs.sqlite3")
    ]
    assert made[0] == made[1]


def _sqlite_table(path: Path) -> list[object]:
    connection = sqlite3.connect(path)
    try:
        query = "select sql from sqlite_master where name = 'stored_events'"
        return connection.execute(query).fetchall()
    finally:
        connection.close()


_CATALOG = """
select format('%s %s %s %s', attname, format_type(atttypid, atttypmod), attnotnull,
              pg_get_expr(adbin, adrelid))
from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attrelid = 'stored_events'::regclass and attnum > 0
union all select indexdef from pg_indexes
where tablename = 'stored_events' and schemaname = current_schema()
union all select reloptions::text from pg_class where oid = 'stored_events'::regclass
union all select format('%s %s', attname, format_type(atttypid, atttypmod))
from pg_attribute where attrelid = 'stored_event_text'::regclass
"""


async def test_postgres_has_the_table_the_library_would_make(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("create schema theirs")
        parts = urlsplit(postgres_url)
        theirs = PostgresDatastore(
            parts.path.strip("/"),
            parts.hostname or "",
            parts.port or 0,
            parts.username or "",
            "any",
            schema="theirs",
            originator_id_type="text",
        )
        PostgresApplicationRecorder(theirs).create_table()
        theirs.close()
        await (await open_store(postgres_url, migrate=True)).close()
        made = []
        for schema in ("public", "theirs"):
            await connection.execute(f"set search_path to {schema}")
            made.append(
                [row[0].replace(f"{schema}.", "") for row in await connection.fetch(_CATALOG)]
            )
    finally:
        await connection.close()
    assert made[0] == made[1]
