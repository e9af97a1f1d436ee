"""Canaries: personal texts are found in the vault and nowhere else that anything is kept."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.sqlite_reader import DATABASE_FILE
from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office, RefusedError
from tests.servers.streams import events_of_stream

CANARIES = {
    "name": "Zaphod Beeblebrox",
    "email": "zaphod@heartofgold.example",
    "note": "owes us for the pan galactic gargle blaster",
    "attribute": "Betelgeuse Five",
    "close text": "left without saying goodbye",
}
RENAMED = "Zaphod the Second"


@pytest.fixture
async def told(store_url: str) -> AsyncIterator[tuple[Engine, Office]]:
    """A workspace in which every personal text was said once."""
    with running_engine(store=store_url) as engine:
        async with connected(engine.url) as client:
            office = Office(client, "w")
            await office.set_up("ana")
            await office.come_online("ana")
            await _say_everything(office)
            yield engine, office


async def _say_everything(office: Office) -> None:
    name, email = CANARIES["name"], CANARIES["email"]
    await office.admin("register_operator", operator_id="zb", name=name, email=email)
    await office.admin("update_operator", operator_id="zb", name=RENAMED)
    await office.open("vera", "c1", attributes={"planet": CANARIES["attribute"]})
    note = CANARIES["note"]
    await office.operator("ana", "forward", conversation_id="c1", to={"everyone": True}, note=note)
    text = CANARIES["close text"]
    await office.admin("close", conversation_id="c1", reason="solved", text=text)
    with pytest.raises(RefusedError):
        await office.admin("close", conversation_id="c1", text=text)
    with pytest.raises(RefusedError):
        await office.admin("register_operator", operator_id="zb", name=name, emial=email)


async def test_au09_personal_texts_stand_in_the_vault_alone(
    told: tuple[Engine, Office],
) -> None:
    engine, office = told
    log, vault = await _tables(engine)
    kept = {
        "log": log,
        "stream": b"".join(
            event.state
            for event in await events_of_stream(office.client, "w", upto=await office.position())
        ),
        "what the engine says": engine.stderr.encode(),
        "what the broker says": (engine.data / "nats" / "nats-server.log").read_bytes(),
    }
    for canary in (*CANARIES.values(), RENAMED):
        assert canary.encode() in vault, canary
        for place, content in kept.items():
            assert canary.encode() not in content, (canary, place)


async def test_au09_whoever_may_gets_the_texts_from_the_vault(told: tuple[Engine, Office]) -> None:
    _, office = told
    answer = await office.ask("admin", "root", "conversation", conversation_id="c1")
    said = str(answer["result"]["timeline"])
    assert all(CANARIES[what] in said for what in ("note", "attribute", "close text"))
    operators = (await office.ask("admin", "root", "operators"))["result"]["operators"]
    (zaphod,) = [one for one in operators if one["operator_id"] == "zb"]
    assert (zaphod["name"], zaphod["email"]) == (RENAMED, CANARIES["email"])


async def _tables(engine: Engine) -> tuple[bytes, bytes]:
    """All that the log and the vault hold, as bytes."""
    if engine.store_url.startswith("sqlite"):
        return _sqlite_tables(Path(engine.store_url.removeprefix("sqlite:///")))
    sql = await asyncpg.connect(engine.store_url)
    try:
        rows = await sql.fetch("select * from stored_events")
        texts = await sql.fetch("select * from vault")
    finally:
        await sql.close()
    return repr([tuple(row) for row in rows]).encode(), repr([tuple(one) for one in texts]).encode()


def _sqlite_tables(data: Path) -> tuple[bytes, bytes]:
    with closing(sqlite3.connect(data / DATABASE_FILE)) as database:
        rows = database.execute("select * from stored_events").fetchall()
        texts = database.execute("select * from vault").fetchall()
    return repr(rows).encode(), repr(texts).encode()
