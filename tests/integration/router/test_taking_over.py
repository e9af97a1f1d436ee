"""A router that takes over from snapshots answers as the one before it, over the bus."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from shared.adapters.open_store import open_archive, open_store
from shared.audit.snapshots import fold_key
from shared.ports import Append, StoredRow
from shared.routing.ids import Position, UnixMs
from shared.routing.partition import PARTITIONS
from shared.wire.log_codec import encode_event
from tests.audit.archived import ACME, Log
from tests.chaos import checkers
from tests.core.story import Story
from tests.core.wanderer import Wanderer
from tests.servers.client import Client, Fields, connected
from tests.servers.nats import NatsServer
from tests.servers.office import read_log
from tests.servers.process import Process
from tests.servers.waiting import until

EAGER = "tests.integration.archivist.eager"
LOADED = re.compile(r"from_snapshot\W+(\d+)")


def past() -> Log:
    story = Story()
    Wanderer(11).wander(story, 400)
    return story.log


async def write(store_url: str, log: Log) -> None:
    store = await open_store(store_url, migrate=True)
    try:
        leases = await store.leases.acquire("bench", range(PARTITIONS))
        rows = [StoredRow(one.position, *encode_event(one.envelope)) for one in log]
        await store.events.register_workspace(ACME, UnixMs(0))
        assert not await store.events.append([Append(ACME, rows)], dict(leases))
        await store.leases.release("bench", leases)
    finally:
        await store.close()


async def closed(client: Client) -> list[Fields]:
    """All closed conversations as they are listed, page by page, and as each is shown."""
    found: list[Fields] = []
    after = None
    while True:
        page = {"view": "all", "state": "closed", "limit": 5, "after": after}
        listed = await client.ask(ACME, "operator", "ana", "inbox", page)
        found.extend(listed["result"]["conversations"])
        after = listed["result"]["next"]
        if after is None:
            break
    for its_id in [one["conversation_id"] for one in found]:
        about = {"conversation_id": its_id}
        shown = await client.ask(ACME, "admin", "root", "conversation", about)
        found.append(shown["result"])
    return found


async def kept(store_url: str) -> Position | None:
    archive = await open_archive(store_url)
    try:
        return await archive.snapshots.last(ACME, fold_key(), Position(2**62))
    finally:
        await archive.close()


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
async def test_what_was_over_before_the_snapshot_is_there_for_whoever_asks(
    end: Callable[[Process], object], postgres_url: str, nats: NatsServer, tmp_path: Path
) -> None:
    await write(postgres_url, past())
    servers = {"FERNAMT_STORE_URL": postgres_url, "FERNAMT_NATS_URL": nats.url}
    router = Process("router", tmp_path, servers)
    archivist = Process("archivist", tmp_path, servers, module=EAGER)
    try:
        await asyncio.to_thread(router.start)
        await asyncio.to_thread(archivist.start)
        async with connected(nats.url) as client:
            before = await closed(client)
            assert len(before) > 10
            await until("a snapshot is kept", partial(kept, postgres_url))
            await asyncio.to_thread(end, router)
            await asyncio.to_thread(router.start)
            assert [int(found) > 0 for found in LOADED.findall(router.stderr)] == [False, True]
            assert await closed(client) == before
            about = {"conversation_id": before[0]["conversation_id"]}
            reopened = await client.command(ACME, "admin", "root", "reopen", about)
            assert reopened["result"]["conversation"]["state"] != "closed"
            whom = {"subject": f"visitor:{before[0]['visitor_id']}"}
            assert (await client.command(ACME, "admin", "root", "erase", whom))["ok"]
        log = await read_log(postgres_url, ACME)
        assert checkers.c9_c10_replay(log, ACME) == []
        assert await asyncio.to_thread(router.stop) == 0
        assert "decision_failed" not in router.stderr
    finally:
        router.kill()
        archivist.kill()
