"""``fernamt top`` in a terminal, beside an engine at work."""

import asyncio
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from services.cli.opening import archive_at
from services.cli.past import Past, _Offline
from services.cli.sample.shop import WORKSPACE as SAMPLE
from services.cli.top import PAGES_MAX, Following
from shared.audit.history import History
from tests.integration.cli.terminal import fernamt as said_by
from tests.servers.client import connected
from tests.servers.engine import ROOT, STOP_WITHIN_S, Engine, fernamt, running_engine, surroundings
from tests.servers.office import Office
from tests.servers.waiting import until

WORKSPACE = "shop"


@pytest.fixture
def engine() -> Iterator[Engine]:
    """ana has c1; c2 waits."""
    with running_engine(ops=True, environment={"FERNAMT_CONSOLE_PORT": "0"}) as started:
        asyncio.run(_full_house(started.url))
        yield started


async def _full_house(url: str) -> None:
    async with connected(url) as client:
        office = Office(client, WORKSPACE)
        await office.set_up("ana", capacity=1)
        await office.come_online("ana")
        await office.open("v1", "c1")
        await office.open("v2", "c2")


class Terminal(NamedTuple):
    process: subprocess.Popen[bytes]
    screen: bytearray


@contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    """A verb in a terminal of its own; what it writes is read while it runs."""
    ours, theirs = pty.openpty()
    environment = surroundings({"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"})
    # Who is started in the background ignores Ctrl-C, and so do its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        fernamt(*arguments), cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    signal.signal(signal.SIGINT, before)
    os.close(theirs)
    screen = bytearray()
    reading = asyncio.get_running_loop()
    reading.add_reader(ours, lambda: screen.extend(_read(ours)))
    try:
        yield Terminal(process, screen)
    finally:
        reading.remove_reader(ours)
        process.kill()
        process.wait(STOP_WITHIN_S)
        os.close(ours)


def _read(ours: int) -> bytes:
    try:
        return os.read(ours, 65_536)
    except OSError:  # the other end is closed
        return b""


@pytest.mark.parametrize("over_nats", [False, True])
async def test_top_shows_what_happens_while_it_looks(engine: Engine, over_nats: bool) -> None:
    there = ("--nats", engine.url) if over_nats else ("--data", str(engine.data))
    with terminal("top", "--workspace", WORKSPACE, "--every", "0.2", *there) as its:

        async def shown(what: bytes) -> bool:
            return what in its.screen

        await until("c2 is shown to wait", lambda: shown(b"c2"))
        assert b"1 waiting" in its.screen
        async with connected(engine.url) as client:
            await Office(client, WORKSPACE).open("v3", "c3")
        await until("c3 is shown to wait, too", lambda: shown(b"2 waiting"))
        its.process.send_signal(signal.SIGINT)
        code = await asyncio.to_thread(its.process.wait, STOP_WITHIN_S)
    assert code == 0, its.screen[-2_000:]
    assert b"Traceback" not in its.screen


async def test_top_survives_an_engine_that_is_away(engine: Engine) -> None:
    there = ("--nats", engine.url, "--workspace", WORKSPACE)
    with terminal("top", "--every", "0.2", *there) as its:

        async def shown(what: bytes) -> bool:
            return what in its.screen

        await until("c2 is shown to wait", lambda: shown(b"c2"))
        await asyncio.to_thread(engine.stop)
        await until("that nobody answers is shown", lambda: shown(b"no answer since"))
        assert its.process.poll() is None


def test_top_without_a_terminal_it_looks_once(engine: Engine) -> None:
    read = said_by("top", "--data", str(engine.data))
    over = said_by("top", "--nats", engine.url, "--workspace", WORKSPACE)
    for said in (read, over):
        assert (said.code, said.err) == (0, "")
        assert "no slots free" in said.words
        assert "c2 " in said.words
        assert "goes to ana" in said.words
    nowhere = said_by("top", "--workspace", "nowhere", "--data", str(engine.data))
    assert nowhere.code == 2
    assert "there is no workspace nowhere" in nowhere.err


async def test_what_is_left_out_of_a_flood_is_said_for_a_minute(
    sample_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has been quiet for long: that most of it was not read is no matter any more."""
    monkeypatch.setattr("services.cli.top.PAGE", 10)
    async with archive_at("", sample_log, "test") as archive:
        past = Past(_Offline(History(archive, SAMPLE)), "")
        seen = await Following(past).look()
        assert seen.complete
        assert len(seen.decided) < 10 * PAGES_MAX
        monkeypatch.setattr("services.cli.top.WINDOW_MS", seen.now)
        assert not (await Following(past).look()).complete
