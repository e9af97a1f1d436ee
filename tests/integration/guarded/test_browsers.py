"""WebSocket as the shipped configuration has it: a cookie is the token, origins are checked."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.servers.guarded import Guarded, guarded, guarded_server, websocket_section
from tests.servers.nats import NatsServer
from tests.servers.websocket import TurnedAway, upgraded

ORIGIN = "https://chat.example"
CONNECT = b'CONNECT {"verbose": false, "headers": true, "no_responders": true}\r\nPING\r\n'
ASK = b"PUB fernamt.v1.ask.shop.visitor.vera.me _INBOX.shop.visitor.vera.1 2\r\n{}\r\n"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browsers")


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[NatsServer]:
    with guarded_server(directory, websocket_section()) as started:
        yield started


@pytest.fixture
async def broker(server: NatsServer, directory: Path) -> AsyncIterator[Guarded]:
    async with guarded(server, directory) as entered:
        yield entered


@pytest.fixture
def port(server: NatsServer, directory: Path) -> int:
    (file,) = directory.glob("nats-server_*.ports")
    (url,) = json.loads(file.read_text())["websocket"]
    return int(url.rpartition(":")[2])


async def test_a_cookie_lets_in_whom_it_names_and_as_nobody_else(
    broker: Guarded, port: int
) -> None:
    token = broker.platform.token("shop", "visitor", "vera")
    headers = {"Origin": ORIGIN, "Cookie": f"theme=dark; fernamt_session={token}"}
    async with upgraded(port, headers) as browser:
        browser.send(CONNECT)
        assert await browser.until(b"PONG", b"-ERR") == b"PONG"
        browser.send(b"SUB _INBOX.shop.visitor.vera.* 1\r\n" + ASK)
        assert await browser.until(b"NATS/1.0 503", b"-ERR") == b"NATS/1.0 503"
        browser.send(ASK.replace(b"visitor.vera.me", b"operator.ana.me"))
        assert await browser.until(b"-ERR 'Permissions Violation for Publish")


@pytest.mark.parametrize("cookie", ["theme=dark", "fernamt_session=made.up.token"])
async def test_without_a_good_cookie_there_is_no_way_in(
    broker: Guarded, port: int, cookie: str
) -> None:
    async with upgraded(port, {"Origin": ORIGIN, "Cookie": cookie}) as browser:
        browser.send(CONNECT)
        assert await browser.until(b"PONG", b"-ERR 'Authorization Violation'") != b"PONG"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://chat.example", "null"])
async def test_a_page_of_somebody_else_is_turned_away(
    broker: Guarded, port: int, origin: str
) -> None:
    """Its visitor's browser would send the cookie along."""
    token = broker.platform.token("shop", "visitor", "vera")
    headers = {"Origin": origin, "Cookie": f"fernamt_session={token}"}
    with pytest.raises(TurnedAway, match="403"):
        async with upgraded(port, headers):
            pass
