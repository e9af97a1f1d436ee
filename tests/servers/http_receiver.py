"""A receiver of webhooks: a real HTTP server, with or without TLS, that answers as it is told."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from tests.servers.certificate import Certificate
from tests.servers.waiting import until

_READ_WITHIN_S = 30.0


class Received(NamedTuple):
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def its_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.json.decode(self.body)
        return fields


class Answer(NamedTuple):
    """What is answered; ``None`` in place of one hangs until the server stops."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b"{}"
    endless: bool = False
    """The body never ends."""


Answering = Callable[[Received], Answer | None]


class HttpReceiver:
    """What came, in order. ``answering`` may be exchanged at any time."""

    def __init__(self, tls: Certificate | None) -> None:
        self.received: list[Received] = []
        self.answering: Answering = lambda _: Answer()
        self.port = 0
        self.connections = 0
        """How many were made so far."""
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [received.its_id for received in self.received]

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        context = None
        if self._tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls.certificate, self._tls.key)
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=context, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and end those there are."""
        if self._server is not None:
            self._server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
            self._server = None

    async def has(
        self, holds: Callable[[Sequence[Received]], bool], within_s: float = _READ_WITHIN_S
    ) -> Sequence[Received]:
        """Wait until ``holds`` says yes to what has come."""

        async def look() -> bool:
            return holds(self.received)

        try:
            await until("the receiver has what is wanted", look, within_s)
        except TimeoutError:
            raise TimeoutError(f"not received in time; so far: {self.received}") from None
        return self.received

    async def count(self, number: int) -> Sequence[Received]:
        """Wait until so many requests have come."""
        return await self.has(lambda received: len(received) >= number)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while (received := await _read(reader)) is not None:
                self.received.append(received)
                answer = self.answering(received)
                if answer is None:
                    await asyncio.Event().wait()
                else:
                    await _write(writer, answer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the sender went away, or the test is over
        finally:
            self._serving.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split()[1], headers, body)


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    size = 2**40 if answer.endless else len(answer.body)
    lines = [f"HTTP/1.1 {answer.status} Told", f"content-length: {size}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
    await writer.drain()
    while answer.endless:
        writer.write(b"x" * 65_536)
        await writer.drain()


@asynccontextmanager
async def http_receiver(tls: Certificate | None = None) -> AsyncIterator[HttpReceiver]:
    """A receiver for the length of a block."""
    receiver = HttpReceiver(tls)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()
