"""A peer beside us: assigning in plain SQL, one statement and one transaction for each.

A table of operators with their loads and one of assignments. The statement picks an operator of the
lowest load that no other connection has its hands on, counts it up and notes the assignment; it is
answered once that is on disk. Several connections of one program do this at once.

It gets away with less than the engine does: no broker and no other process stands between it and
whoever asks; nobody is told, neither by a reply nor by feeds or events; who is online, in which
group, with which skills is not asked; why somebody was chosen is not kept, nor what anybody's load
was before. Whoever another connection is about to change is skipped, so that some are chosen who do
not have the fewest. No foreign key costs it a look.

Everybody's load changes in place, in an index too: each change leaves a dead row behind until the
server cleans up. A round begins with fresh tables; ``keep_on`` shows what a minute makes of them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

import asyncpg
import uvloop
from asyncpg.prepared_stmt import PreparedStatement

T = TypeVar("T")

_TABLES = """
drop table if exists assignments, operators;
create table operators (
    operator_id text primary key, capacity integer not null, load integer not null default 0
);
create index on operators (load);
create table assignments (
    conversation_id uuid primary key,
    operator_id text not null,
    assigned_at timestamptz not null default now(),
    released_at timestamptz
);
"""
_OPERATORS = """
insert into operators select 'operator-' || n, $2 from generate_series(0, $1::integer - 1) as n
"""
_ASSIGN = """
with picked as (
    select operator_id from operators where load < capacity
    order by load limit 1 for update skip locked
), taken as (
    update operators set load = load + 1 from picked
    where operators.operator_id = picked.operator_id returning operators.operator_id
)
insert into assignments (conversation_id, operator_id)
select $1, operator_id from taken returning operator_id
"""
_RELEASE = """
with released as (
    update assignments set released_at = now()
    where conversation_id = $1 and released_at is null returning operator_id
)
update operators set load = load - 1 from released
where operators.operator_id = released.operator_id returning operators.operator_id
"""
_COUNTS = """
with held as (
    select operator_id, count(*) from assignments where released_at is null group by operator_id
)
select
    (select count(*) from assignments) as assigned,
    (select coalesce(sum(count), 0) from held)::bigint as held,
    count(*) filter (where load <> coalesce(count, 0)) as miscounted,
    count(*) filter (where load > capacity) as overloaded
from operators left join held using (operator_id)
"""


class Desk(NamedTuple):
    """One connection with both statements prepared; it does one thing at a time."""

    assigning: "PreparedStatement[asyncpg.Record]"
    releasing: "PreparedStatement[asyncpg.Record]"

    async def assign(self, conversation_id: UUID) -> None:
        if await self.assigning.fetchval(conversation_id) is None:
            raise RuntimeError("nobody has a place left")

    async def release(self, conversation_id: UUID) -> None:
        if await self.releasing.fetchval(conversation_id) is None:
            raise RuntimeError(f"{conversation_id} is nobody's")


async def set_up(url: str, operators: int, capacity: int) -> None:
    """Fresh tables, in which everybody is free."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_TABLES)
        await connection.execute(_OPERATORS, operators, capacity)
        await connection.execute("vacuum (analyze) operators")
    finally:
        await connection.close()


async def assign(url: str, conversations: Sequence[UUID], connections: int) -> float:
    """Assign them all, so many at once; conversations a second."""

    async def run() -> float:
        async with _desks(url, connections) as desks:
            began = perf_counter()
            await _assign_all(desks, conversations)
            return len(conversations) / (perf_counter() - began)

    return await _for_itself(run())


async def keep_on(url: str, connections: int, *, seconds: float, held: int) -> list[float]:
    """Assign for so long while ``held`` conversations are, releasing the oldest for each new one.

    Returns when each was assigned, in seconds from the beginning.
    """
    conversations = deque(uuid4() for _ in range(held))
    moments: list[float] = []

    async def work(desk: Desk, began: float) -> None:
        while perf_counter() - began < seconds:
            conversation_id = uuid4()
            await desk.assign(conversation_id)
            moments.append(perf_counter() - began)
            conversations.append(conversation_id)
            await desk.release(conversations.popleft())

    async def run() -> None:
        async with _desks(url, connections) as desks:
            await _assign_all(desks, conversations)
            began = perf_counter()
            await asyncio.gather(*(work(desk, began) for desk in desks))

    await _for_itself(run())
    return moments


async def _for_itself(work: Coroutine[Any, Any, T]) -> T:
    """In a thread with uvloop, which is a tenth faster here; the caller's loop lies idle."""
    return await asyncio.to_thread(uvloop.run, work)


async def check(url: str, *, assigned: int, held: int) -> None:
    """So many were assigned, so many still are, and everybody's load is just those."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchrow(_COUNTS)
    finally:
        await connection.close()
    assert found is not None
    assert tuple(found) == (assigned, held, 0, 0), f"{dict(found)} of {assigned}, {held} held"


@asynccontextmanager
async def _desks(url: str, connections: int) -> AsyncIterator[Sequence[Desk]]:
    async with AsyncExitStack() as stack:
        desks = []
        for _ in range(connections):
            connection = await asyncpg.connect(url)
            stack.push_async_callback(connection.close)
            assigning = await connection.prepare(_ASSIGN)
            desks.append(Desk(assigning, await connection.prepare(_RELEASE)))
        yield desks


async def _assign_all(desks: Iterable[Desk], conversations: Iterable[UUID]) -> None:
    """Whichever desk is free takes the next."""
    line = iter(conversations)

    async def work(desk: Desk) -> None:
        for conversation_id in line:
            await desk.assign(conversation_id)

    await asyncio.gather(*(work(desk) for desk in desks))
