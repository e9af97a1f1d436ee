"""A bundle as the log of one workspace, with its seals: every question can be asked of the file."""

import bisect
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

import msgspec

from shared.audit.bundle import (
    TRAILER_BYTES,
    VERSION,
    Footer,
    Header,
    members_of,
    rows_of,
    seal_in,
    trailer,
)
from shared.ports import LogCorrupt, StoredRow
from shared.ports.archive import (
    Archive,
    KeptCommands,
    Seal,
    SettledKey,
    SettledRow,
    SnapshotHead,
)
from shared.routing.ids import Position, WorkspaceId

MEMBERS_KEPT = 8
"""Of the members, those that were read last stay as rows."""


class BundleDamaged(LogCorrupt):
    """The file is not a whole bundle; the message says what is wrong with it."""


class BundleReader:
    """``LogReader`` and ``SealReader`` over a file, which is in memory as it is, compressed."""

    def __init__(
        self,
        header: Header,
        members: Sequence[bytes],
        firsts: Sequence[Position],
        seals: Sequence[Seal],
        state_hash: str,
    ) -> None:
        self.workspace_id = header.workspace_id
        self.events = header.events
        self.state_hash = state_hash
        """Of the state after the last event, as the exporter came to it."""
        self._members = members
        self._firsts = firsts
        self.seals = seals
        self._kept: OrderedDict[int, Sequence[StoredRow]] = OrderedDict()

    @classmethod
    def open(cls, file: Path) -> Self:
        """Read a file and check that it is whole. Raises ``BundleDamaged`` and ``OSError``."""
        return cls.from_bytes(file.read_bytes(), str(file))

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> Self:
        """The same with a file's content; ``name`` is for the messages."""
        body, end = content[:-TRAILER_BYTES], content[-TRAILER_BYTES:]
        if end != trailer(sha256(body).digest()):
            raise BundleDamaged(f"{name} was cut off or changed, or is no export of fernamt")
        try:
            return cls._taken_apart(body)
        except (ValueError, msgspec.DecodeError) as error:
            raise BundleDamaged(f"{name} was not written by fernamt export: {error}") from error

    @classmethod
    def _taken_apart(cls, body: bytes) -> Self:
        members = members_of(body)
        _, lines = next(members, (b"", []))
        header = msgspec.json.decode(b"\n".join(lines), type=Header)
        if header.version != VERSION:
            raise ValueError(f"this release reads version {VERSION}, and it is {header.version}")
        kept: list[bytes] = []
        firsts: list[Position] = []
        rest: list[bytes] = []
        position = Position(1)
        for member, lines in members:
            if position > header.events:
                rest.extend(lines)
                continue
            kept.append(member)
            firsts.append(position)
            position = Position(position + sum(1 for _ in rows_of(lines, position)))
        if position != header.events + 1 or not rest:
            raise ValueError(f"it holds {position - 1} events in place of {header.events}")
        footer = msgspec.json.decode(rest.pop(), type=Footer)
        return cls(header, kept, firsts, list(map(seal_in, rest)), footer.state_hash)

    # --- the log ----------------------------------------------------------------------------

    async def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        """See ``LogReader.read``."""
        last = min(upto, self.events) if upto is not None else self.events
        while workspace_id == self.workspace_id and after < last:
            rows = [
                row for row in self._around(Position(after + 1)) if after < row.position <= last
            ]
            yield rows
            after = rows[-1].position

    async def read_at(
        self, workspace_id: WorkspaceId, positions: Sequence[Position]
    ) -> Sequence[StoredRow]:
        """See ``LogReader.read_at``."""
        head = await self.head(workspace_id)
        wanted = sorted({position for position in positions if 1 <= position <= head})
        found = [self._around(position) for position in wanted]
        return [
            rows[position - rows[0].position] for position, rows in zip(wanted, found, strict=True)
        ]

    async def head(self, workspace_id: WorkspaceId) -> Position:
        """See ``LogReader.head``."""
        return Position(self.events if workspace_id == self.workspace_id else 0)

    async def heads(self, workspace_ids: Sequence[WorkspaceId]) -> Mapping[WorkspaceId, Position]:
        """See ``LogReader.heads``."""
        return {its_id: await self.head(its_id) for its_id in workspace_ids}

    async def workspaces(self) -> Sequence[WorkspaceId]:
        """The one that was exported."""
        return [self.workspace_id]

    def rows(self) -> Iterator[Sequence[StoredRow]]:
        """All rows in chunks, in order."""
        for number in range(len(self._members)):
            yield self._rows_in(number)

    async def close(self) -> None:
        """Nothing to do: the file was closed once it was read."""

    def _around(self, position: Position) -> Sequence[StoredRow]:
        """The rows of the member in which this position is."""
        number = bisect.bisect_right(self._firsts, position) - 1
        rows = self._kept.pop(number, None) or self._rows_in(number)
        self._kept[number] = rows
        if len(self._kept) > MEMBERS_KEPT:
            self._kept.popitem(last=False)
        return rows

    def _rows_in(self, number: int) -> Sequence[StoredRow]:
        content = zlib.decompress(self._members[number], zlib.MAX_WBITS | 16)
        return list(rows_of(content.split(b"\n")[:-1], self._firsts[number]))

    # --- its seals --------------------------------------------------------------------------

    async def after(
        self, workspace_id: WorkspaceId, position: Position
    ) -> AsyncIterator[Sequence[Seal]]:
        """See ``SealReader.after``."""
        found = [seal for seal in self.seals if seal.first > position]
        if found and workspace_id == self.workspace_id:
            yield found

    async def last(self, workspace_id: WorkspaceId) -> Seal | None:
        """See ``SealReader.last``."""
        return self.seals[-1] if self.seals and workspace_id == self.workspace_id else None


class NoSnapshots:
    """``SnapshotReader`` where nothing is kept beside the log."""

    async def latest(
        self, _workspace_id: WorkspaceId, _fold: str, _upto: Position
    ) -> SnapshotHead | None:
        return None

    async def last(
        self, _workspace_id: WorkspaceId, _fold: str, _upto: Position
    ) -> Position | None:
        return None

    async def commands(self, _workspace_id: WorkspaceId, _fold: str) -> KeptCommands | None:
        return None

    async def settled(
        self,
        _workspace_id: WorkspaceId,
        _fold: str,
        _upto: Position,
        _keys: Sequence[SettledKey],
    ) -> Sequence[SettledRow]:
        return ()

    async def all_settled(
        self, _workspace_id: WorkspaceId, _fold: str, _upto: Position
    ) -> AsyncIterator[Sequence[SettledRow]]:
        nothing: Sequence[Sequence[SettledRow]] = ()
        for none in nothing:
            yield none

    async def settled_keys(
        self, _workspace_id: WorkspaceId, _fold: str, _upto: Position
    ) -> AsyncIterator[Sequence[SettledKey]]:
        nothing: Sequence[Sequence[SettledKey]] = ()
        for none in nothing:
            yield none


def archive_in(bundle: BundleReader) -> Archive:
    """What questions about the past are answered from, where there is a bundle alone."""
    return Archive(log=bundle, snapshots=NoSnapshots(), seals=bundle)
