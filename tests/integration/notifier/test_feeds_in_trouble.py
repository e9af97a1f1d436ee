"""Feeds where something is wrong: with a position, with a log, with the notifier itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from shared.adapters.open_store import Store, open_store
from shared.ports import NoResponders
from shared.routing.ids import Position, WorkspaceId
from tests.servers.client import Client, connected
from tests.servers.nats import NatsServer
from tests.servers.office import Office
from tests.servers.process import Process
from tests.servers.vandal import as_vandal
from tests.servers.waiting import until

LEASE_MS = 600
W = WorkspaceId("w")


class Floor(NamedTuple):
    """A router that runs, a notifier that does not yet, and their store."""

    router: Process
    notifier: Process
    store: Store
    client: Client
    office: Office

    async def begin(self) -> None:
        await asyncio.to_thread(self.notifier.start)


@pytest.fixture
async def floor(postgres_url: str, nats: NatsServer, tmp_path: Path) -> AsyncIterator[Floor]:
    store = await open_store(postgres_url, migrate=True)
    settings = {
        "FERNAMT_STORE_URL": postgres_url,
        "FERNAMT_NATS_URL": nats.url,
        "FERNAMT_LEASE_MS": str(LEASE_MS),
    }
    router = Process("router", tmp_path, settings)
    notifier = Process("notifier", tmp_path, settings)
    await asyncio.to_thread(router.start)
    async with connected(nats.url) as client:
        office = Office(client, W)
        await office.set_up("ana")
        await office.come_online("ana")
        yield Floor(router, notifier, store, client, office)
    notifier.kill()
    router.kill()
    await store.close()


async def _saved(floor: Floor) -> Position:
    """Wait until everything that is in the log is sent; where the log ends."""

    async def look() -> bool:
        return (await floor.store.progress.load()).get(W) == await floor.store.events.head(W)

    await until("all is sent", look)
    return await floor.store.events.head(W)


async def test_no04_what_happens_while_it_is_down_is_sent_when_it_is_back(floor: Floor) -> None:
    """And what was sent before is not sent again."""
    feed = await floor.office.feed("operator", "ana")
    await floor.office.open("vera", "c1")
    with pytest.raises(NoResponders):
        await floor.office.ask("operator", "ana", "feed", after=0)
    await floor.begin()
    await feed.until(lambda _: feed.of("assigned"))
    await floor.office.operator("ana", "reply", conversation_id="c1")
    assert await asyncio.to_thread(floor.notifier.stop) == 0
    assert await floor.store.progress.load() == {W: await floor.store.events.head(W)}
    await floor.office.visitor("vera", "write", conversation_id="c1")
    await floor.begin()
    await feed.until(lambda _: feed.of("visitor_wrote"))
    assert [(body["type"], body["seq"]) for body in feed.bodies] == [
        ("assigned", 1),
        ("visitor_wrote", 2),
    ]


async def test_no04_a_position_beyond_a_log_that_was_restored_is_put_back(floor: Floor) -> None:
    head = await floor.store.events.head(W)
    await floor.store.progress.save({W: Position(head + 1_000)})
    feed = await floor.office.feed("operator", "ana")
    await floor.begin()
    assert "sent_beyond_the_log" in floor.notifier.stderr
    await floor.office.open("vera", "c1")
    await feed.until(lambda _: feed.of("assigned"))
    assert await _saved(floor) > head
    assert [body["type"] for body in feed.bodies] == ["assigned"]


async def test_no04_a_log_that_cannot_be_read_keeps_no_other_waiting(
    floor: Floor, postgres_url: str
) -> None:
    """What comes before the damage is sent; what comes behind it cannot be."""
    bad = Office(floor.client, "bad")
    await bad.set_up("ben")
    await bad.come_online("ben")
    damaged = (await bad.open("wim", "c1"))["position"]
    sql = await as_vandal(postgres_url)
    await sql.execute(
        "update stored_events set state = $1 where originator_id = $2 and originator_version = $3",
        b"{}",
        "bad",
        damaged,
    )
    await sql.close()
    lost = await floor.client.listen("fernamt.v1.feed.bad.team")
    fine = await floor.office.feed("operator", "ana")
    await floor.begin()
    await floor.office.open("vera", "c1")
    await fine.until(lambda _: fine.of("assigned"))
    await lost.until(lambda _: lost.of("status_changed"))
    assert all(body["position"] < damaged for body in lost.bodies)
    assert "following_stopped" in floor.notifier.stderr
    reply = await floor.client.ask("bad", "operator", "ben", "feed", {"after": 0})
    assert reply["error"]["code"] == "unavailable"


async def test_no04_a_text_that_is_damaged_is_left_out_of_its_message(
    floor: Floor, postgres_url: str
) -> None:
    rule = {"name": "Hi", "order": 1, "enabled": True, "when": {"always": True}}
    then = [{"invite": {"message": "May I help you?"}}]
    saved = await floor.office.admin(
        "save_rule", rule_id="hi", **rule, then=then, only_when_live=False
    )
    vera = await floor.office.feed("visitor", "vera")
    fired = {
        "rule_id": "hi",
        "version": saved["position"],
        "visitor_id": "vera",
        "session_id": "s1",
        "entry_point_id": "site",
        "held": ["when"],
    }
    await floor.office.send("service", "rules", "rule_fired", fired)
    sql = await asyncpg.connect(postgres_url)
    await sql.execute("update vault set body = 'nonsense'")
    await sql.close()
    await floor.begin()
    await vera.until(lambda _: vera.of("invitation"))
    assert vera.of("invitation")[0]["text"] is None
    await floor.office.open("vera", "c1")
    await vera.until(lambda _: vera.of("operator_joined"))
    assert "text_damaged" in floor.notifier.stderr
