"""The embedded broker is kept running: it comes back whatever was in its way, and blocks nobody."""

import asyncio
import os
import select
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.cli import broker
from services.cli.broker import keep_running
from shared.adapters import nats_server
from shared.adapters.nats_server import EmbeddedNats, NatsServerError
from shared.ports import NoResponders
from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office
from tests.servers.waiting import until

WITHIN_S = 20


@asynccontextmanager
async def kept(server: EmbeddedNats) -> AsyncIterator[None]:
    """Somebody looks after the server for the length of a block."""
    server.start()
    watching = asyncio.create_task(keep_running(server))
    try:
        yield
        assert not watching.done()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        server.stop()


def kill(pid: int) -> None:
    """``kill -9``, and wait until it is gone."""
    handle = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        assert select.select([handle], [], [], WITHIN_S)[0]
    finally:
        os.close(handle)


async def back(server: EmbeddedNats) -> None:
    async def is_back() -> bool:
        return server.running and await _greeted(server.url)

    await until("the broker is back", is_back)


async def _greeted(url: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", _port(url))
    except OSError:
        return False
    try:
        return (await reader.readline()).startswith(b"INFO ")
    finally:
        writer.close()


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, so that no test waits for a look."""
    monkeypatch.setattr(broker, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(broker, "PAUSE_MAX_S", 0.05)


async def test_a_broker_that_died_is_back_at_its_address(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path)
    async with kept(server):
        for _ in range(3):
            url, pid = server.url, server.pid
            kill(pid)
            await back(server)
            assert server.url == url
            assert server.pid != pid


async def test_a_port_that_is_taken_for_a_while_is_waited_for_and_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, said = EmbeddedNats(tmp_path), list[str]()

    async def told() -> bool:
        said.extend(capsys.readouterr())
        return "nats_server_not_started" in "".join(said)

    async with kept(server):
        port = _port(server.url)
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kill(server.pid)
            thief.bind(("127.0.0.1", port))
            thief.listen()
            await until("it is told that the port is taken", told)
            log = server.log_file.read_text()

            async def tried_again() -> bool:
                tries = server.log_file.read_text().removeprefix(log)
                return tries.count("address already in use") >= 3

            await until("it was tried again", tried_again)
        await back(server)
    said.extend(capsys.readouterr())
    assert "".join(said).count("nats_server_not_started") == 1


async def test_a_directory_that_is_out_of_reach_for_a_while_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory, aside, said = tmp_path / "nats", tmp_path / "aside", list[str]()
    server = EmbeddedNats(directory)

    async def told() -> bool:
        said.extend(capsys.readouterr())
        return "cannot write to" in "".join(said)

    async with kept(server):
        pid = server.pid
        directory.rename(aside)
        directory.write_text("a file in its place")
        kill(pid)
        await until("it is told that the directory cannot be written to", told)
        directory.unlink()
        aside.rename(directory)
        await back(server)


async def test_starting_again_lets_others_work_meanwhile(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path)
    server.start()
    kill(server.pid)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.to_thread(os.getpid)

    working = asyncio.create_task(others())
    try:
        await server.start_again()
    finally:
        working.cancel()
        server.stop()
    assert turns > 3, "nobody else got a turn while the broker was starting"


async def test_a_start_that_is_called_off_leaves_no_server_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_server, "_greets", lambda _port: False)  # never ready
    server = EmbeddedNats(tmp_path)
    starting = asyncio.create_task(server.start_again())

    async def spawned() -> bool:
        return bool(server.pid)

    await until("the process exists", spawned, every_s=0.001)
    pid = server.pid
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not server.running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_starting_again_does_not_wait_for_another_server_in_the_same_place(
    tmp_path: Path,
) -> None:
    with EmbeddedNats(tmp_path), pytest.raises(NatsServerError, match="another nats-server"):
        await EmbeddedNats(tmp_path).start_again()


async def test_an_engine_goes_on_with_the_broker_that_came_back() -> None:
    with running_engine() as engine:
        async with connected(engine.url) as client:
            office = Office(client, "w1")
            await office.set_up("ana")
            kill(_broker_of(engine))

            async def answers() -> bool:
                try:
                    roster = "fernamt.v1.ask.w1.admin.root.roster"
                    return bool(await client.send(roster, timeout_s=0.5))
                except (NoResponders, TimeoutError):
                    return False

            await until("the engine answers again", answers)
            await office.come_online("ana")
        assert engine.stop() == 0


def _broker_of(engine: Engine) -> int:
    return int((engine.data / "nats" / "nats-server.pid").read_text())
