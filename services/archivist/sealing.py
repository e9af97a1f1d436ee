"""Sealing: signing for what stands in the logs, from the bytes that were committed.

Every 1,000 events get a seal, and what is fewer gets one a minute after the first of them, or when
the service stops. Two that seal the same log do no harm: where one was faster the other goes on
behind it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from shared.audit.seals import SEAL_EVENTS, SealKey, sealed
from shared.ports import (
    Clock,
    CommitInDoubt,
    LogCorrupt,
    LogReader,
    StoredRow,
    StoreUnavailable,
    Vault,
)
from shared.ports.archive import Seal, Seals
from shared.routing.ids import Position, WorkspaceId

log = structlog.get_logger()

UNSEALED_MS = 60_000
"""How long an event may stand without a seal."""
PAUSE_MS = 1_000
"""Between two tries while the store is away, and at least between two looks at what is due."""
KEY_FILE = "FERNAMT_SEAL_KEY_FILE"
KEY_NAME = "seals"
"""Under which the vault keeps the key, unless there is a file."""


async def seal_key(environment: Mapping[str, str], vault: Vault) -> SealKey:
    """The key to sign with: from the file that is named, else one that is kept beside the log.

    Raises ``ValueError`` for a file that holds no key, and ``OSError`` where there is none.
    """
    file = environment.get(KEY_FILE)
    if file:
        return await asyncio.to_thread(key_in_file, file)
    return SealKey.from_seed(await vault.key(KEY_NAME))


def key_in_file(file: str) -> SealKey:
    """The key that a file holds. Raises as ``seal_key`` does."""
    return SealKey.from_text(Path(file).read_text(encoding="ascii", errors="replace"))


class _Unsealed:
    """One log as far as was heard; ``since_ms`` is when the first event without a seal was."""

    def __init__(self) -> None:
        self.head = Position(0)
        self.sealed = Position(0)
        self.looked_at = False
        """Whether ``sealed`` is what the store says."""
        self.since_ms: int | None = None


class Sealing:
    """Seals the logs of all workspaces of which it hears. ``run`` does the work."""

    def __init__(self, events: LogReader, seals: Seals, key: SealKey, clock: Clock) -> None:
        self._events = events
        self._seals = seals
        self._key = key
        self._clock = clock
        self._logs: dict[WorkspaceId, _Unsealed] = {}
        self._heard = asyncio.Event()
        self.faults = 0
        """How often a log was not what its seals say, or not what was heard of it."""

    @property
    def unsealed(self) -> int:
        """Events without a seal, of all logs that were looked at."""
        looked_at = [one for one in self._logs.values() if one.looked_at]
        return sum(max(one.head - one.sealed, 0) for one in looked_at)

    def heard(self, workspace_id: WorkspaceId, head: Position) -> None:
        """The log of a workspace reaches ``head``: it is committed up to there."""
        one = self._logs.setdefault(workspace_id, _Unsealed())
        one.head = max(one.head, head)
        if one.since_ms is None and one.head > one.sealed:
            one.since_ms = self._clock.elapsed_ms()
        if one.head - one.sealed >= SEAL_EVENTS:
            self._heard.set()

    async def run(self) -> None:
        """Seal what is due until cancelled. A log that cannot be sealed keeps no other waiting."""
        while True:
            self._heard.clear()
            for workspace_id, one in list(self._logs.items()):
                await self._seal_due(workspace_id, one)
            try:
                async with asyncio.timeout(PAUSE_MS / 1_000):
                    await self._heard.wait()
            except TimeoutError:
                continue

    async def seal_all(self) -> None:
        """Seal everything that was heard of; what the store does not take now is left unsealed."""
        for workspace_id, one in list(self._logs.items()):
            await self._seal(workspace_id, one, at_least=1)

    async def _seal_due(self, workspace_id: WorkspaceId, one: _Unsealed) -> None:
        if one.since_ms is None:
            return
        waited_ms = self._clock.elapsed_ms() - one.since_ms
        if waited_ms >= UNSEALED_MS:
            await self._seal(workspace_id, one, at_least=1)
        elif one.head - one.sealed >= SEAL_EVENTS:
            await self._seal(workspace_id, one, at_least=SEAL_EVENTS)

    async def _seal(self, workspace_id: WorkspaceId, one: _Unsealed, at_least: int) -> None:
        try:
            last = await self._seals.last(workspace_id)
            one.sealed = last.upto if last is not None else Position(0)
            one.looked_at = True
            while one.head - one.sealed >= at_least:
                last = await self._next(workspace_id, last, one.head)
                one.sealed = last.upto
        except (StoreUnavailable, CommitInDoubt) as error:
            log.warning("not_sealed", workspace=workspace_id, reason=error)
            return
        except LogCorrupt as error:
            log.error("not_to_be_sealed", workspace=workspace_id, reason=error)
            self.faults += 1
            one.head = one.sealed
        if one.sealed > one.head:
            log.error("sealed_beyond_the_log", workspace=workspace_id, sealed=one.sealed)
            self.faults += 1
        one.since_ms = self._clock.elapsed_ms() if one.head > one.sealed else None

    async def _next(self, workspace_id: WorkspaceId, last: Seal | None, head: Position) -> Seal:
        """One seal more: ours, or that of somebody who was faster."""
        after = last.upto if last is not None else Position(0)
        rows = await self._rows(workspace_id, after, min(head, Position(after + SEAL_EVENTS)))
        seal = sealed(workspace_id, last, rows, self._key)
        if await self._seals.add(workspace_id, seal):
            log.info("sealed", workspace=workspace_id, upto=seal.upto, hash=seal.hash.hex())
            return seal
        other = await self._seals.last(workspace_id)
        if other is None or other.upto <= after:
            raise LogCorrupt(f"the seal at position {seal.first} is refused, and none is there")
        return other

    async def _rows(
        self, workspace_id: WorkspaceId, after: Position, upto: Position
    ) -> Sequence[StoredRow]:
        rows: list[StoredRow] = []
        async for some in self._events.read(workspace_id, after, upto):
            rows.extend(some)
        if not rows:
            raise LogCorrupt(f"position {after + 1} is not there, of which was heard")
        return rows
