"""A workspace's log as one file, put together out of what the auditor answers page by page.

The console has no log of its own; the file is the same, byte for byte, as ``fernamt export``
writes it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence

from services.console.asking import Engine
from shared.audit.answers import MomentView, SealView, StoredEvents, StoredSeals
from shared.audit.bundle import export
from shared.audit.reading_bundles import NoSnapshots
from shared.ports import StoredRow
from shared.ports.archive import Archive, Seal
from shared.routing.ids import Position, WorkspaceId

PAGE = 500
SEALS_PAGE = 100
HELD_MAX_BYTES = 4_000_000
"""Written and not yet fetched by the browser; beyond it, reading waits."""


async def bundle_of(engine: Engine, workspace: str, until: int) -> AsyncIterator[bytes]:
    """The file, piece by piece. Raises as ``export`` does, or ``Trouble``."""
    file = _File()
    log, seals = _Log(engine, file), _Seals(engine)
    archive = Archive(log, NoSnapshots(), seals)
    work = asyncio.create_task(
        export(archive, WorkspaceId(workspace), Position(until), file.write), name="export"
    )
    work.add_done_callback(lambda _: file.end())
    try:
        async for piece in file.pieces():
            yield piece
        await work
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


class _File:
    """Between whoever writes and the browser that fetches."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._over = False
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > HELD_MAX_BYTES:
            self._room.clear()
        self._some.set()

    def end(self) -> None:
        self._over = True
        self._some.set()

    async def room(self) -> None:
        """Wait until the browser has fetched most of what there is."""
        await self._room.wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        while True:
            self._some.clear()
            while self._pieces:
                piece = self._pieces.popleft()
                self._held -= len(piece)
                if self._held <= HELD_MAX_BYTES:
                    self._room.set()
                yield piece
            if self._over:
                return
            await self._some.wait()


class _Log:
    """A log as the auditor shows it."""

    def __init__(self, engine: Engine, file: _File) -> None:
        self._engine = engine
        self._file = file

    async def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        cursor: int | None = after
        while cursor is not None and (upto is None or cursor < upto):
            await self._file.room()
            limit = PAGE if upto is None else min(PAGE, upto - cursor)
            fields = {"after": cursor, "limit": limit}
            told = await self._engine.audit(workspace_id, "events", StoredEvents, fields)
            if told.result.events:
                yield [StoredRow(e.position, e.topic, bytes(e.state)) for e in told.result.events]
            cursor = told.result.next

    async def head(self, workspace_id: WorkspaceId) -> Position:
        told = await self._engine.audit(workspace_id, "moment", MomentView)
        return told.result.head

    async def heads(self, workspace_ids: Sequence[WorkspaceId]) -> Mapping[WorkspaceId, Position]:
        return {its_id: await self.head(its_id) for its_id in workspace_ids}

    async def read_at(
        self, workspace_id: WorkspaceId, positions: Sequence[Position]
    ) -> Sequence[StoredRow]:
        """One question for each: meant for few."""
        found: list[StoredRow] = []
        for position in sorted(positions):
            async for rows in self.read(workspace_id, Position(position - 1), position):
                found += rows
        return found

    async def workspaces(self) -> Sequence[WorkspaceId]:
        return ()

    async def close(self) -> None:
        """Nothing is open."""


class _Seals:
    """Its seals likewise."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def after(
        self, workspace_id: WorkspaceId, position: Position
    ) -> AsyncIterator[Sequence[Seal]]:
        cursor: int | None = position
        while cursor is not None:
            fields = {"after": cursor, "limit": SEALS_PAGE}
            told = await self._engine.audit(workspace_id, "seals", StoredSeals, fields)
            yield [_seal(seal) for seal in told.result.seals]
            cursor = told.result.next

    async def last(self, workspace_id: WorkspaceId) -> Seal | None:
        found: Seal | None = None
        async for seals in self.after(workspace_id, Position(0)):
            found = seals[-1] if seals else found
        return found


def _seal(seal: SealView) -> Seal:
    return Seal(
        seal.first,
        seal.upto,
        *map(bytes.fromhex, (seal.digests, seal.hash, seal.signature, seal.key)),
    )
