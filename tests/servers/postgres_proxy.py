"""A TCP proxy in front of PostgreSQL that can lose exactly one request or one reply.

It knows just enough of the protocol to tell when a reply is complete: then the server has
committed. A fault is armed while nothing is under way, and hits the next request.
"""

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

_READ_BYTES = 65_536
_HEADER_BYTES = 5  # a letter, then a length that counts itself but not the letter
_SYNC = b"S\x00\x00\x00\x04"
"""Ends whatever is answered with "ready"; a statement that is only being prepared is not."""
AN_APPEND = b'"epoch":'
"""Stands in what is appended to the log, and in no other request."""
_READY_FOR_QUERY = ord("Z")


class _Fault(enum.Enum):
    SWALLOW_REPLY = enum.auto()
    HOLD_REQUEST = enum.auto()
    STALL = enum.auto()


class _Session:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(
        self,
        requests: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        replies: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        self.requests, self.client = requests, client
        self.replies, self.server = replies, server
        self.swallows = False
        self.held = b""
        self.swallowed = asyncio.Event()
        """Set once the server has carried out the request whose reply is not passed on."""


class PostgresProxy:
    """Forwards from a port of its own on 127.0.0.1 to a server's port."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._armed: _Fault | None = None
        self._marker = b""
        self._hit: asyncio.Future[_Session] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, server_port: int) -> AsyncIterator[Self]:
        """Listen as long as the context lasts."""
        proxy = cls(server_port)
        listener = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.port = listener.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            listener.close()
            for task in proxy._tasks:
                task.cancel()
            await asyncio.gather(*proxy._tasks, return_exceptions=True)

    def swallow_next_reply(self, marker: bytes = b"") -> None:
        """Let the server carry out the next request, then hang up instead of passing its reply.

        It is the next that contains ``marker``: ``AN_APPEND``, where others ask beside it.
        """
        self._arm(_Fault.SWALLOW_REPLY, marker)

    def hold_next_request(self, marker: bytes = b"") -> None:
        """Keep the next request and hang up; ``deliver_held`` lets it arrive after all."""
        self._arm(_Fault.HOLD_REQUEST, marker)

    def stall_next_request(self) -> None:
        """Keep the next request without hanging up, as if a cable had been pulled."""
        self._arm(_Fault.STALL)

    def _arm(self, fault: _Fault, marker: bytes = b"") -> None:
        self._armed = fault
        self._marker = marker
        self._hit = asyncio.get_running_loop().create_future()

    async def deliver_held(self) -> None:
        """Hand the kept request to the server and wait until it has been carried out."""
        session = await self._hit
        session.server.write(session.held)
        await session.swallowed.wait()

    async def _accept(self, requests: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        session = _Session(
            requests, client, *await asyncio.open_connection("127.0.0.1", self._server_port)
        )
        for pump in (self._forward_requests(session), self._forward_replies(session)):
            task = asyncio.create_task(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward_requests(self, session: _Session) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                while data := await session.requests.read(_READ_BYTES):
                    if self._armed is not None and self._marker in data and data.endswith(_SYNC):
                        self._strike(session, data)
                    if session.held:
                        await session.swallowed.wait()
                        return
                    session.server.write(data)
        finally:
            session.server.close()

    def _strike(self, session: _Session, data: bytes) -> None:
        fault, self._armed = self._armed, None
        session.swallows = True
        if fault is not _Fault.SWALLOW_REPLY:
            session.held = data
        if fault is _Fault.HOLD_REQUEST:
            session.client.close()
        self._hit.set_result(session)

    async def _forward_replies(self, session: _Session) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                while data := await session.replies.read(_READ_BYTES):
                    if session.swallows:
                        await _rest_of_reply(session.replies, data)
                        session.swallowed.set()
                        return
                    session.client.write(data)
        finally:
            session.swallowed.set()  # also if the server hung up: there is no more to wait for
            session.client.close()


async def _rest_of_reply(replies: asyncio.StreamReader, start: bytes) -> None:
    """Read on until the server is ready for the next request: the transaction has ended."""
    seen, offset = bytearray(start), 0
    while True:
        while len(seen) < offset + _HEADER_BYTES:
            more = await replies.read(_READ_BYTES)
            if not more:
                raise ConnectionResetError("the server hung up in the middle of its reply")
            seen += more
        if seen[offset] == _READY_FOR_QUERY:
            return
        offset += 1 + int.from_bytes(seen[offset + 1 : offset + _HEADER_BYTES], "big")
