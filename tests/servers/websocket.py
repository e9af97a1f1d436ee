"""A browser's side of NATS over WebSocket, as far as entering and one request take it."""

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

_WITHIN_S = 30


class TurnedAway(Exception):
    """The server did not want to speak WebSocket; the message is its status line."""


class WebSocket:
    """Frames of bytes over a connection that was upgraded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.heard = b""
        """What the server has said so far."""

    def send(self, data: bytes) -> None:
        """One binary frame, masked as frames of a browser are."""
        mask = os.urandom(4)
        size = len(data)
        head = bytes((0x82, 0x80 | size)) if size < 126 else struct.pack(">BBH", 0x82, 0xFE, size)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self._writer.write(head + mask + masked)

    async def until(self, *wanted: bytes) -> bytes:
        """Read until the server has said one of these; that one. Raises ``TimeoutError``."""
        async with asyncio.timeout(_WITHIN_S):
            while True:
                for one in wanted:
                    if one in self.heard:
                        return one
                self.heard += await self._frame()

    async def _frame(self) -> bytes:
        _, size = await self._reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack(">H", await self._reader.readexactly(2))
        return await self._reader.readexactly(size)


@asynccontextmanager
async def upgraded(port: int, headers: Mapping[str, str]) -> AsyncIterator[WebSocket]:
    """Connect to 127.0.0.1 and upgrade. Raises ``TurnedAway``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        lines = [
            *("GET / HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket"),
            *("Connection: Upgrade", "Sec-WebSocket-Version: 13"),
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(_WITHIN_S):
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        if " 101 " not in answer:
            raise TurnedAway(answer.splitlines()[0])
        yield WebSocket(reader, writer)
    finally:
        writer.close()
