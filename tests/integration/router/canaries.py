"""Personal texts that can be told from anything else, said once in every field meant for them."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from shared.adapters.sqlite_reader import DATABASE_FILE
from tests.servers.engine import Engine
from tests.servers.office import Office, RefusedError

CANARIES = {
    "name": "Zaphod Beeblebrox",
    "new name": "Zaphod the Second",
    "email": "zaphod@heartofgold.example",
    "note": "owes us for the pan galactic gargle blaster",
    "attribute": "Betelgeuse Five",
    "close text": "left without saying goodbye",
    "decline text": "his two heads talk at once",
    "invitation": "may we improbably help you, third arm",
    "page": "https://heartofgold.example/cabin/zaphod",
    "webhook secret": "whsec_" + base64.b64encode(b"a secret of the Heart of Gold...").decode(),
}

SUBJECTS = ("operator:zb", "visitor:vera", "visitor:xenia", "webhook:crm", "rule:welcome")
"""Erasing these leaves none of them."""


class Tables(NamedTuple):
    """All that the log and the vault hold, as bytes."""

    log: bytes
    vault: bytes


async def say_everything(office: Office) -> None:
    """With ana online; some of it is refused, which must leave no trace either."""
    name, email = CANARIES["name"], CANARIES["email"]
    await office.admin("register_operator", operator_id="zb", name=name, email=email)
    await office.admin("update_operator", operator_id="zb", name=CANARIES["new name"])
    await _say_in_conversations(office)
    await _say_in_settings(office)
    text = CANARIES["close text"]
    with pytest.raises(RefusedError):
        await office.admin("close", conversation_id="c1", text=text)
    with pytest.raises(RefusedError):
        await office.admin("register_operator", operator_id="zb", name=name, emial=email)


async def _say_in_conversations(office: Office) -> None:
    await office.open("vera", "c1", attributes={"planet": CANARIES["attribute"]})
    note = CANARIES["note"]
    await office.operator("ana", "forward", conversation_id="c1", to={"everyone": True}, note=note)
    text = CANARIES["close text"]
    await office.admin("close", conversation_id="c1", reason="solved", text=text)
    scope = {"workspace": True}
    await office.admin("set_policy", scope=scope, policy={"delivery": "offer"})
    await office.open("vera", "c2")
    declined = {"offer": 1, "reason": "other", "text": CANARIES["decline text"]}
    await office.operator("ana", "decline_offer", conversation_id="c2", **declined)


async def _say_in_settings(office: Office) -> None:
    secret = CANARIES["webhook secret"]
    hook = {"url": "https://example.org/in", "types": ["missed"], "secret": secret}
    await office.admin("define_webhook", webhook_id="crm", **hook)
    with pytest.raises(RefusedError):
        await office.admin("define_webhook", webhook_id="crm", secret=f"{secret}!")
    then = [{"invite": {"message": CANARIES["invitation"]}}]
    rule = {"name": "Welcome", "order": 1, "enabled": True, "when": {"always": True}, "then": then}
    saved = await office.admin("save_rule", rule_id="welcome", **rule)
    fired = {
        "rule_id": "welcome",
        "version": saved["position"],
        "visitor_id": "xenia",
        "session_id": "s1",
        "entry_point_id": "site",
        "page": CANARIES["page"],
    }
    answer = await office.send("service", "rules", "rule_fired", fired)
    assert answer["result"] == {"fired": True}


async def tables(engine: Engine) -> Tables:
    """What stands in the database just now."""
    if engine.store_url.startswith("sqlite"):
        with closing(sqlite3.connect(data_of(engine) / DATABASE_FILE)) as database:
            rows = database.execute("select * from stored_events").fetchall()
            texts = database.execute("select * from vault").fetchall()
        return Tables(repr(rows).encode(), repr(texts).encode())
    sql = await asyncpg.connect(engine.store_url)
    try:
        rows = [tuple(row) for row in await sql.fetch("select * from stored_events")]
        texts = [tuple(row) for row in await sql.fetch("select * from vault")]
    finally:
        await sql.close()
    return Tables(repr(rows).encode(), repr(texts).encode())


def data_of(engine: Engine) -> Path:
    """The directory of an embedded log."""
    return Path(engine.store_url.removeprefix("sqlite:///"))
