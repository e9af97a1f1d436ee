"""Answers that outgrow what the broker carries: said in so many words, and nobody else suffers."""

import asyncio
from pathlib import Path

import pytest

from services.router.service import Router
from shared.adapters.clocks import SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import open_store
from shared.runtime.world import World
from tests.servers.client import connected
from tests.servers.engine import Engine
from tests.servers.nats import nats_server
from tests.servers.office import Office, RefusedError

NOTE = "n" * 4_000
FORWARDS = 300
CONVERSATIONS = 1_000


async def test_a_long_timeline_is_cut_to_its_newest_part(engine: Engine, office: Office) -> None:
    await office.admin("create_group", group_id="sales", name="Sales")
    await office.open("vera", "c1")
    for number in range(FORWARDS):
        to = {"group": ("sales", "support")[number % 2]}
        await office.admin("forward", conversation_id="c1", to=to, note=f"{number:04}{NOTE[4:]}")
    answer = await office.ask("admin", "root", "conversation", conversation_id="c1")
    timeline = answer["result"]["timeline"]
    forwards = [e for e in timeline if e["event"]["type"] == "conversation_forwarded.v1"]
    assert 50 < len(forwards) < FORWARDS
    assert forwards[-1]["event"]["note"].startswith(f"{FORWARDS - 1:04}")
    positions = [entry["position"] for entry in timeline]
    assert positions == sorted(positions)
    assert engine.running


async def test_an_answer_that_the_broker_cannot_carry_is_refused(
    engine: Engine, office: Office
) -> None:
    skills = [f"{number:03}{'s' * 190}" for number in range(40)]
    await asyncio.gather(
        *(
            office.admin("register_operator", operator_id=f"o{number}", skills=skills)
            for number in range(200)
        )
    )
    with pytest.raises(RefusedError, match="too_large"):
        await office.ask("admin", "root", "operators")
    assert (await office.ask("admin", "root", "roster"))["ok"]
    assert engine.running


async def test_an_answer_larger_than_a_narrow_broker_takes_ends_nobodys_duty(
    tmp_path: Path,
) -> None:
    with nats_server("max_payload: 8192") as nats:
        store = await open_store(f"sqlite:///{tmp_path}/data")
        bus = await NatsBus.connect(NatsSettings(url=nats.url, name="narrow"))
        router = Router(World(store, bus, SystemClock()))
        running = asyncio.create_task(router.run())
        await router.ready.wait()
        async with connected(nats.url) as client:
            office = Office(client, "w")
            await office.set_up(*(f"operator-{number}" for number in range(100)))
            with pytest.raises(TimeoutError):
                await client.ask("w", "admin", "root", "roster", timeout_s=0.5)
            assert router.ready.is_set()
            assert (await office.open("vera", "c1"))["ok"]
        router.stop()
        await running
        await bus.close()
        await store.close()
