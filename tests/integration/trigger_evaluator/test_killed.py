"""``kill -9`` of the evaluator in the middle of it, with and without a second one."""

import asyncio
import os
import select
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.adapters.clocks import ShiftedClock
from shared.adapters.open_store import open_store
from shared.ports import NoResponders
from tests.integration.trigger_evaluator.site import LEASE_MS, Site
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.nats import ConnectBus, NatsServer

PAGE = "https://example.org/"
VISITORS = 300


@pytest.fixture
async def site(
    postgres_url: str, connect: ConnectBus, nats: NatsServer, tmp_path: Path
) -> AsyncIterator[Site]:
    """A router in this process; no evaluator."""
    store = await open_store(postgres_url, migrate=True, lease_ms=LEASE_MS)
    site = Site(
        store,
        connect,
        url=nats.url,
        workspace="shop",
        clock=ShiftedClock(tmp_path / "clock"),
        clock_file=tmp_path / "clock",
    )
    try:
        await site.start_router()
        await site.open_office("ana")
        await site.rule(
            "ask",
            {"field": "url_host", "op": "equals", "value": "example.org"},
            [{"invite": {"message": "Hello"}}],
            frequency="always",
            only_when_live=False,
        )
        yield site
    finally:
        await site.end()
        await store.close()


@contextmanager
def _evaluator(nats: NatsServer, store_url: str) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(
        fernamt("run", "evaluator", "--lease-ms", str(LEASE_MS)),
        cwd=ROOT,
        env=surroundings({"FERNAMT_NATS_URL": nats.url, "FERNAMT_STORE_URL": store_url}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def _ready(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "not ready within 60 s"
    assert os.read(process.stdout.fileno(), 100) == b"ready\n"


async def _insist(site: Site, number: int) -> list[str]:
    """A front end that asks again, with the same view, until it is answered."""
    view = site.view(PAGE, view_id=f"p-{number}", session_id=f"s-{number}")
    async with asyncio.timeout(60):
        while True:
            try:
                reply = await site.office.client.send(
                    site.subject(f"v-{number}"), view, timeout_s=1
                )
            except (NoResponders, TimeoutError):
                await asyncio.sleep(0)  # a refusal that comes at once must not keep others waiting
                continue
            if reply["ok"]:
                fired: list[str] = reply["fired"]
                return fired


@pytest.mark.parametrize("standing_by", [True, False])
async def test_t03_killed_in_the_middle_every_view_fires_once(
    site: Site, nats: NatsServer, postgres_url: str, standing_by: bool
) -> None:
    with _evaluator(nats, postgres_url) as first:
        await asyncio.to_thread(_ready, first)
        if standing_by:
            with _evaluator(nats, postgres_url) as second:
                views = await _kill_amid(site, first)
                await asyncio.to_thread(_ready, second)
                await _check(site, views)
        else:
            views = await _kill_amid(site, first)
            with _evaluator(nats, postgres_url):
                await _check(site, views)


async def _kill_amid(
    site: Site, process: "subprocess.Popen[bytes]"
) -> "list[asyncio.Task[list[str]]]":
    views = [asyncio.create_task(_insist(site, number)) for number in range(VISITORS)]
    await site.until("visitor_invited", VISITORS // 10)
    process.send_signal(signal.SIGKILL)
    return views


async def _check(site: Site, views: "list[asyncio.Task[list[str]]]") -> None:
    assert await asyncio.gather(*views) == [["ask"]] * VISITORS
    invited = [one["visitor_id"] for one in await site.of("visitor_invited")]
    assert sorted(invited) == sorted(f"v-{number}" for number in range(VISITORS))
