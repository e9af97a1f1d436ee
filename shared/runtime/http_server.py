"""An HTTP server inside our own event loop, which leaves signals alone and ends when it is told."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

BACKLOG = 128
DRAIN_S = 3
"""How long open requests have when it stops."""


class HttpServer:
    """Serves an application on a port of its own, which it takes when it is made."""

    def __init__(self, app: Any, host: str, port: int, *, who: str, variable: str) -> None:
        """``who`` listens, and ``variable`` names its port: both stand in the ``OSError`` that is
        raised where that is taken. Port 0 is any free one."""
        self._socket = _listening(host, port, who, variable)
        self.url = _address(host, self._socket.getsockname()[1])
        """Where it is reached."""
        self._server = _Server(
            uvicorn.Config(
                app,
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
        """Set once it answers."""

    async def run(self) -> None:
        """Serve until told to stop, and answer what is open then."""
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._server.should_exit = True


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


def _listening(host: str, port: int, who: str, variable: str) -> socket.socket:
    host = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"{host}, port {port}"
        hint = f"{variable} names another port, 0 is any free one"
        raise OSError(f"{who} cannot listen on {where}: {error.strerror}; {hint}") from error


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
