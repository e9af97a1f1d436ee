"""The console as a service: an HTTP server inside our own event loop, ended as the others are."""

import asyncio
from collections.abc import Iterable

import structlog

from services.console.app import console
from services.console.desk import Desk
from services.console.settings import PORT_VARIABLE, Settings, settings_from
from shared.ports import Bus
from shared.runtime.figures import Figure
from shared.runtime.http_server import HttpServer

log = structlog.get_logger()


class Console:
    """One console. ``run`` serves until ``stop``; ``ready`` is set once it can be opened."""

    def __init__(self, bus: Bus, settings: Settings | None = None) -> None:
        """Takes its port at once. Raises ``ValueError`` for settings that cannot be used, or
        ``OSError`` where the port is taken."""
        self.settings = settings or settings_from()
        self._bus = bus
        self._app = console(bus, self.settings)
        self._stopping = asyncio.Event()
        self._server = HttpServer(
            self._app,
            self.settings.host,
            self.settings.port,
            who="the console",
            variable=PORT_VARIABLE,
        )
        self.url = self._server.url
        """Where to open it."""
        self.ready = self._server.ready

    def stop(self) -> None:
        """Ask ``run`` to end: streams end at once, other requests are answered."""
        self._stopping.set()

    async def figures(self) -> Iterable[Figure]:
        """None of its own: it only asks others."""
        return ()

    async def run(self) -> None:
        """Serve until told to stop."""
        desk: Desk = self._app.app.state.desk
        assert desk.hub is not None
        await desk.known.start()
        try:
            log.info("console_serves", url=self.url)
            serving = asyncio.create_task(self._server.run())
            told = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            self._server.stop()
            await desk.hub.close()
            await serving
        finally:
            await desk.known.stop()
