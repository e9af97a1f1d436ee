"""What is to be sent outside, in PostgreSQL, over a connection of its own.

Everything here may be called again after ``CommitInDoubt``: a row that is there is not made again,
and an outcome is written as what it is, not as one more.
"""

from collections.abc import Mapping, Sequence

from shared.adapters.log_rows import storable
from shared.adapters.outbox_sql import ROW, START, dead_letter_of, pending_of, values_of
from shared.adapters.postgres_connection import PostgresConnection
from shared.ports import DeadLetter, Lane, OutboxRow, Pending
from shared.routing.ids import Position, UnixMs, WorkspaceId

_ADD = f"""
insert into outbox ({ROW}, next_at)
select *, created_at from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bigint[]
) as made({ROW})
on conflict (id) do nothing
"""
_LANES = """
select workspace, channel, recipient, min(next_at) from outbox
where state = 'waiting' group by workspace, channel, recipient
"""
_NEXT = f"""
select {ROW}, attempts, next_at from outbox
where state = 'waiting' and workspace = $1 and channel = $2 and recipient = $3
order by next_at, position, id limit 1
"""
_DONE = "update outbox set state = 'done', body = '', last_error = '' where id = $1"
_RETRY = """
update outbox set attempts = $2, next_at = $3, last_error = $4
where id = $1 and state = 'waiting'
"""
_DEAD = """
update outbox set state = 'dead', attempts = $2, next_at = $3, last_error = $4
where id = $1 and state = 'waiting'
"""
_FORGET = """
delete from outbox using unnest($1::text[], $2::bigint[]) as upto(workspace, position)
where state = 'done' and outbox.workspace = upto.workspace and outbox.position <= upto.position
"""
_CUT = "delete from outbox where workspace = $1 and position > $2"
_DEAD_LETTERS = f"""
select {ROW}, attempts, next_at, last_error from outbox
where state = 'dead' and workspace = $1 and (position, id) > ($2::bigint, $3::text)
order by position, id limit $4
"""
_RESEND = """
update outbox set state = 'waiting', attempts = 0, next_at = $3
where state = 'dead' and workspace = $1 and ($2::text[] is null or id = any($2::text[]))
returning workspace, channel, recipient
"""


class PostgresOutbox:
    """``Outbox`` on PostgreSQL. All methods raise ``StoreUnavailable`` or ``CommitInDoubt``."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    async def add(self, rows: Sequence[OutboxRow]) -> None:
        """See ``Outbox.add``."""
        if rows:
            columns = zip(*map(values_of, rows), strict=True)
            await self._connection.fetch(_ADD, *map(list, columns))

    async def lanes(self) -> Sequence[tuple[Lane, UnixMs]]:
        """See ``Outbox.lanes``."""
        rows = await self._connection.fetch(_LANES)
        return [(Lane(*lane), UnixMs(due)) for *lane, due in rows]

    async def next_of(self, lane: Lane) -> Pending | None:
        """See ``Outbox.next_of``."""
        rows = await self._connection.fetch(_NEXT, *lane)
        return pending_of(tuple(rows[0])) if rows else None

    async def done(self, row_id: str) -> None:
        """See ``Outbox.done``."""
        await self._connection.fetch(_DONE, row_id)

    async def retry(self, row_id: str, attempts: int, next_at: UnixMs, error: str) -> None:
        """See ``Outbox.retry``."""
        await self._connection.fetch(_RETRY, row_id, attempts, next_at, storable(error))

    async def dead(self, row_id: str, attempts: int, at: UnixMs, error: str) -> None:
        """See ``Outbox.dead``."""
        await self._connection.fetch(_DEAD, row_id, attempts, at, storable(error))

    async def forget(self, positions: Mapping[WorkspaceId, Position]) -> None:
        """See ``Outbox.forget``."""
        whose = [storable(workspace_id) for workspace_id in positions]
        await self._connection.fetch(_FORGET, whose, list(positions.values()))

    async def cut(self, workspace_id: WorkspaceId, after: Position) -> None:
        """See ``Outbox.cut``."""
        await self._connection.fetch(_CUT, storable(workspace_id), after)

    async def dead_letters(
        self, workspace_id: WorkspaceId, after: tuple[Position, str] = START, limit: int = 100
    ) -> Sequence[DeadLetter]:
        """See ``Outbox.dead_letters``."""
        position, row_id = after
        whose = storable(workspace_id)
        rows = await self._connection.fetch(_DEAD_LETTERS, whose, position, storable(row_id), limit)
        return [dead_letter_of(tuple(row)) for row in rows]

    async def resend(
        self, workspace_id: WorkspaceId, row_ids: Sequence[str] | None, at: UnixMs
    ) -> Sequence[Lane]:
        """See ``Outbox.resend``."""
        wanted = None if row_ids is None else [storable(row_id) for row_id in row_ids]
        rows = await self._connection.fetch(_RESEND, storable(workspace_id), wanted, at)
        return [Lane(*row) for row in rows]

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()
