"""An engine with its auditor and console as processes, for tests that do not wait themselves.

Playwright's plain interface keeps an event loop of its own in the test's thread, so what speaks to
the engine does so in another one.
"""

import asyncio
import os
import select
import subprocess
import tempfile
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from services.cli.demo.engine_clock import EngineClock, at
from tests.browser.shop import WORKSPACE, Shop
from tests.servers.client import Client
from tests.servers.engine import READY_WITHIN_S, ROOT, STOP_WITHIN_S, Engine, fernamt, surroundings
from tests.servers.office import Office

WITHIN_S = 60.0

T = TypeVar("T")


class Ops:
    """``fernamt run`` with the services of the ops team; ``url`` is where the console is."""

    def __init__(self, directory: Path, *services: str, environment: Mapping[str, str]) -> None:
        self._stderr = directory / f"{'-'.join(services)}.log"
        self._services = services
        self._environment = environment
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it serves, on the same port as before. Raises ``TimeoutError``."""
        port = self.url.rpartition(":")[2].strip("/") or "0"
        with self._stderr.open("ab") as stderr:
            self._process = subprocess.Popen(
                fernamt("run", *self._services),
                cwd=ROOT,
                env=surroundings({**self._environment, "FERNAMT_CONSOLE_PORT": port}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        for line in self._said():
            name, _, rest = line.partition(" ")
            if name == "console":
                self.url = rest.rstrip("/")

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(STOP_WITHIN_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def _said(self) -> list[str]:
        """What it says up to the line ``ready``."""
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        deadline = monotonic() + READY_WITHIN_S
        said = b""
        while not said.endswith(b"ready\n"):
            if not select.select([stdout], [], [], max(deadline - monotonic(), 0))[0]:
                raise TimeoutError(f"not ready, said {said!r}:\n{self.stderr}")
            more = os.read(stdout.fileno(), 65_536)
            if not more:
                raise RuntimeError(f"it has ended:\n{self.stderr}")
            said += more
        return said.decode().splitlines()


class House:
    """The shop, everything that serves it, and somebody who speaks in it."""

    def __init__(self, directory: Path, engine: Engine, ops: Ops, clock: EngineClock) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="office")
        self._thread.start()
        self.directory = directory
        self.engine = engine
        self.ops = ops
        self._client = self.do(Client.connect(engine.url))
        self.office = Office(self._client, WORKSPACE)
        self.shop = Shop(self.office, clock)

    @property
    def url(self) -> str:
        """The workspace in the console."""
        return f"{self.ops.url}/{WORKSPACE}"

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this in the other thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)

    def run(self, *arguments: str) -> str:
        """What ``fernamt`` says, which must succeed, with the log of the engine."""
        settings = surroundings({"FERNAMT_STORE_URL": self.engine.store_url})
        return subprocess.run(
            fernamt(*arguments), cwd=ROOT, env=settings, check=True, capture_output=True, text=True
        ).stdout

    def close(self) -> None:
        self.do(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def shop_in_a_house() -> Iterator[House]:
    """Start everything, let the afternoon go by, and end everything after use."""
    with tempfile.TemporaryDirectory(prefix="fernamt-console-") as name:
        directory = Path(name)
        clock = EngineClock(directory / "clock")
        clock.set_to(at(clock.next_monday(), 14))
        engine = Engine(directory, options=("--clock-offset-file", str(clock.file)))
        engine.start()
        try:
            environment = {
                "FERNAMT_NATS_URL": engine.url,
                "FERNAMT_STORE_URL": engine.store_url,
                "FERNAMT_CONSOLE_WORKSPACES": WORKSPACE,
            }
            ops = Ops(directory, "console", "auditor", environment=environment)
            ops.start()
            house = House(directory, engine, ops, clock)
            try:
                house.do(house.shop.afternoon())
                yield house
            finally:
                house.close()
                ops.stop()
        finally:
            engine.kill()


@contextmanager
def sample_with_ops() -> Iterator[str]:
    """``fernamt up --sample``, and its workspace in the console."""
    with tempfile.TemporaryDirectory(prefix="fernamt-sample-") as name:
        engine = Engine(Path(name), options=("--sample",))
        engine.start()
        try:
            environment = {"FERNAMT_NATS_URL": engine.url, "FERNAMT_STORE_URL": engine.store_url}
            ops = Ops(Path(name), "console", "auditor", environment=environment)
            ops.start()
            try:
                yield f"{ops.url}/sample"
            finally:
                ops.stop()
        finally:
            engine.kill()
