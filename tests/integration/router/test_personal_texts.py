"""Canaries: personal texts are found in the vault and nowhere else that anything is kept."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.router.canaries import CANARIES, say_everything, tables
from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office
from tests.servers.streams import events_of_stream


@pytest.fixture
async def told(store_url: str) -> AsyncIterator[tuple[Engine, Office]]:
    """A workspace in which every personal text was said once."""
    with running_engine(store=store_url) as engine:
        async with connected(engine.url) as client:
            office = Office(client, "w")
            await office.set_up("ana")
            await office.come_online("ana")
            await say_everything(office)
            yield engine, office


async def test_au09_personal_texts_stand_in_the_vault_alone(
    told: tuple[Engine, Office],
) -> None:
    engine, office = told
    log, vault = await tables(engine)
    kept = {
        "log": log,
        "stream": b"".join(
            event.state
            for event in await events_of_stream(office.client, "w", upto=await office.position())
        ),
        "what the engine says": engine.stderr.encode(),
        "what the broker says": (engine.data / "nats" / "nats-server.log").read_bytes(),
    }
    for canary in CANARIES.values():
        assert canary.encode() in vault, canary
        for place, content in kept.items():
            assert canary.encode() not in content, (canary, place)


async def test_au09_whoever_may_gets_the_texts_from_the_vault(told: tuple[Engine, Office]) -> None:
    _, office = told
    answers = [
        await office.ask("admin", "root", "conversation", conversation_id=its_id)
        for its_id in ("c1", "c2")
    ]
    said = str([answer["result"]["timeline"] for answer in answers])
    for what in ("note", "attribute", "close text", "decline text"):
        assert CANARIES[what] in said, what
    operators = (await office.ask("admin", "root", "operators"))["result"]["operators"]
    (zaphod,) = [one for one in operators if one["operator_id"] == "zb"]
    assert (zaphod["name"], zaphod["email"]) == (CANARIES["new name"], CANARIES["email"])


async def test_no03_nobody_is_shown_what_a_webhook_is_signed_with(
    told: tuple[Engine, Office],
) -> None:
    _, office = told
    workspace = (await office.ask("admin", "root", "workspace"))["result"]
    url, types = "https://example.org/in", ["missed"]
    assert workspace["webhooks"] == [{"webhook_id": "crm", "url": url, "types": types}]
