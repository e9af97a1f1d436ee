"""What questions about the past are answered from: the log, and what is kept beside it."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal, NamedTuple, Protocol

from shared.ports import LogReader
from shared.routing.ids import Position, WorkspaceId

SettledKind = Literal["conversation", "visitor", "acquaintance"]
"""What a workspace has ever more of, most of it over and done with."""

SettledKey = tuple[SettledKind, str]
"""Which of them: kind and id."""


class SnapshotHead(NamedTuple):
    """A workspace as it was at a position, without what was settled by then, as bytes."""

    position: Position
    anchor: bytes
    """Digest of the log's row at this position: it tells whether the snapshot is of this log."""
    body: bytes


class SettledRow(NamedTuple):
    """Something settled, as it was at the position of a snapshot and is until a later one says."""

    kind: SettledKind
    id: str
    position: Position
    body: bytes


class Snapshot(NamedTuple):
    """What is written of a workspace at one position; all rows have it."""

    head: SnapshotHead
    commands: Sequence[bytes]
    """What retries are recognised by, in pieces: they take the place of those kept before. None of
    them: those stay."""
    settled: Sequence[SettledRow]


class KeptCommands(NamedTuple):
    """What retries are recognised by, in pieces, as of the snapshot at this position."""

    position: Position
    pieces: Sequence[bytes]


class SnapshotReader(Protocol):
    """States kept beside the log, so that nobody folds it from its beginning: a cache.

    Snapshots of one ``fold`` (how events were folded, and into what shapes) know nothing of those
    of another. Where none were ever written there are none. All methods raise ``StoreUnavailable``.
    """

    async def latest(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> SnapshotHead | None:
        """The head of the last snapshot at or before a position."""
        ...

    async def last(self, workspace_id: WorkspaceId, fold: str, upto: Position) -> Position | None:
        """The position of that head, without the rest of it."""
        ...

    async def commands(self, workspace_id: WorkspaceId, fold: str) -> KeptCommands | None:
        """The last that were kept: those of the newest snapshot, or of one not long before it."""
        ...

    async def settled(
        self, workspace_id: WorkspaceId, fold: str, upto: Position, keys: Sequence[SettledKey]
    ) -> Sequence[SettledRow]:
        """Of each of these the last row at or before ``upto``; what has none is left out."""
        ...

    def all_settled(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> AsyncIterator[Sequence[SettledRow]]:
        """The same of everything there is, in chunks, by kind and id."""
        ...

    def settled_keys(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> AsyncIterator[Sequence[SettledKey]]:
        """Of all these the keys alone."""
        ...


class Snapshots(SnapshotReader, Protocol):
    """The writing half. All of it may be called again, and raises ``CommitInDoubt``, too."""

    async def add(self, workspace_id: WorkspaceId, fold: str, snapshot: Snapshot) -> None:
        """Keep the snapshot. Its head is written last: without it the rest counts for nothing."""
        ...

    async def drop(self, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        """Drop what is kept of this fold, the heads first; at most so many settled rows.

        The result is how many of these there were: less than ``limit`` once nothing is left.
        """
        ...

    async def drop_others(self, workspace_id: WorkspaceId, fold: str, limit: int) -> int:
        """The same with every fold but this one."""
        ...

    async def close(self) -> None: ...


class Seal(NamedTuple):
    """What one row of the table ``log_seals`` says about the events from ``first`` to ``upto``."""

    first: Position
    upto: Position
    digests: bytes
    """16 bytes for each event, by which the first that was touched is found."""
    hash: bytes
    """SHA-256 over the hash of the seal before, ``upto`` and ``digests``."""
    signature: bytes
    """Ed25519 over the workspace's id, ``upto`` and ``hash``."""
    key: bytes
    """The public key of the signature, 32 bytes."""


class SealReader(Protocol):
    """The seals of a log, for those who check it. All methods raise ``StoreUnavailable``."""

    def after(self, workspace_id: WorkspaceId, position: Position) -> AsyncIterator[Sequence[Seal]]:
        """Yield the seals that begin behind a position, in order, in chunks."""
        ...

    async def last(self, workspace_id: WorkspaceId) -> Seal | None:
        """The one that reaches furthest; none where nothing is sealed."""
        ...


class Seals(SealReader, Protocol):
    """The seals of a log: added, never changed. At each position at most one begins."""

    async def add(self, workspace_id: WorkspaceId, seal: Seal) -> bool:
        """Keep it, durably; false if another begins there already.

        May be called again, and raises ``CommitInDoubt``, too.
        """
        ...

    async def close(self) -> None: ...


class Archive(NamedTuple):
    """What questions about the past are answered from."""

    log: LogReader
    snapshots: SnapshotReader
    seals: SealReader

    async def close(self) -> None:
        """Close the log, and with it what the others read through."""
        await self.log.close()
