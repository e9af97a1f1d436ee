"""``fernamt up --websocket-port``: pages of named origins get in, and those of nobody else."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.engine import ROOT, Engine, fernamt, surroundings
from tests.servers.postgres import free_port
from tests.servers.websocket import TurnedAway, upgraded

ORIGIN = "http://127.0.0.1:8480"
CONNECT = b'CONNECT {"verbose": false, "headers": true, "no_responders": true}\r\nPING\r\n'
CREATE = (
    b"SUB _INBOX.page 1\r\n"
    b"PUB fernamt.v1.cmd.shop.admin.root.create_workspace _INBOX.page 16\r\n"
    b'{"name": "Shop"}\r\n'
)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Engine]:
    started = Engine(tmp_path_factory.mktemp("door"), options=("--websocket-port", str(port)))
    started.start()
    yield started
    started.kill()


async def test_a_page_of_the_examples_is_answered(engine: Engine, port: int) -> None:
    async with upgraded(port, {"Origin": ORIGIN}) as page:
        page.send(CONNECT)
        assert await page.until(b"PONG", b"-ERR") == b"PONG"
        page.send(CREATE)
        assert await page.until(b'{"ok":true', b"-ERR", b'"ok":false') == b'{"ok":true'


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8481", "null"])
async def test_a_page_of_somebody_else_is_turned_away(
    engine: Engine, port: int, origin: str
) -> None:
    """The engine asks nobody who he is: any page that got in could speak as anybody."""
    with pytest.raises(TurnedAway, match="403"):
        async with upgraded(port, {"Origin": origin}):
            pass


def _failed(tmp_path: Path, *options: str) -> str:
    done = subprocess.run(
        fernamt("up", "--quiet", "--no-ops", "--data", str(tmp_path), "--nats-port", "0", *options),
        cwd=ROOT,
        env=surroundings({"COLUMNS": "200"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port} on 127.0.0.1 is taken" in _failed(tmp_path, "--websocket-port", port)


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    door = ("--websocket-port", "4223")
    assert "--nats names another one" in _failed(tmp_path, *door, "--nats", "nats://127.0.0.1:1")
    wrong = _failed(tmp_path, *door, "--websocket-origin", "https://chat.example/page")
    assert "expected the origin of a page" in wrong
