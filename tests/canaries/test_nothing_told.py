"""What is written anywhere on the wire, and every secret, is told in no log, metric or span."""

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.ports import NoResponders
from tests.canaries.house import LOOKERS, WRITERS, House, house
from tests.canaries.saying import break_everything, come_to_life, say_everything
from tests.canaries.words import Canaries
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.guarded import Guarded, Platform, guarded_server
from tests.servers.nats import NatsServer
from tests.servers.postgres import postgres_server
from tests.servers.process import Process
from tests.unit.auth.forging import unsigned

FAILURES = (
    "commit_failed",
    "dead_letter",
    "heartbeat_unreadable",
    "log_not_read",
    "nats_connection_lost",
    "not_delivered",
    "state_dropped",
    "task_failed",
    "transcript_left_out",
    "view_refused",
)
"""Lines of the log that tell of what was made to fail."""

QUOTING = """
create function quote_it() returns trigger language plpgsql as $$ begin
  raise exception 'refused: %', convert_from(new.body, 'utf8')
    using detail = convert_from(new.body, 'utf8'), errcode = '23514';
end $$;
create trigger quote_it before insert on vault for each row execute function quote_it();
"""
"""A constraint that is violated by everything, and quotes it."""


async def violate_a_constraint(here: House) -> None:
    """The log refuses a commit for what stands in it: the router cannot go on, and ends."""
    sql = await asyncpg.connect(here.postgres.url)
    await sql.execute(QUOTING)
    await sql.close()
    word = here.canaries.new("what a constraint refuses")
    with pytest.raises((NoResponders, TimeoutError)):
        await here.office.client.command(
            "acme",
            "visitor",
            "vera",
            "open",
            {"conversation_id": "c9", "entry_point_id": "site", "attributes": {"k": word}},
            timeout_s=5,
        )
    assert await asyncio.to_thread(here.processes[WRITERS].wait) != 0


async def test_nothing_that_is_written_is_told(nats: NatsServer, tmp_path: Path) -> None:
    with postgres_server() as postgres:
        async with house(nats, postgres, tmp_path) as here:
            await say_everything(here)
            await break_everything(here)
            told = dict(await here.told())
            await violate_a_constraint(here)
            told["log at its end"] = here.processes[WRITERS].stderr.encode()
    assert here.canaries.found_in(told) == []
    said = told["log at its end"].decode() + told[f"log of {LOOKERS}"].decode()
    for event in FAILURES:
        assert f'"{event}"' in said, "what was to fail did not"
    assert "fernamt.command" in told["spans"].decode(errors="replace")


async def test_where_errors_and_libraries_may_say_all_they_know_it_is_found(
    nats: NatsServer, tmp_path: Path
) -> None:
    with postgres_server() as postgres:
        async with house(nats, postgres, tmp_path, module="tests.canaries.leaky") as here:
            await come_to_life(here)
            await here.webhook.count(1)
            await violate_a_constraint(here)
            found = here.canaries.found_in(await here.told())
    for whence in ("what a constraint refuses", "address of a webhook"):
        assert f"log of {WRITERS}: {whence}" in found


@pytest.mark.parametrize(
    "environment",
    [
        {"FERNAMT_STORE_URL": "postgresql://fernamt:{}@127.0.0.1:1/a"},
        {"FERNAMT_STORE_URL": "postgresql://fernamt:{}@127.0.0.1:port/a"},
        {"FERNAMT_STORE_URL": "postgresql://fernamt:{}@[::1/a"},
        {"FERNAMT_STORE_URL": "mysql://fernamt:{}@127.0.0.1/a"},
        {"FERNAMT_NATS_URL": "nats://fernamt:{}@127.0.0.1:port"},
        {"FERNAMT_SMTP_URL": "smtp://chat:{}@127.0.0.1:port"},
        {"FERNAMT_SMTP_URL": "imap://chat:{}@127.0.0.1"},
        {"FERNAMT_SMTP_URL": "smtp://chat:{}@127.0.0.1?startls=on"},
    ],
    ids=lambda given: " ".join(given.values()),
)
def test_a_process_that_cannot_start_tells_no_password(
    environment: Mapping[str, str], nats: NatsServer, tmp_path: Path
) -> None:
    canaries = Canaries()
    password = canaries.new("password")
    settings = {
        "FERNAMT_NATS_URL": nats.url,
        "FERNAMT_STORE_URL": f"sqlite:///{tmp_path}/data",
        "FERNAMT_LOG_LEVEL": "debug",
    } | {name: value.format(password) for name, value in environment.items()}
    ended = subprocess.run(
        fernamt("run", "router", "notifier"),
        cwd=ROOT,
        env=surroundings(settings),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert ended.stderr
    assert canaries.found_in({"stdout": ended.stdout, "stderr": ended.stderr}) == []


async def test_a_broker_that_is_not_there_is_named_without_the_password() -> None:
    canaries = Canaries()
    url = f"nats://fernamt:{canaries.new('password')}@127.0.0.1:1"
    with pytest.raises(ConnectionError) as raised:
        await NatsBus.connect(NatsSettings(url=url, name="test", connect_within_s=0.5))
    assert "127.0.0.1:1" in str(raised.value)
    assert canaries.found_in({"error": repr(raised.value).encode()}) == []


async def _knock(server: NatsServer, token: str) -> None:
    """Show the broker a token, once, and hear what it makes of it."""
    host, port = server.url.removeprefix("nats://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await reader.readline()
    said = {"verbose": False, "pedantic": False, "protocol": 1, "auth_token": token}
    writer.write(b"CONNECT %s\r\nPING\r\n" % json.dumps(said).encode())
    assert await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_no_token_is_told_by_whoever_judges_it(tmp_path: Path) -> None:
    canaries = Canaries()
    word = canaries.new("token")
    with guarded_server(tmp_path) as server:
        broker = Guarded(server, tmp_path, Platform(tmp_path))
        settings = {**broker.auth_environment(), "FERNAMT_LOG_LEVEL": "debug"}
        process = Process("auth", tmp_path, settings)
        sign = broker.platform.token
        tokens = [
            word,
            f"{word}.{word}.{word}",
            unsigned({"sub": word, "aud": word}),
            sign("shop", "visitor", "vera", key_id=word),
            sign("shop", "visitor", "vera", aud=word),
            sign("shop", "visitor", "vera", exp=word),
            sign("shop", "visitor", f"{word} @"),
            sign("shop", word, "vera"),
            sign("shop", "visitor", "vera", fernamt=word),
            sign("shop", "visitor", "vera", fernamt={word: word}),
        ]
        try:
            process.start()
            for token in tokens:
                await _knock(server, token)
        finally:
            process.kill()
    assert process.stderr.count('"turned_away"') >= len(tokens) - 1, "one key fits any name of it"
    assert canaries.found_in({"log of auth": process.stderr.encode()}) == []


def test_every_form_of_a_word_is_found() -> None:
    canaries = Canaries()
    word = canaries.new("a note")
    for told in (
        f"x{word}y".encode(),
        word.upper().encode(),
        f"\\\\x{word.encode().hex()}".encode(),
    ):
        assert canaries.found_in({"log": told}) == ["log: a note"]
    assert canaries.found_in({"log": b"nothing"}) == []
