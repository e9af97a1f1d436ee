"""Erasing: texts are gone for good, from a vault that comes back too, and the log stays whole."""

import asyncio
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import asyncpg
import msgspec
import pytest

from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.routing.describe import state_hash
from shared.routing.events import SubjectErased
from shared.routing.replay import Replay
from shared.routing.workspace import Workspace
from shared.wire.requests import body_hash
from tests.integration.router.canaries import (
    CANARIES,
    SUBJECTS,
    data_of,
    say_everything,
    tables,
)
from tests.servers.client import connected
from tests.servers.engine import ROOT, Engine, fernamt, running_engine, surroundings
from tests.servers.office import Office, read_log

Row = tuple[Any, ...]


@pytest.fixture
async def engine(store_url: str) -> AsyncIterator[Engine]:
    """Everything was said once, and something by somebody who is not erased."""
    with running_engine(store=store_url) as started:
        async with connected(started.url) as client:
            office = Office(client, "w")
            await office.set_up("ana")
            await office.come_online("ana")
            await office.open("wim", "c9", attributes={"planet": "Earth"})
            await say_everything(office)
        yield started


async def erase_everything(engine: Engine) -> None:
    async with connected(engine.url) as client:
        office = Office(client, "w")
        for subject in SUBJECTS:
            await office.admin("erase", subject=subject)


async def shown(engine: Engine) -> tuple[str, dict[str, Any]]:
    """All timelines, and how the operator zb is shown."""
    async with connected(engine.url) as client:
        office = Office(client, "w")
        timelines = [
            (await office.ask("admin", "root", "conversation", conversation_id=its_id))["result"]
            for its_id in ("c1", "c2", "c9")
        ]
        operators = (await office.ask("admin", "root", "operators"))["result"]["operators"]
    (zaphod,) = [one for one in operators if one["operator_id"] == "zb"]
    return str(timelines), zaphod


async def remade(engine: Engine) -> str:
    """The log read again with every decision made anew; the hash of the state it comes to."""
    replaying = Replay(Workspace(workspace_id="w"))
    for position, envelope in await read_log(engine.store_url, "w"):
        assert replaying.feed(position, envelope) is None
    assert replaying.finish() is None
    return state_hash(replaying.workspace)


async def assert_forgotten(engine: Engine) -> None:
    _, vault = await tables(engine)
    for what, canary in CANARIES.items():
        assert canary.encode() not in vault, what
    timelines, zaphod = await shown(engine)
    assert not [what for what, canary in CANARIES.items() if canary in timelines]
    assert (zaphod["name"], zaphod["email"]) == (None, None)
    assert "Earth" in timelines


async def test_au09_erased_texts_are_gone_and_the_log_comes_out_again(engine: Engine) -> None:
    before, _ = await tables(engine)
    await erase_everything(engine)
    await assert_forgotten(engine)
    after, _ = await tables(engine)
    assert after.startswith(before.removesuffix(b"]"))
    state = await remade(engine)
    engine.stop()
    engine.start()
    await assert_forgotten(engine)
    assert await remade(engine) == state
    assert "erased_again" not in engine.stderr


async def test_au09_the_command_erases_somebody_and_names_the_position(engine: Engine) -> None:
    told = await _command(engine, "erase", "operator:zb", "--workspace", "w")
    assert told.returncode == 0, told.stderr
    position, envelope = (await read_log(engine.store_url, "w"))[-1]
    assert told.stdout == f"erased operator:zb, as of position {position}\n"
    assert envelope.data == SubjectErased(("operator:zb",))
    _, zaphod = await shown(engine)
    assert (zaphod["name"], zaphod["email"]) == (None, None)
    refused = await _command(engine, "erase", "zb", "--workspace", "w")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "subject" in refused.stderr


async def _command(engine: Engine, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        fernamt(*arguments, "--nats", engine.url),
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )


async def test_au09_erased_texts_are_gone_from_the_files(engine: Engine) -> None:
    if not engine.store_url.startswith("sqlite"):
        return
    await erase_everything(engine)
    for path in data_of(engine).glob(f"{DATABASE_FILE}*"):
        content = path.read_bytes()
        assert not [what for what, canary in CANARIES.items() if canary.encode() in content], path


async def test_au09_a_vault_restored_from_a_copy_is_erased_again(engine: Engine) -> None:
    copy = await vault_rows(engine)
    await erase_everything(engine)
    state = await remade(engine)
    engine.kill()
    await put_back(engine, copy)
    _, vault = await tables(engine)
    assert CANARIES["note"].encode() in vault
    engine.start()
    await assert_forgotten(engine)
    assert "erased_again" in engine.stderr
    assert await remade(engine) == state


async def test_au09_killed_at_any_moment_the_texts_and_the_event_go_together(
    engine: Engine,
) -> None:
    for failpoint in ("before_insert", "before_commit", "after_commit"):
        engine.stop()
        engine.start(FERNAMT_FAILPOINT=f"{failpoint}:1")
        async with connected(engine.url) as client:
            with pytest.raises(TimeoutError):
                await client.command(
                    *("w", "admin", "root", "erase"), {"subject": "operator:zb"}, timeout_s=1.0
                )
        engine.kill()
        erased = any(
            "operator:zb" in getattr(envelope.data, "subjects", ())
            for _, envelope in await read_log(engine.store_url, "w")
        )
        _, vault = await tables(engine)
        assert erased is (CANARIES["email"].encode() not in vault), failpoint
        engine.start()


async def test_au09_what_is_said_after_the_erasure_is_kept(engine: Engine) -> None:
    await erase_everything(engine)
    async with connected(engine.url) as client:
        office = Office(client, "w")
        await office.admin("update_operator", operator_id="zb", name="Ford Prefect")
    engine.stop()
    engine.start()
    _, zaphod = await shown(engine)
    assert (zaphod["name"], zaphod["email"]) == ("Ford Prefect", None)


async def test_au09_no_guess_at_a_text_can_be_tested_against_the_log(engine: Engine) -> None:
    body = {"conversation_id": "c2", "to": {"everyone": True}, "note": "easily guessed"}
    async with connected(engine.url) as client:
        said = await client.command("w", "admin", "root", "forward", body, command_id="k1")
    engine.stop()
    engine.start()
    async with connected(engine.url) as client:
        again = await client.command("w", "admin", "root", "forward", body, command_id="k1")
    assert (said["ok"], said["position"], again["repeated"]) == (True, again["position"], True)
    kept = [one.envelope.request for one in await read_log(engine.store_url, "w")]
    hashes = [request.body_hash for request in kept if request is not None]
    assert len(hashes) == 1
    assert hashes != [body_hash(msgspec.json.encode(body))]


# --- a backup of the vault alone ------------------------------------------------------------


async def vault_rows(engine: Engine) -> list[Row]:
    if engine.store_url.startswith("sqlite"):
        with closing(sqlite3.connect(data_of(engine) / DATABASE_FILE)) as database:
            return database.execute("select * from vault").fetchall()
    sql = await asyncpg.connect(engine.store_url)
    try:
        return [tuple(row) for row in await sql.fetch("select * from vault")]
    finally:
        await sql.close()


async def put_back(engine: Engine, rows: list[Row]) -> None:
    if engine.store_url.startswith("sqlite"):
        with closing(sqlite3.connect(data_of(engine) / DATABASE_FILE)) as database:
            database.executemany("insert or ignore into vault values (?, ?, ?, ?, ?)", rows)
            database.commit()
        return
    sql = await asyncpg.connect(engine.store_url)
    try:
        insert = "insert into vault values ($1, $2, $3, $4, $5) on conflict do nothing"
        await sql.executemany(insert, rows)
    finally:
        await sql.close()
