"""A NATS client that costs a load generator as little as Python can: no tasks, no reconnecting.

It shares the bytes of the protocol with the product (``nats_wire``) and nothing else; that others
understand it is shown against nats-py in ``test_load.py``.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Final, cast
from urllib.parse import urlsplit

from shared.adapters.nats_wire import PING, PONG, WireReader, publish_command

WAITING_MAX: Final = 200_000
"""Requests without an answer; a load beyond it measures nothing any more."""

_CONNECT: Final = (
    b'CONNECT {"verbose":false,"pedantic":false,"lang":"lean","version":"1",'
    b'"headers":true,"no_responders":true}\r\n'
)
_CONNECT_WITHIN_S = 10
_WRITE_BUFFER_MAX = 64 * 1024 * 1024

OnMessage = Callable[[bytes, bytes, bytes, bytes], None]
"""Takes subject, reply subject, header block and body."""
OnAnswer = Callable[[bytes, bytes], None]
"""Takes header block and body."""


class TooManyWaiting(Exception):
    """``WAITING_MAX`` requests are waiting for their answer."""


class LeanNats(asyncio.Protocol):
    """One connection. ``lost`` is done when it ends, with an exception unless we ended it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._pongs: list[asyncio.Future[None]] = [self._ready]
        self._reader = WireReader(self._deliver)
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._closing = False
        self._handlers: dict[int, OnMessage] = {}
        self._inbox = f"_INBOX.{secrets.token_hex(11)}."
        self._answers: dict[bytes, OnAnswer] = {}
        self._requests = 0

    @classmethod
    async def connect(cls, url: str) -> "LeanNats":
        """Connect to ``nats://host:port``. Raises ``OSError``, also if the server refuses."""
        address = urlsplit(url)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            _, client = await loop.create_connection(
                cls, address.hostname or "127.0.0.1", address.port or 4222
            )
            client._write(_CONNECT + PING)
            await client._ready
            client.subscribe(f"{client._inbox}*", client._answered)
            await client.flush()
        return client

    def subscribe(self, subject: str, on_message: OnMessage) -> None:
        """Call ``on_message`` with each message; ``flush`` makes sure that the server knows."""
        number = len(self._handlers) + 1
        self._handlers[number] = on_message
        self._write(f"SUB {subject} {number}\r\n".encode())

    def publish(
        self,
        subject: str,
        data: bytes,
        *,
        reply: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send with whatever else this turn of the loop sends."""
        self._write(publish_command(subject, reply, data, headers))

    def request(
        self,
        subject: str,
        data: bytes,
        on_answer: OnAnswer,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send and have ``on_answer`` called with the first answer, if ever one comes."""
        if len(self._answers) >= WAITING_MAX:
            raise TooManyWaiting
        self._requests += 1
        inbox = f"{self._inbox}{self._requests}"
        self._answers[inbox.encode()] = on_answer
        self._write(publish_command(subject, inbox, data, headers))

    async def flush(self) -> None:
        """Return once the server has seen everything sent so far."""
        pong: asyncio.Future[None] = self._loop.create_future()
        self._pongs.append(pong)
        self._write(PING)
        await pong

    async def close(self) -> None:
        """Disconnect. What was not flushed may be lost."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()
        await asyncio.wait((self.lost,))

    def _write(self, command: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._push)
        self._out.append(command)

    def _push(self) -> None:
        commands = b"".join(self._out)
        self._out.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(commands)

    def _answered(self, subject: bytes, _reply: bytes, headers: bytes, data: bytes) -> None:
        on_answer = self._answers.pop(subject, None)
        if on_answer is not None:
            on_answer(headers, data)

    def _deliver(
        self, subject: bytes, number: int, reply: bytes, headers: bytes, data: bytes
    ) -> None:
        self._handlers[number](subject, reply, headers, data)

    # -- called by the loop ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its deeds only
        self._transport.set_write_buffer_limits(_WRITE_BUFFER_MAX)

    def data_received(self, data: bytes) -> None:
        for line in self._reader.feed(data):
            if line == PONG.strip():
                self._pongs.pop(0).set_result(None)
            elif line == PING.strip():
                self._write(PONG)
            elif line.startswith(b"-ERR"):
                self._end(ConnectionError(line.decode("utf-8", "replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closing:
            if not self.lost.done():
                self.lost.set_result(None)
            return
        self._end(exc or ConnectionResetError("the server closed the connection"))

    def _end(self, error: Exception) -> None:
        for waiting in (self.lost, *self._pongs):
            if not waiting.done():
                waiting.set_exception(error)
        self.lost.exception()  # may go unasked
