"""What is to be sent outside, in SQLite: written and read in the thread of the one writer."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from shared.adapters.log_rows import storable
from shared.adapters.outbox_sql import ROW, START, dead_letter_of, pending_of, values_of
from shared.adapters.sqlite_writer import SqliteWriter
from shared.ports import DeadLetter, Lane, OutboxRow, Pending
from shared.routing.ids import Position, UnixMs, WorkspaceId

_ADD = f"""
insert or ignore into outbox ({ROW}, next_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
"""
_LANES = """
select workspace, channel, recipient, min(next_at) from outbox
where state = 'waiting' group by workspace, channel, recipient
"""
_NEXT = f"""
select {ROW}, attempts, next_at from outbox
where state = 'waiting' and workspace = ? and channel = ? and recipient = ?
order by next_at, position, id limit 1
"""
_DONE = "update outbox set state = 'done', body = x'', last_error = '' where id = ?"
_RETRY = """
update outbox set attempts = ?2, next_at = ?3, last_error = ?4
where id = ?1 and state = 'waiting'
"""
_DEAD = """
update outbox set state = 'dead', attempts = ?2, next_at = ?3, last_error = ?4
where id = ?1 and state = 'waiting'
"""
_FORGET = "delete from outbox where state = 'done' and workspace = ? and position <= ?"
_CUT = "delete from outbox where workspace = ? and position > ?"
_DEAD_LETTERS = f"""
select {ROW}, attempts, next_at, last_error from outbox
where state = 'dead' and workspace = ? and (position, id) > (?, ?)
order by position, id limit ?
"""
_WANTED = """
where state = 'dead' and workspace = ?1
and (?2 is null or id in (select value from json_each(?2)))
"""
_CHOSEN = f"select workspace, channel, recipient from outbox {_WANTED}"
_RESEND = f"update outbox set state = 'waiting', attempts = 0, next_at = ?3 {_WANTED}"

_Statements = Sequence[tuple[str, Sequence[object]]]


class SqliteOutbox:
    """``Outbox`` on SQLite. All methods raise ``StoreUnavailable``."""

    def __init__(self, writer: SqliteWriter) -> None:
        self._writer = writer

    async def add(self, rows: Sequence[OutboxRow]) -> None:
        """See ``Outbox.add``."""
        if rows:
            await self._write([(_ADD, values_of(row)) for row in rows])

    async def lanes(self) -> Sequence[tuple[Lane, UnixMs]]:
        """See ``Outbox.lanes``."""
        rows = await self._select(_LANES)
        return [(Lane(*lane), UnixMs(due)) for *lane, due in rows]

    async def next_of(self, lane: Lane) -> Pending | None:
        """See ``Outbox.next_of``."""
        rows = await self._select(_NEXT, *lane)
        return pending_of(rows[0]) if rows else None

    async def done(self, row_id: str) -> None:
        """See ``Outbox.done``."""
        await self._write([(_DONE, (row_id,))])

    async def retry(self, row_id: str, attempts: int, next_at: UnixMs, error: str) -> None:
        """See ``Outbox.retry``."""
        await self._write([(_RETRY, (row_id, attempts, next_at, storable(error)))])

    async def dead(self, row_id: str, attempts: int, at: UnixMs, error: str) -> None:
        """See ``Outbox.dead``."""
        await self._write([(_DEAD, (row_id, attempts, at, storable(error)))])

    async def forget(self, positions: Mapping[WorkspaceId, Position]) -> None:
        """See ``Outbox.forget``."""
        await self._write([(_FORGET, (storable(whose), upto)) for whose, upto in positions.items()])

    async def cut(self, workspace_id: WorkspaceId, after: Position) -> None:
        """See ``Outbox.cut``."""
        await self._write([(_CUT, (storable(workspace_id), after))])

    async def dead_letters(
        self, workspace_id: WorkspaceId, after: tuple[Position, str] = START, limit: int = 100
    ) -> Sequence[DeadLetter]:
        """See ``Outbox.dead_letters``."""
        rows = await self._select(_DEAD_LETTERS, storable(workspace_id), *after, limit)
        return [dead_letter_of(row) for row in rows]

    async def resend(
        self, workspace_id: WorkspaceId, row_ids: Sequence[str] | None, at: UnixMs
    ) -> Sequence[Lane]:
        """See ``Outbox.resend``."""
        wanted = None if row_ids is None else json.dumps([storable(one) for one in row_ids])
        return await self._writer.run(partial(self._resend, (storable(workspace_id), wanted), at))

    async def close(self) -> None:
        """Nothing is held here: the writer is closed with the log."""

    def _resend(self, whose: tuple[str, str | None], at: UnixMs) -> Sequence[Lane]:
        with self._writer.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute(_CHOSEN, whose)
            lanes = [Lane(*row) for row in cursor.fetchall()]
            cursor.execute(_RESEND, (*whose, at))
            return lanes

    async def _write(self, statements: _Statements) -> None:
        def work() -> None:
            with self._writer.recorder.datastore.transaction(commit=True) as cursor:
                for sql, arguments in statements:
                    cursor.execute(sql, arguments)

        await self._writer.run(work)

    async def _select(self, sql: str, *arguments: object) -> Sequence[Sequence[Any]]:
        def work() -> Sequence[Sequence[Any]]:
            with self._writer.recorder.datastore.transaction(commit=False) as cursor:
                cursor.execute(sql, arguments)
                return list(map(tuple, cursor.fetchall()))

        reading: Callable[[], Sequence[Sequence[Any]]] = work
        return await self._writer.run(reading)
