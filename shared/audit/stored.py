"""The stored events of one workspace, decoded: in chunks, by position, and their stamps."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import msgspec

from shared.ports import LogCorrupt, StoredRow
from shared.ports.archive import Archive, Seal
from shared.routing.events import Envelope
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.wire.log_codec import UndecodableEvent, decode_event

YIELD_EVENTS = 128
"""After so many the loop gets its turn: some three milliseconds."""


class Recorded(NamedTuple):
    """An event with its place in the log and the bytes that are stored."""

    position: Position
    envelope: Envelope
    row: StoredRow


class Beyond(Exception):
    """A position that the log does not reach; the message says where it ends."""


class _Stamp(msgspec.Struct, frozen=True, gc=False):
    at: UnixMs


_stamp_of = msgspec.json.Decoder(_Stamp).decode


class Stored:
    """The log of one workspace. All methods raise ``LogCorrupt`` and ``StoreUnavailable``."""

    def __init__(self, archive: Archive, workspace_id: WorkspaceId) -> None:
        self.archive = archive
        self.workspace_id = workspace_id

    async def head(self) -> Position:
        """Position of the last event, 0 if there is none."""
        return await self.archive.log.head(self.workspace_id)

    async def events(
        self, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        """The events after a position in order, in chunks, up to ``upto`` or the head."""
        async for rows in self.archive.log.read(self.workspace_id, after, upto):
            for start in range(0, len(rows), YIELD_EVENTS):
                yield [self._recorded(row) for row in rows[start : start + YIELD_EVENTS]]
                await asyncio.sleep(0)

    async def events_with(
        self, after: Position, upto: Position, needle: bytes
    ) -> AsyncIterator[Recorded]:
        """Those among them whose stored bytes hold ``needle``; no others are decoded."""
        async for rows in self.archive.log.read(self.workspace_id, after, upto):
            for row in rows:
                if needle in row.state:
                    yield self._recorded(row)
            await asyncio.sleep(0)

    async def events_at(self, positions: Sequence[Position]) -> Sequence[Recorded]:
        """The events at these positions, in ascending order. Raises ``Beyond``."""
        if not positions:
            return []
        rows = await self.archive.log.read_at(self.workspace_id, positions)
        if len(rows) != len(positions):
            there = {row.position for row in rows}
            missing = next(position for position in positions if position not in there)
            raise Beyond(f"there is no position {missing} in the log of {self.workspace_id}")
        return [self._recorded(row) for row in rows]

    async def event_at(self, position: Position) -> Recorded:
        """The event at this position. Raises ``Beyond``."""
        return (await self.events_at([position]))[0]

    async def seals(self, position: Position) -> AsyncIterator[Seal]:
        """The seals that begin behind a position, in order."""
        async for some in self.archive.seals.after(self.workspace_id, position):
            for seal in some:
                yield seal

    def _recorded(self, row: StoredRow) -> Recorded:
        try:
            return Recorded(row.position, decode_event(row.topic, row.state), row)
        except UndecodableEvent as error:
            where = f"position {row.position} of workspace {self.workspace_id}"
            raise LogCorrupt(f"{where}: {error}") from error

    async def stamp_of(self, position: Position) -> UnixMs:
        """The time of the event at a position; 0 before the first. Raises ``Beyond``."""
        if position == 0:
            return UnixMs(0)
        rows = await self.archive.log.read_at(self.workspace_id, [position])
        if not rows:
            raise Beyond(f"there is no position {position} in the log of {self.workspace_id}")
        try:
            return _stamp_of(rows[0].state).at
        except msgspec.DecodeError as error:
            where = f"position {position} of workspace {self.workspace_id}"
            raise LogCorrupt(f"{where}: {error}") from error
