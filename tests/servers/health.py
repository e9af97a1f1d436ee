"""Services with their pages of health, and what a ``fernamt run`` says of itself there."""

from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.servers.process import Process

WITHIN_S = 10.0


class Readiness(NamedTuple):
    """The answer to ``/readyz``."""

    status: int
    told: dict[str, Any]


async def readiness(url: str) -> Readiness:
    """``url`` is what the process says when it starts."""
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        answer = await client.get(f"{url}readyz")
    return Readiness(answer.status_code, answer.json())


async def page(url: str, name: str) -> str:
    """The text of another page. Raises where it is not there."""
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        answer = await client.get(f"{url}{name}")
    return answer.raise_for_status().text


class Watched:
    """Services on one broker, each with its pages, until ``end``."""

    def __init__(self, nats_url: str, directory: Path) -> None:
        self._nats_url = nats_url
        self._directory = directory
        self._begun: list[Process] = []

    def begin(self, services: str, store_url: str) -> tuple[Process, str]:
        """Begin services, named with blanks between; says where their pages are."""
        directory = self._directory / str(len(self._begun))
        directory.mkdir()
        settings = {
            "FERNAMT_STORE_URL": store_url,
            "FERNAMT_NATS_URL": self._nats_url,
            "FERNAMT_HEALTH_PORT": "0",
            "FERNAMT_CONSOLE_PORT": "0",
        }
        process = Process(services, directory, settings)
        self._begun.append(process)
        process.begin()
        return process, process.says("health")

    def end(self) -> None:
        for process in self._begun:
            process.kill()
