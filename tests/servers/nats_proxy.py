"""A wire between a client and the broker that can be cut, or go dead in one direction."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

_CHUNK = 65_536


class NatsProxy:
    """Passes bytes on. ``url`` is where clients connect in place of the broker's port."""

    def __init__(self, url: str) -> None:
        """``url``: the broker's."""
        parts = urlsplit(url)
        self._broker = (parts.hostname, parts.port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._deaf = False
        self.swallowed = 0
        """Bytes from the broker that never reached a client."""
        self.url = ""

    async def open(self) -> None:
        """Let clients in, on the same port as before."""
        port = int(self.url.rpartition(":")[2] or 0)
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", port)
        self.url = f"nats://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Cut, and let nobody in until it is opened again."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.cut()
        if server is not None:
            await server.wait_closed()

    def swallow(self) -> None:
        """What the broker says no longer arrives; what clients say still does.

        From here on nothing but ``cut`` helps: bytes are missing.
        """
        self._deaf = True

    def cut(self) -> None:
        """Abort every connection without a word. New ones are whole again."""
        self._deaf = False
        for writer in self._writers:
            writer.transport.abort()

    async def _pass_on(
        self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        reader, broker = await asyncio.open_connection(*self._broker)
        pair = {client, broker}
        self._writers |= pair
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(client_reader, broker, from_broker=False))
                both.create_task(self._pump(reader, client, from_broker=True))
        finally:
            self._writers -= pair
            for writer in pair:
                writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_broker: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if from_broker and self._deaf:
                    self.swallowed += len(data)
                    continue
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def nats_proxy(url: str) -> AsyncIterator[NatsProxy]:
    """One for the length of a block."""
    proxy = NatsProxy(url)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
