"""What stands beside the engine does its work: each is assigned once, on disk, within limits."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.bench import peer_sql
from tests.bench.peer_library import Conversation, LibraryPeer
from tests.servers.postgres import postgres_server

OPERATORS = 40
CAPACITY = 5
"""Two hundred places."""


def _conversations(number: int) -> list[UUID]:
    return [uuid4() for _ in range(number)]


async def test_the_library_assigns_each_once_within_limits(postgres_url: str) -> None:
    conversations = _conversations(150)
    await asyncio.to_thread(_assign_with_library, postgres_url, conversations)
    owners = await asyncio.to_thread(_owners_in_library, postgres_url, conversations)
    assert len(owners) == OPERATORS
    assert set(owners.values()) == {3, 4}, "somebody who had more was chosen"


async def test_the_library_assigns_nobody_beyond_the_limits(postgres_url: str) -> None:
    def assigned() -> None:
        with LibraryPeer(postgres_url, operators=2, capacity=3) as peer:
            peer.assign(_conversations(6), threads=2)
            with pytest.raises(RuntimeError, match="nobody has a place left"):
                peer.assign(_conversations(1), threads=1)

    await asyncio.to_thread(assigned)


async def test_plain_sql_assigns_each_once_within_limits(postgres_url: str) -> None:
    conversations = _conversations(150)
    await peer_sql.set_up(postgres_url, OPERATORS, CAPACITY)
    assert await peer_sql.assign(postgres_url, conversations, connections=8) > 0
    await peer_sql.check(postgres_url, assigned=150, held=150)
    owners = await _owners_in_sql(postgres_url)
    assert sorted(owners) == sorted(conversations)
    assert max(Counter(owners.values()).values()) <= CAPACITY


async def test_plain_sql_assigns_nobody_beyond_the_limits(postgres_url: str) -> None:
    await peer_sql.set_up(postgres_url, operators=2, capacity=3)
    await peer_sql.assign(postgres_url, _conversations(6), connections=1)
    with pytest.raises(RuntimeError, match="nobody has a place left"):
        await peer_sql.assign(postgres_url, _conversations(1), connections=1)
    await peer_sql.check(postgres_url, assigned=6, held=6)


async def test_plain_sql_gives_places_back_and_uses_them_again(postgres_url: str) -> None:
    """One place is free in the beginning: who comes second needs one that was given back."""
    await peer_sql.set_up(postgres_url, operators=20, capacity=2)
    moments = await peer_sql.keep_on(postgres_url, connections=1, seconds=0.2, held=39)
    assert moments
    await peer_sql.check(postgres_url, assigned=39 + len(moments), held=39)


async def test_what_they_answered_outlives_the_server() -> None:
    by_library, by_sql = _conversations(50), _conversations(50)
    with postgres_server() as server:
        await asyncio.to_thread(_assign_with_library, server.url, by_library)
        await peer_sql.set_up(server.url, OPERATORS, CAPACITY)
        await peer_sql.assign(server.url, by_sql, connections=8)
        server.kill()
        server.start()
        assert (await asyncio.to_thread(_owners_in_library, server.url, by_library)).total() == 50
        assert sorted(await _owners_in_sql(server.url)) == sorted(by_sql)


def _assign_with_library(url: str, conversations: Sequence[UUID]) -> None:
    with LibraryPeer(url, OPERATORS, CAPACITY) as peer:
        assert peer.assign(conversations, threads=8) > 0


def _owners_in_library(url: str, conversations: Sequence[UUID]) -> Counter[str]:
    """As another process reads it."""
    with LibraryPeer(url, OPERATORS, CAPACITY) as reader:
        found: list[Conversation] = [reader.repository.get(one) for one in conversations]
    assert [one.id for one in found] == conversations
    return Counter(one.operator_id for one in found)


async def _owners_in_sql(url: str) -> dict[UUID, str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select conversation_id, operator_id from assignments")
        return {row["conversation_id"]: row["operator_id"] for row in rows}
    finally:
        await connection.close()
