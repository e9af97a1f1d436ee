"""``fernamt up --sample`` as a newcomer meets it: a shop at work, and again the next day."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from services.cli.sample.generating import generated
from services.cli.sample.shop import STAFF, WORKSPACE
from services.cli.sample.storing import ensure_sample
from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store, open_store
from shared.ports import LeaseLost, StoredRow
from shared.routing.ids import Position, UnixMs
from shared.routing.partition import PARTITIONS
from shared.runtime.duty import LEASE_MS, Duty
from shared.wire.log_codec import decode_event
from tests.servers.client import Client, connected
from tests.servers.engine import ROOT, Engine, fernamt, surroundings
from tests.servers.waiting import until

STOPS_WITHIN_S = 10.0
GENERATED_WITHIN_S = 5.0
LIVELY_WITHIN_S = 30.0
NOW = UnixMs(1_773_222_067_000)


@contextmanager
def shop_at_work() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(prefix="fernamt-sample-") as name:
        engine = Engine(Path(name), options=("--sample",))
        engine.start()
        try:
            yield engine
        finally:
            engine.kill()


async def ask(client: Client, question: str) -> dict[str, Any]:
    answer = await client.ask(WORKSPACE, "admin", "boss", question)
    assert answer["ok"], answer
    return answer


async def log_of(store_url: str, after: int = 0) -> list[StoredRow]:
    """The log of the sample, while nobody else has it open."""
    store = await open_store(store_url)
    try:
        chunks = [chunk async for chunk in store.events.read(WORKSPACE, Position(after))]
    finally:
        await store.close()
    return [row for chunk in chunks for row in chunk]


# --- a shop at work ---------------------------------------------------------------------------


async def test_the_shop_is_at_work_and_goes_on_when_it_is_opened_again() -> None:
    with shop_at_work() as engine:
        async with connected(engine.url) as client:
            roster = (await ask(client, "roster"))["result"]["operators"]
            assert {each.operator_id for each in STAFF} <= {each["operator_id"] for each in roster}
            assert sum(each["routable"] for each in roster) >= 2
            waiting = (await ask(client, "queue"))["result"]["waiting"]
            assert waiting
            begun = (await ask(client, "workspace"))["position"]
            assert begun > 3_000
            decided = await until("new decisions", lambda: _decided(client))
            assert decided

        started = monotonic()
        os.kill(engine.pid, signal.SIGTERM)
        assert engine.wait(STOPS_WITHIN_S) == 0
        assert monotonic() - started < STOPS_WITHIN_S
        assert engine.stderr == ""
        before = await log_of(engine.store_url)

        engine.start()
        async with connected(engine.url) as client:
            gone_on = len(before)
            await until("more events", lambda: _grown(client, gone_on))
        assert engine.stop() == 0
        assert (await log_of(engine.store_url))[:gone_on] == before


async def _decided(client: Client) -> list[str]:
    """Conversations that live visitors opened and that were assigned to somebody."""
    inbox = await client.ask(WORKSPACE, "operator", "eva", "inbox", {"view": "all"})
    return [
        each["conversation_id"]
        for each in inbox["result"]["conversations"]
        if each["conversation_id"].startswith("chat-") and each["state"] == "assigned"
    ]


async def _grown(client: Client, beyond: int) -> bool:
    return int((await ask(client, "workspace"))["position"]) > beyond + 3


def test_one_line_says_what_is_there_and_how_to_do_without(tmp_path: Path) -> None:
    first, second = (_said_at_start(tmp_path, "--sample") for _ in range(2))
    assert first[1].startswith("The workspace `sample` has a day of generated traffic (")
    assert "make up ARGS=--no-sample" in first[1]
    assert second[1].startswith("The workspace `sample` goes on")
    assert first[2].startswith("ready nats://")


def test_no_sample_is_the_last_word(tmp_path: Path) -> None:
    """``make up ARGS=--no-sample`` says both."""
    assert _said_at_start(tmp_path, "--sample", "--no-sample")[1].startswith("ready nats://")
    assert _said_at_start(tmp_path)[1].startswith("ready nats://")


def _said_at_start(directory: Path, *options: str) -> list[str]:
    """Everything on stdout, told to end as soon as it is ready."""
    process = subprocess.Popen(
        fernamt(
            *("up", "--data", str(directory / "data"), "--nats-port", "0", "--no-console"),
            *options,
        ),
        cwd=ROOT,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] and not lines[-1].startswith("ready"):
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=STOPS_WITHIN_S)
        assert process.returncode == 0
        return [*lines, *rest.splitlines()]
    finally:
        process.kill()
        process.communicate()


# --- putting it there -------------------------------------------------------------------------


async def test_the_day_is_stored_as_it_was_generated_and_once(store: Store) -> None:
    started = monotonic()
    written = await ensure_sample(store, Stopped())
    assert monotonic() - started < GENERATED_WITHIN_S
    assert await ensure_sample(store, Stopped()) == 0

    assert await store.events.workspaces() == [WORKSPACE]
    chunks = [chunk async for chunk in store.events.read(WORKSPACE, Position(0))]
    rows = [row for chunk in chunks for row in chunk]
    epoch = decode_event(rows[0].topic, rows[0].state).epoch
    batches = list(generated(NOW, epoch=epoch))
    assert rows == [row for batch in batches for row in batch.rows]
    assert len(rows) == written

    erased = {each.subject: each.upto for batch in batches for each in batch.erase}
    texts = [text for batch in batches for text in batch.vault]
    kept = [text for text in texts if text.position > erased.get(text.subject, 0)]
    assert len(kept) < len(texts)
    assert await store.vault.read([text.ref for text in texts]) == {
        text.ref: text.body for text in kept
    }


async def test_nothing_is_written_beside_a_router_on_duty(store: Store) -> None:
    rival = Duty(store.leases, SystemClock(), "rival", lease_ms=LEASE_MS)
    assert await rival.take(range(PARTITIONS))
    keeping = asyncio.create_task(rival.keep())
    try:
        with pytest.raises(LeaseLost, match="another process is on duty"):
            await ensure_sample(store, SystemClock(), lease_ms=LEASE_MS // 4)
        assert await store.events.head(WORKSPACE) == 0
        assert await store.events.workspaces() == []
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
        await rival.give_up()
    assert await ensure_sample(store, SystemClock()) > 0


class Stopped:
    """A clock that always shows the same."""

    def wall_ms(self) -> UnixMs:
        return NOW

    def elapsed_ms(self) -> int:
        return 0
