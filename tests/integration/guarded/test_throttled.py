"""Who sends without end: refused with the time to wait, and then without a connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.router.service import Router
from services.router.turnstile import PATIENCE
from shared.adapters.clocks import SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.open_store import open_store
from shared.ports import Message
from shared.runtime.throttle import Allowance
from shared.runtime.world import World
from tests.servers.guarded import Guarded
from tests.servers.waiting import until

AT_ONCE = 5
SUBJECT = "fernamt.v1.ask.shop.visitor.{}.entry_point"
BODY = b'{"entry_point_id": "site"}'


@pytest.fixture
async def router(broker: Guarded, tmp_path: Path) -> AsyncIterator[Router]:
    """A router of whom visitors may ask five things, and then one a second."""
    store = await open_store(f"sqlite:///{tmp_path}/data", name="test")
    world = World(store, await broker.service("router"), SystemClock())
    router = Router(world, allowances={"visitor": Allowance(1, AT_ONCE)})
    work = asyncio.create_task(router.run())
    try:
        await asyncio.wait_for(router.ready.wait(), 30)
        yield router
    finally:
        router.stop()
        await work
        await store.close()


@pytest.fixture
async def shop(broker: Guarded, router: Router) -> None:
    root = await broker.somebody("shop", "admin", "root")
    for name, body in (
        ("create_workspace", {"name": "Shop"}),
        ("create_group", {"group_id": "sales", "name": "Sales"}),
        ("define_entry_point", {"entry_point_id": "site", "name": "Site", "groups": ["sales"]}),
    ):
        subject = f"fernamt.v1.cmd.shop.admin.root.{name}"
        assert (await ask(root, subject, json.dumps(body).encode()))["ok"]


async def ask(bus: NatsBus, subject: str, body: bytes = BODY) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = json.loads((await bus.request(subject, body, timeout_s=30)).data)
    return answer


@pytest.mark.usefixtures("shop")
async def test_one_too_many_is_told_when_to_come_again(broker: Guarded) -> None:
    eve = await broker.somebody("shop", "visitor", "eve")
    vera = await broker.somebody("shop", "visitor", "vera")
    answers = [await ask(eve, SUBJECT.format("eve")) for _ in range(AT_ONCE + 1)]
    assert [answer["ok"] for answer in answers] == [True] * AT_ONCE + [False]
    error = answers[-1]["error"]
    assert error["code"] == "too_many"
    assert 0 < error["detail"]["retry_after_ms"] <= 1_000
    assert (await ask(vera, SUBJECT.format("vera")))["ok"], "whoever else asks is answered"

    async def let_in_again() -> bool:
        return bool((await ask(eve, SUBJECT.format("eve")))["ok"])

    await until("who has waited is answered", let_in_again)


@pytest.mark.usefixtures("shop")
async def test_who_goes_on_loses_the_connection(broker: Guarded) -> None:
    eve = await broker.somebody("shop", "visitor", "eve")
    vera = await broker.somebody("shop", "visitor", "vera")
    codes: dict[str, int] = {}

    def count(message: Message) -> None:
        code = message.headers.get("Nats-Service-Error", "ok")
        codes[code] = codes.get(code, 0) + 1

    await eve.subscribe("_INBOX.shop.visitor.eve.count", count)
    for _ in range(AT_ONCE + PATIENCE - 1):
        eve.publish(SUBJECT.format("eve"), BODY, reply="_INBOX.shop.visitor.eve.count")

    async def all_answered() -> bool:
        return sum(codes.values()) == AT_ONCE + PATIENCE - 1

    async def connected_again() -> bool:
        return eve.counters.reconnected > 0

    await until("everything is answered", all_answered)
    assert eve.counters.reconnected == 0, "patience has not run out"
    for _ in range(100):
        eve.publish(SUBJECT.format("eve"), BODY)
    await until("the connection is lost, and found again", connected_again)
    assert set(codes) == {"ok", "too_many"}
    assert vera.counters.reconnected == 0
    assert (await ask(vera, SUBJECT.format("vera")))["ok"]
