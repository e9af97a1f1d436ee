"""Batches for a log, short to write down, and what is in a log, short to compare."""

from collections.abc import Iterable, Mapping, Sequence

from shared.adapters.open_store import Store
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


async def log_of(store: Store, workspace_id: WorkspaceId) -> list[StoredRow]:
    """The workspace's whole log."""
    return [row async for chunk in store.events.read(workspace_id, Position(0)) for row in chunk]
