"""What a reader of a feed has missed: from memory where it reaches, else read out of the log again.

Both give the messages as they were published, since messages follow from the log.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from shared.ports import EventStore, LogCorrupt, StoredRow
from shared.routing.following import Unfit
from shared.routing.ids import Position, WorkspaceId
from shared.routing.notify import Numbered, Recipient, Telling
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event

REMEMBERED_MAX = 4_000
"""Messages of one workspace that are kept in memory: some 2 MB."""
SLICE_EVENTS = 100
"""Events read between two turns for others: a few milliseconds."""
FOLDS_MAX = 2
"""Logs read side by side for those who missed too much."""


class Wanted(NamedTuple):
    """The next messages of one recipient, so many at most."""

    recipient: Recipient
    after: int
    limit: int


class Remembered:
    """The last messages with a number in one workspace, by recipient."""

    def __init__(self, most: int = REMEMBERED_MAX) -> None:
        self._most = most
        self._by_age: deque[Recipient] = deque()
        self._of: dict[Recipient, list[Numbered]] = {}

    def keep(self, messages: Sequence[Numbered]) -> None:
        """Remember them, and forget the oldest if there are too many."""
        for message in messages:
            if message.seq is None:
                continue
            recipient = message.notification.recipient
            self._by_age.append(recipient)
            kept = self._of.get(recipient)
            if kept is None:
                self._of[recipient] = [message]
            else:
                kept.append(message)
        while len(self._by_age) > self._most:
            self._forget(self._by_age.popleft())

    def _forget(self, oldest: Recipient) -> None:
        kept = self._of[oldest]
        if len(kept) == 1:
            del self._of[oldest]
        else:
            del kept[0]  # most have few, and nobody has more than are remembered in all

    def messages(self, wanted: Wanted) -> Sequence[Numbered] | None:
        """Those after ``wanted.after``; none if some of them are forgotten."""
        kept = self._of.get(wanted.recipient)
        if not kept or _seq(kept[0]) > wanted.after + 1:
            return None
        skipped = wanted.after + 1 - _seq(kept[0])
        return kept[skipped : skipped + wanted.limit]


def _seq(message: Numbered) -> int:
    assert message.seq is not None
    return message.seq


class _Fold:
    """One reading of a log, for everybody who asked before it began."""

    def __init__(self) -> None:
        self.found: dict[Wanted, list[Numbered]] = {}
        self.upto = Position(0)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, message: Numbered) -> None:
        for wanted, found in self.found.items():
            if (
                message.notification.recipient == wanted.recipient
                and message.seq is not None
                and message.seq > wanted.after
                and len(found) < wanted.limit
            ):
                found.append(message)

    @property
    def is_full(self) -> bool:
        return all(len(found) >= wanted.limit for wanted, found in self.found.items())


class Rereading:
    """Reads logs again for those who missed more than is remembered; one reading a workspace."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._next: dict[WorkspaceId, _Fold] = {}
        self._busy: dict[WorkspaceId, asyncio.Lock] = {}
        self._turn = asyncio.Semaphore(FOLDS_MAX)

    async def messages(
        self, workspace_id: WorkspaceId, wanted: Wanted, upto: Position
    ) -> Sequence[Numbered]:
        """What the log says up to this position. Raises ``StoreError``."""
        fold = self._next.get(workspace_id)
        if fold is not None:
            fold.found.setdefault(wanted, [])
            fold.upto = max(fold.upto, upto)
            await asyncio.shield(fold.over)
            return _until(fold.found[wanted], upto)
        fold = self._next[workspace_id] = _Fold()
        fold.found[wanted], fold.upto = [], upto
        lock = self._busy.setdefault(workspace_id, asyncio.Lock())
        try:
            async with lock, self._turn:
                del self._next[workspace_id]
                await self._read(workspace_id, fold)
        except BaseException as error:
            self._next.pop(workspace_id, None)
            fold.over.set_exception(error if isinstance(error, Exception) else LogCorrupt("ended"))
            fold.over.exception()
            raise
        fold.over.set_result(None)
        return _until(fold.found[wanted], upto)

    async def _read(self, workspace_id: WorkspaceId, fold: _Fold) -> None:
        telling = Telling(Workspace(workspace_id=workspace_id))
        read = 0
        async for rows in self._events.read(workspace_id, Position(0), fold.upto):
            for row in rows:
                try:
                    told = _told(telling, row)
                except (UndecodableEvent, Unfit) as error:
                    raise LogCorrupt(f"{workspace_id}: {row.position}: {error}") from error
                for message in told:
                    fold.take(message)
                read += 1
                if read % SLICE_EVENTS == 0:
                    await asyncio.sleep(0)
            if fold.is_full:
                return
        for message in telling.rest():
            fold.take(message)


def _told(telling: Telling, row: StoredRow) -> Sequence[Numbered]:
    envelope = decode_event(row.topic, row.state)
    before = telling.begins(row.position, envelope)
    return [*before, *telling.feed(row.position, envelope)]


def _until(messages: Sequence[Numbered], upto: Position) -> Sequence[Numbered]:
    return [message for message in messages if message.position <= upto]
