"""From an address to a store: ``postgresql://HOST/DATABASE`` or ``sqlite:///DIRECTORY``.

After the three slashes the directory is written as on a command line: ``sqlite:///data`` is
relative to the current one, ``sqlite:////var/lib/fernamt`` is absolute.
"""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from shared.adapters.clocks import SystemClock
from shared.adapters.migrations import check_postgres, migrate_postgres
from shared.adapters.postgres_connection import PostgresConnection, PostgresReaders, connect
from shared.adapters.postgres_leases import LEASE_MS, PostgresLeases
from shared.adapters.postgres_outbox import PostgresOutbox
from shared.adapters.postgres_progress import PostgresProgress
from shared.adapters.postgres_reader import PostgresLogReader
from shared.adapters.postgres_seals import PostgresSealReader, PostgresSeals
from shared.adapters.postgres_snapshots import PostgresSnapshotReader, PostgresSnapshots
from shared.adapters.postgres_store import PostgresEventStore
from shared.adapters.postgres_vault import PostgresVault
from shared.adapters.sqlite_leases import SqliteLeases
from shared.adapters.sqlite_outbox import SqliteOutbox
from shared.adapters.sqlite_progress import SqliteProgress
from shared.adapters.sqlite_reader import SqliteLogReader
from shared.adapters.sqlite_seals import SqliteSealReader, SqliteSeals
from shared.adapters.sqlite_snapshots import SqliteSnapshotReader, SqliteSnapshots
from shared.adapters.sqlite_store import SqliteEventStore
from shared.adapters.sqlite_vault import SqliteVault
from shared.adapters.sqlite_writer import SqliteWriter
from shared.ports import Clock, EventStore, Leases, Outbox, Progress, StoreError
from shared.ports.archive import Archive, Seals, Snapshots


class Store(NamedTuple):
    """Everything kept in one database."""

    events: EventStore
    vault: PostgresVault | SqliteVault
    leases: Leases
    outbox: Outbox
    progress: Progress
    snapshots: Snapshots
    seals: Seals

    async def close(self) -> None:
        """Close the events last, and with them what the vault and the leases use."""
        await self.seals.close()
        await self.snapshots.close()
        await self.progress.close()
        await self.outbox.close()
        await self.events.close()


class StoreAddress(NamedTuple):
    """A checked address: one of the two is given."""

    postgres_url: str | None
    directory: Path | None


def parse_store_url(url: str) -> StoreAddress:
    """Take the address apart. Raises ``ValueError`` that names the fault, never a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("the store's address cannot be taken apart: check its brackets") from None
    match parts.scheme:
        case "postgresql" | "postgres":
            # The driver takes further places for the name, all of them in the query.
            if not parts.path.strip("/") and not parts.query:
                raise ValueError(
                    "the store's address names no database: postgresql://HOST/DATABASE"
                )
            return StoreAddress(url, None)
        case "sqlite":
            return StoreAddress(None, _directory(parts.netloc, parts.path))
        case "":
            raise ValueError("the store's address has no scheme: postgresql:// or sqlite:///")
        case scheme:
            raise ValueError(f"no store of the kind {scheme!r}: postgresql:// or sqlite:///")


async def open_store(
    url: str,
    *,
    name: str = "fernamt",
    migrate: bool = False,
    lease_ms: int = LEASE_MS,
    clock: Clock | None = None,
) -> Store:
    """Open the store for reading and writing.

    ``name`` is shown by PostgreSQL in its list of sessions. With ``migrate`` the schema is brought
    up to date, otherwise a PostgreSQL whose schema is not is refused; SQLite always is brought up
    to date. ``clock`` is for SQLite, which has none of its own, where it is not the machine's; a
    database server goes by its own. Raises ``ValueError`` for a bad address, or a clock that no
    server would go by, ``MigrationError``, ``StoreUnavailable``, and ``DirectoryInUse`` if another
    process writes to the directory.
    """
    address = parse_store_url(url)
    if address.directory is not None:
        return await _open_sqlite(address.directory, clock or SystemClock())
    if clock is not None:
        raise ValueError("a database server goes by its own clock, which cannot be set from here")
    await _prepare_schema(url, name, migrate=migrate)
    readers = await PostgresReaders.open(url, f"{name} readers")
    reader = PostgresLogReader(readers)
    control = PostgresConnection(url, f"{name} control")
    events = PostgresEventStore(PostgresConnection(url, f"{name} writer"), control, reader)
    leases = PostgresLeases(control, lease_ms=lease_ms)
    outbox = PostgresOutbox(PostgresConnection(url, f"{name} outbox"))
    progress = PostgresProgress(PostgresConnection(url, f"{name} progress"))
    snapshots = PostgresSnapshots(readers, PostgresConnection(url, f"{name} snapshots"))
    seals = PostgresSeals(readers, PostgresConnection(url, f"{name} seals"))
    vault = PostgresVault(control, reader)
    return Store(events, vault, leases, outbox, progress, snapshots, seals)


async def open_log(url: str, *, name: str = "fernamt") -> PostgresLogReader | SqliteLogReader:
    """Open the log for reading only, beside whoever writes. Raises as ``open_store`` does."""
    address = parse_store_url(url)
    if address.directory is not None:
        return await SqliteLogReader.open(address.directory)
    await _prepare_schema(url, name, migrate=False)
    return PostgresLogReader(await PostgresReaders.open(url, f"{name} readers"))


async def open_archive(url: str, *, name: str = "fernamt") -> Archive:
    """Open all that questions about the past need, for reading only, as ``open_log`` does."""
    address = parse_store_url(url)
    if address.directory is not None:
        log = await SqliteLogReader.open(address.directory)
        return Archive(log, SqliteSnapshotReader(log), SqliteSealReader(log))
    await _prepare_schema(url, name, migrate=False)
    readers = await PostgresReaders.open(url, f"{name} readers")
    snapshots, seals = PostgresSnapshotReader(readers), PostgresSealReader(readers)
    return Archive(PostgresLogReader(readers), snapshots, seals)


def _directory(host: str, path: str) -> Path:
    if host:
        raise ValueError(f"sqlite://{host} names a host: three slashes, then the directory")
    directory = unquote(path.removeprefix("/"))
    if not directory:
        raise ValueError("the store's address names no directory: sqlite:///DIRECTORY")
    return Path(directory)


async def _open_sqlite(directory: Path, clock: Clock) -> Store:
    writer = await SqliteWriter.open(directory)
    try:
        reader = await SqliteLogReader.open(directory)
    except StoreError:
        await writer.close()
        raise
    leases = SqliteLeases(writer)
    events = SqliteEventStore(writer, leases, reader, clock)
    outbox, progress = SqliteOutbox(writer), SqliteProgress(writer)
    snapshots = SqliteSnapshots(writer, reader)
    vault, seals = SqliteVault(writer, reader), SqliteSeals(writer, reader)
    return Store(events, vault, leases, outbox, progress, snapshots, seals)


async def _prepare_schema(url: str, name: str, *, migrate: bool) -> None:
    connection = await connect(url, f"{name} migrations", {})
    try:
        if migrate:
            await migrate_postgres(connection)
        else:
            await check_postgres(connection)
    finally:
        await connection.close(timeout=1)
