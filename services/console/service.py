"""The console as a service: an HTTP server inside our own event loop, ended as the others are."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import structlog
import uvicorn

from services.console.app import console
from services.console.desk import Desk
from services.console.settings import PORT_VARIABLE, Settings, settings_from
from shared.ports import Bus

log = structlog.get_logger()

DRAIN_S = 3
"""How long open requests have when it stops."""
BACKLOG = 128


class Console:
    """One console. ``run`` serves until ``stop``; ``ready`` is set once it can be opened."""

    def __init__(self, bus: Bus, settings: Settings | None = None) -> None:
        """Takes its port at once. Raises ``ValueError`` for settings that cannot be used, or
        ``OSError`` where the port is taken."""
        self.settings = settings or settings_from()
        self._bus = bus
        self._app = console(bus, self.settings)
        self._socket = _listening(self.settings)
        self._stopping = asyncio.Event()
        self.url = _address(self.settings.host, self._socket.getsockname()[1])
        """Where to open it."""
        self._server = _Server(
            uvicorn.Config(
                self._app,
                lifespan="off",
                http="h11",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=DRAIN_S,
            )
        )
        self.ready = self._server.ready

    def stop(self) -> None:
        """Ask ``run`` to end: streams end at once, other requests are answered."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve until told to stop."""
        desk: Desk = self._app.app.state.desk
        assert desk.hub is not None
        await desk.known.start()
        try:
            log.info("console_serves", url=self.url)
            serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
            told = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            self._server.should_exit = True
            await desk.hub.close()
            await serving
        finally:
            self._socket.close()
            await desk.known.stop()


class _Server(uvicorn.Server):
    """A server that leaves signals alone and says when it is there."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listening(settings: Settings) -> socket.socket:
    host = "127.0.0.1" if settings.host == "localhost" else settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"{host}, port {settings.port}"
        hint = f"{PORT_VARIABLE} names another port, 0 is any free one"
        raise OSError(f"the console cannot listen on {where}: {error.strerror}; {hint}") from error


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
