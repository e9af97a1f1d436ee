"""Services as processes of their own on real servers, each with its pages of health."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.health import Watched
from tests.servers.nats import NatsServer
from tests.servers.process import Process

Start = Callable[[str, str], tuple[Process, str]]
"""Begins services, named with blanks between, on a store; says where their pages are."""


@pytest.fixture
def start(nats: NatsServer, tmp_path: Path) -> Iterator[Start]:
    watched = Watched(nats.url, tmp_path)
    yield watched.begin
    watched.end()
