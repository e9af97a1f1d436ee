"""The log in PostgreSQL: one batch is one statement, one round trip and one commit."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg

from shared.adapters.log_rows import check_batch, lease_lost, storable, texts_to_keep
from shared.adapters.postgres_connection import PostgresConnection
from shared.adapters.postgres_errors import ConnectionLost, KeyTaken
from shared.adapters.postgres_reader import PostgresLogReader
from shared.ports import (
    Append,
    CommitInDoubt,
    StoredRow,
    StoreError,
    StoreUnavailable,
)
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.partition import partition_of

READ_BACK_MAX_S = 3.0
"""How long to look for a commit in doubt: after a lease's life nobody may answer for it anyway."""

_EVENTS_KEY = "stored_events_pkey"

# `held` locks the lease rows until the commit, in the order in which renewals lock them. `behind`
# are the workspaces whose head is not just before their first row. `not in` is always evaluated
# as a filter on the rows in their order, so that notification_id rises with the position; a join
# might reorder them.
_APPEND = """
with held as materialized (
    select leases.partition
    from leases join unnest($1::integer[], $2::bigint[]) as wanted(partition, epoch)
        on leases.partition = wanted.partition and leases.epoch = wanted.epoch
    where leases.expires_at > clock_timestamp()
    order by leases.partition
    for share of leases
), behind as materialized (
    select incoming.workspace
    from unnest($3::text[], $4::bigint[]) as incoming(workspace, first)
    where incoming.first <> 1 + coalesce((
        select originator_version from stored_events
        where originator_id = incoming.workspace
        order by originator_version desc limit 1
    ), 0)
), appended as (
    insert into stored_events (originator_id, originator_version, topic, state)
    select originator_id, originator_version, topic, state
    from unnest($5::text[], $6::bigint[], $7::text[], $8::bytea[])
        as incoming(originator_id, originator_version, topic, state)
    where (select count(*) from held) = cardinality($1)
        and originator_id not in (select workspace from behind)
), kept as (
    insert into vault (workspace, ref, subject, body, position)
    select workspace, ref, subject, body, position
    from unnest($9::text[], $10::text[], $11::text[], $12::bytea[], $13::bigint[])
        as incoming(workspace, ref, subject, body, position)
    where (select count(*) from held) = cardinality($1)
        and workspace not in (select workspace from behind)
), erased as (
    delete from vault using unnest($14::text[], $15::text[], $16::bigint[])
        as gone(workspace, subject, upto)
    where vault.workspace = gone.workspace and vault.subject = gone.subject
        and vault.position <= gone.upto
        and (select count(*) from held) = cardinality($1)
        and gone.workspace not in (select workspace from behind)
)
select array(select partition from held) as held, array(select workspace from behind) as behind
"""

_READ_BACK = """
select incoming.workspace, originator_version, topic, state
from unnest($1::text[], $2::bigint[], $3::bigint[]) as incoming(workspace, first, last)
join stored_events on originator_id = incoming.workspace
    and originator_version between incoming.first and incoming.last
order by incoming.workspace, originator_version
"""

_REGISTER = """
insert into workspaces (workspace, partition, created_at) values ($1, $2, $3)
on conflict (workspace) do nothing returning workspace
"""

_CLOCK_MS = "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint"


class PostgresEventStore:
    """``EventStore`` on PostgreSQL.

    ``writer`` is for appends alone, so that nothing waits behind them nor they behind anything.
    """

    def __init__(
        self, writer: PostgresConnection, control: PostgresConnection, reader: PostgresLogReader
    ) -> None:
        self._writer = writer
        self._control = control
        self._reader = reader
        self._appending = asyncio.Lock()

    async def append(
        self, batch: Sequence[Append], leases: Mapping[int, int]
    ) -> frozenset[WorkspaceId]:
        """See ``EventStore.append``. Raises ``ValueError`` for a batch no store could hold."""
        needed = check_batch(batch, leases)
        if not batch:
            return frozenset()
        async with self._appending:
            try:
                return await self._append_or_read_back(batch, needed)
            except KeyTaken:
                return await self._append_singly(batch, needed)

    def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        """See ``EventStore.read``. Raises ``LogCorrupt`` at a gap, and ``StoreUnavailable``."""
        return self._reader.read(workspace_id, after, upto)

    async def read_at(
        self, workspace_id: WorkspaceId, positions: Sequence[Position]
    ) -> Sequence[StoredRow]:
        """See ``EventStore.read_at``."""
        return await self._reader.read_at(workspace_id, positions)

    async def head(self, workspace_id: WorkspaceId) -> Position:
        """Position of the last row, 0 if there is none."""
        return await self._reader.head(workspace_id)

    async def heads(self, workspace_ids: Sequence[WorkspaceId]) -> Mapping[WorkspaceId, Position]:
        """The same for many, in one question."""
        return await self._reader.heads(workspace_ids)

    async def register_workspace(self, workspace_id: WorkspaceId, created_at: UnixMs) -> bool:
        """See ``EventStore.register_workspace``; after ``CommitInDoubt`` it may be called again."""
        name = storable(workspace_id)
        rows = await self._control.fetch(_REGISTER, name, partition_of(workspace_id), created_at)
        return bool(rows)

    async def workspaces(self) -> Sequence[WorkspaceId]:
        """All registered workspaces, by id in the order of their bytes."""
        return await self._reader.workspaces()

    async def clock_ms(self) -> UnixMs:
        """The wall clock of the database server."""
        rows = await self._control.fetch(_CLOCK_MS)
        return UnixMs(rows[0][0])

    async def close(self) -> None:
        """Disconnect everything."""
        await self._writer.close()
        await self._control.close()
        await self._reader.close()

    async def _append_singly(
        self, batch: Sequence[Append], needed: Mapping[int, int]
    ) -> frozenset[WorkspaceId]:
        """Send every workspace by itself, once, so that a taken position costs no other."""
        losing: frozenset[WorkspaceId] = frozenset()
        for sent, append in enumerate(batch):
            partition = partition_of(append.workspace_id)
            try:
                losing |= await self._append_or_read_back([append], {partition: needed[partition]})
            except StoreError as error:
                if isinstance(error, KeyTaken) and error.constraint == _EVENTS_KEY:
                    losing |= {append.workspace_id}
                elif len(losing) < sent:
                    raise CommitInDoubt(f"part of the batch was written, then: {error}") from error
                else:
                    raise
        return losing

    async def _append_or_read_back(
        self, batch: Sequence[Append], needed: Mapping[int, int]
    ) -> frozenset[WorkspaceId]:
        try:
            rows = await self._writer.fetch(_APPEND, *_arguments(batch, needed))
        except ConnectionLost as lost:
            return await self._read_back(batch, lost)
        if lacking := sorted(needed.keys() - set(rows[0]["held"])):
            raise lease_lost(lacking, needed)
        return frozenset(map(WorkspaceId, rows[0]["behind"]))

    async def _read_back(
        self, batch: Sequence[Append], lost: ConnectionLost
    ) -> frozenset[WorkspaceId]:
        """Find out what became of a batch. If one row of it is there, its transaction committed."""
        found = await self._find(batch, lost)
        losing = frozenset(
            append.workspace_id
            for append in batch
            if found.get(append.workspace_id, []) != list(append.rows)
        )
        if len(losing) < len(batch):
            return losing
        if lost.settled:
            raise StoreUnavailable(f"{lost}; nothing was written") from lost
        raise CommitInDoubt(
            f"{lost}; none of the rows is there, but they may still arrive"
        ) from lost

    async def _find(
        self, batch: Sequence[Append], lost: ConnectionLost
    ) -> Mapping[WorkspaceId, list[StoredRow]]:
        """Read the batch's positions, trying again while the server is away."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READ_BACK_MAX_S
        pause_s = 0.02
        while True:
            try:
                return _by_workspace(await self._writer.fetch(_READ_BACK, *_places(batch)))
            except (StoreUnavailable, ConnectionLost) as error:
                if loop.time() + pause_s > deadline:
                    raise CommitInDoubt(f"{lost}; reading back failed: {error}") from error
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.4)


def _arguments(batch: Sequence[Append], needed: Mapping[int, int]) -> tuple[list[object], ...]:
    """The sixteen arrays of ``_APPEND``."""
    rows = [row for append in batch for row in append.rows]
    texts = [(append.workspace_id, text) for append in batch for text in texts_to_keep(append)]
    gone = [(append.workspace_id, erasure) for append in batch for erasure in append.erase]
    return (
        list(needed.keys()),
        list(needed.values()),
        [append.workspace_id for append in batch],
        [append.rows[0].position for append in batch],
        [append.workspace_id for append in batch for _ in append.rows],
        [row.position for row in rows],
        [row.topic for row in rows],
        [row.state for row in rows],
        [workspace_id for workspace_id, _ in texts],
        [text.ref for _, text in texts],
        [text.subject for _, text in texts],
        [text.body for _, text in texts],
        [text.position for _, text in texts],
        [workspace_id for workspace_id, _ in gone],
        [erasure.subject for _, erasure in gone],
        [erasure.upto for _, erasure in gone],
    )


def _places(batch: Sequence[Append]) -> tuple[list[object], ...]:
    """The three arrays of ``_READ_BACK``."""
    return (
        [append.workspace_id for append in batch],
        [append.rows[0].position for append in batch],
        [append.rows[-1].position for append in batch],
    )


def _by_workspace(records: Sequence[asyncpg.Record]) -> Mapping[WorkspaceId, list[StoredRow]]:
    rows: defaultdict[WorkspaceId, list[StoredRow]] = defaultdict(list)
    for workspace_id, position, topic, state in records:
        rows[workspace_id].append(StoredRow(position, topic, state))
    return rows
