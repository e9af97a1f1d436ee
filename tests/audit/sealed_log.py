"""A told story's log in a store, sealed as far as a test wants it, and somebody who spoils it."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from shared.adapters.open_store import Store, open_store, parse_store_url
from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.audit.bundle import export
from shared.audit.checking_seals import ANY, Accepted
from shared.audit.seals import SealKey, sealed
from shared.audit.verifying import Verified, verify
from shared.ports import Append, StoredRow
from shared.ports.archive import Archive, Seal
from shared.routing.events import Envelope
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.wire.log_codec import decode_event, encode_event
from tests.contract.log_samples import hold_everything
from tests.core.told_story import tell
from tests.servers.vandal import as_vandal, lay_open

ACME = WorkspaceId("acme")
KEY = SealKey.from_seed(bytes(range(32)))
OTHER_KEY = SealKey.from_seed(bytes(32))
EACH = 50
"""Events under one seal here."""
SEALED = 200
"""Of the story's events; what comes then is not sealed."""

Rows = list[StoredRow]


def story_rows() -> Rows:
    """The told story as rows; every command's events name the trace they belong to."""
    traced = (
        (position, msgspec.structs.replace(told, trace=f"t-{told.first}" if told.by else None))
        for position, told in tell().log
    )
    return [StoredRow(position, *encode_event(told)) for position, told in traced]


def seals_over(rows: Sequence[StoredRow], key: SealKey = KEY, each: int = EACH) -> list[Seal]:
    """The chain over all of these rows."""
    seals: list[Seal] = []
    for start in range(0, len(rows), each):
        before = seals[-1] if seals else None
        seals.append(sealed(ACME, before, rows[start : start + each], key))
    return seals


async def keep(store: Store, rows: Sequence[StoredRow], seals: Sequence[Seal] = ()) -> None:
    """Write the log as a router does, and the seals as a sealer does."""
    leases = await hold_everything(store)
    await store.events.register_workspace(ACME, UnixMs(0))
    assert await store.events.append([Append(ACME, rows)], leases) == frozenset()
    for seal in seals:
        assert await store.seals.add(ACME, seal)


def archive_of(store: Store) -> Archive:
    return Archive(store.events, store.snapshots, store.seals)


async def exported_story(directory: Path) -> Path:
    """The told story, sealed in part, as an exported file."""
    rows = story_rows()
    store = await open_store(f"sqlite:///{directory}/exported")
    await keep(store, rows, seals_over(rows[:SEALED]))
    file = directory / "acme.fernamt"
    parts: list[bytes] = []
    await export(archive_of(store), ACME, None, parts.append)
    await store.close()
    file.write_bytes(b"".join(parts))
    return file


async def checked(store: Store, accepted: Accepted = ANY) -> Verified:
    return await verify(archive_of(store), ACME, accepted=accepted)


async def spoil_log(store_url: str, rows: Sequence[StoredRow]) -> None:
    """Put other rows into the place of the log, past every program of ours."""
    columns = "(originator_id, originator_version, topic, state)"
    values = [(ACME, row.position, row.topic, row.state) for row in rows]
    await _instead(store_url, "stored_events", "originator_id", columns, values)


async def spoil_seals(store_url: str, seals: Sequence[Seal]) -> None:
    """Put other seals into the place of those that are there."""
    columns = "(workspace, first, upto, digests, hash, signature, key)"
    await _instead(store_url, "log_seals", "workspace", columns, [(ACME, *seal) for seal in seals])


async def _instead(
    store_url: str, table: str, whose: str, columns: str, values: Sequence[tuple[object, ...]]
) -> None:
    count = columns.count(",") + 1
    # Names of ours alone; what is written travels as parameters.
    delete = f"delete from {table} where {whose} = '{ACME}'"  # noqa: S608
    insert = f"insert into {table} {columns} values ({{}})"  # noqa: S608
    directory = parse_store_url(store_url).directory
    if directory is not None:
        with closing(sqlite3.connect(directory / DATABASE_FILE)) as embedded, embedded:
            lay_open(embedded)
            embedded.execute(delete)
            embedded.executemany(insert.format(", ".join("?" * count)), values)
        return
    served = await as_vandal(store_url)
    await served.execute(delete)
    places = ", ".join(f"${number}" for number in range(1, count + 1))
    await served.executemany(insert.format(places), values)
    await served.close()


# --- ways to change rows ------------------------------------------------------------------------


def envelope_of(row: StoredRow) -> Envelope:
    return decode_event(row.topic, row.state)


def whole_groups(rows: Rows) -> Rows:
    """Without the last event and its group."""
    first = envelope_of(rows[-1]).first
    return rows[: first - 1]


def touched(rows: Rows, after: int) -> Rows:
    """The rows with one byte changed behind a position, in a trace that stands in no other row."""
    for number, row in enumerate(rows[after:-1], start=after):
        alone = (envelope_of(row).first, envelope_of(rows[number + 1]).first)
        if b'"t-' in row.state and alone == (number + 1, number + 2):
            changed = row._replace(state=row.state.replace(b'"t-', b'"u-'))
            return [*rows[:number], changed, *rows[number + 1 :]]
    raise LookupError("no event has a trace there")


def recoded(row: StoredRow, change: Callable[[Envelope], Envelope]) -> StoredRow:
    """The row with a changed event in it, written as the engine writes."""
    return StoredRow(row.position, *encode_event(change(envelope_of(row))))


def renumbered(rows: Sequence[StoredRow], *, recode: bool) -> Rows:
    """The rows without gaps; with ``recode`` their groups begin where they begin now, too."""
    numbered = [row._replace(position=Position(number)) for number, row in enumerate(rows, start=1)]
    if not recode:
        return numbered
    moved: dict[int, int] = {}
    for number, row in enumerate(rows, start=1):
        moved.setdefault(row.position, number)

    def joined(envelope: Envelope) -> Envelope:
        first = moved.get(envelope.first, envelope.first)
        return msgspec.structs.replace(envelope, first=Position(first))

    return [recoded(row, joined) for row in numbered]
