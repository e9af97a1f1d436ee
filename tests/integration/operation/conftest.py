"""Services as processes of their own on real servers, each with its pages of health."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.nats import NatsServer
from tests.servers.process import Process

Start = Callable[[str, str], tuple[Process, str]]
"""Begins services, named with blanks between, on a store; says where their pages are."""


@pytest.fixture
def start(nats: NatsServer, tmp_path: Path) -> Iterator[Start]:
    begun: list[Process] = []

    def begin(services: str, store_url: str) -> tuple[Process, str]:
        directory = tmp_path / str(len(begun))
        directory.mkdir()
        settings = {
            "FERNAMT_STORE_URL": store_url,
            "FERNAMT_NATS_URL": nats.url,
            "FERNAMT_HEALTH_PORT": "0",
            "FERNAMT_CONSOLE_PORT": "0",
        }
        process = Process(services, directory, settings)
        begun.append(process)
        process.begin()
        return process, process.says("health")

    yield begin
    for process in begun:
        process.kill()
