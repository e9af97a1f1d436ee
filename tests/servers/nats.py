"""A real nats-server for tests and benchmarks, which can be killed, paused and started again."""

import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.nats_server import EmbeddedNats

ConnectBus = Callable[..., Awaitable[NatsBus]]
"""Makes a connection of its own; keyword arguments are fields of ``NatsSettings``."""


class NatsServer:
    """One server on a free port of 127.0.0.1, the same port at every start."""

    def __init__(self, directory: Path, extra_config: str = "") -> None:
        self._directory = directory
        self._server = EmbeddedNats(directory, extra_config=extra_config)

    @property
    def url(self) -> str:
        """Its address, once started."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return int(self.url.rpartition(":")[2])

    def start(self) -> None:
        """Start and wait until it takes connections, also right after ``kill``."""
        self._server.start()

    def stop(self) -> None:
        """Shut down in order. Does nothing if it is not running."""
        if self._server.running:
            self.resume()  # stopped, it would not hear
            self._server.stop()

    def kill(self) -> None:
        """``kill -9``. Then ``start`` again."""
        os.kill(self._server.pid, signal.SIGKILL)
        self._server.stop()

    def pause(self) -> None:
        """Stop the process as a debugger would: connections stay open, nothing answers."""
        os.kill(self._server.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self._server.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Let a paused process go on."""
        os.kill(self._server.pid, signal.SIGCONT)

    def wipe_jetstream(self) -> None:
        """Remove every stream. The server must not be running."""
        shutil.rmtree(self._directory / "jetstream")


@contextmanager
def nats_server(extra_config: str = "") -> Iterator[NatsServer]:
    """Start a server in a fresh temporary directory; stop it and remove the directory after use.

    ``extra_config`` are further lines of its configuration, for example users and permissions.
    """
    with tempfile.TemporaryDirectory(prefix="fernamt-nats-") as name:
        server = NatsServer(Path(name), extra_config)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@asynccontextmanager
async def connections(server: NatsServer) -> AsyncIterator[ConnectBus]:
    """Yield what makes connections to ``server``; close them after use."""
    defaults = NatsSettings(url=server.url, name="test", connect_within_s=10)
    opened: list[NatsBus] = []

    async def connect(**settings: object) -> NatsBus:
        opened.append(await NatsBus.connect(msgspec.structs.replace(defaults, **settings)))
        return opened[-1]

    try:
        yield connect
    finally:
        for bus in opened:
            await bus.close()
