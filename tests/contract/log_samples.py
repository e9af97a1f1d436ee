"""Batches for a log, short to write down, and what is in a log, short to compare."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

import asyncpg

from shared.adapters.open_store import Store, parse_store_url
from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.ports import Append, Erasure, StoredRow, VaultRow
from shared.routing.ids import Position, Ref, WorkspaceId
from shared.routing.partition import PARTITIONS

TOPIC = "conversation_assigned.v1"

NORTH = WorkspaceId("north")
SOUTH = WorkspaceId("south")
WEST = WorkspaceId("west")


def row(position: int, state: bytes = b"{}") -> StoredRow:
    return StoredRow(Position(position), TOPIC, state)


def rows(first: int, last: int, by: str = "us") -> list[StoredRow]:
    """Rows at the positions from first to last, each different and marked with their writer."""
    return [
        row(position, f'{{"by":"{by}","n":{position}}}'.encode())
        for position in range(first, last + 1)
    ]


def append(
    workspace_id: WorkspaceId,
    what: Sequence[StoredRow],
    vault: Iterable[VaultRow] = (),
    erase: Sequence[Erasure] = (),
) -> Append:
    return Append(workspace_id, what, tuple(vault), erase)


def text(
    ref: str, body: bytes = b"Ana Petrova", subject: str = "operator:ana", position: int = 1
) -> VaultRow:
    return VaultRow(Ref(ref), subject, body, Position(position))


async def hold_everything(store: Store, owner: str = "router") -> Mapping[int, int]:
    """Take the leases of all partitions: epoch by partition, as ``append`` wants them."""
    return dict(await store.leases.acquire(owner, range(PARTITIONS)))


async def run_as_vandal(store_url: str, sql: str) -> None:
    """Do to the database what no program of ours does."""
    directory = parse_store_url(store_url).directory
    if directory is not None:
        with closing(sqlite3.connect(directory / DATABASE_FILE, isolation_level=None)) as embedded:
            embedded.execute(sql)
        return
    served = await asyncpg.connect(store_url)
    await served.execute(sql)
    await served.close()


async def log_of(store: Store, workspace_id: WorkspaceId) -> list[StoredRow]:
    """The workspace's whole log."""
    return [row async for chunk in store.events.read(workspace_id, Position(0)) for row in chunk]
