"""nats-py's client with its faults set right; whatever is private in nats-py is touched here alone.

What is different, each pinned down by ``tests/integration/test_nats_client.py``:

- ``flush`` is a barrier: nats-py writes its PING to the socket ahead of queued SUB, UNSUB and PUB.
- A flush given up is harmless: in nats-py the late PONG meets a cancelled future, which ends the
  reading.
- PINGs of a lost connection are not sent on the next one, where they would be answered out of turn;
  nor is what was marked ``Perishable``.
- A broken connection is cut, not closed: closing waits for unsent bytes, towards a silent peer for
  a quarter of an hour, and nats-py reconnects only after it.
- Under uvloop, a connection lost while it is being renewed ends neither that nor the sending.
- Users' keys are read by ``nkey``: what nats-py imports for them comes without wheels.
- Messages go from the socket to their handler without a queue and a task (see ``nats_wire``): a
  third of the cost, and nothing to overflow: what is not read waits in the kernel and the server.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from nats import errors
from nats.aio.client import Client, Srv
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport

from shared.adapters.nats_wire import NO_HEADERS, PING, WireError, WireReader, parse_headers
from shared.adapters.nkey import Nkey
from shared.ports import Message

log = structlog.get_logger(__name__)

SLOW_MS = 1_000
"""Handlers that keep the reading waiting longer than this at a time are reported.

The server closes a connection whose messages it cannot get rid of for ten seconds.
"""

Handler = Callable[[Message], None]


class Perishable(bytes):
    """Commands that are dropped with the connection for which they were queued."""


class BusCounters:
    """What a bus has done since it was made; only ever rising. Read by the metrics."""

    __slots__ = (
        "denied",
        "handler_failures",
        "malformed",
        "published",
        "rebuilt",
        "received",
        "reconnected",
        "refused",
        "slow",
    )

    def __init__(self) -> None:
        self.published = 0
        self.received = 0
        self.refused = 0
        """Publishes refused, because too much was waiting to be sent or the bus was closed."""
        self.malformed = 0
        """Messages dropped for a subject or reply subject that is not printable ASCII."""
        self.handler_failures = 0
        self.denied = 0
        """Permission denials by the server."""
        self.slow = 0
        """Times that handlers kept the reading waiting for more than ``SLOW_MS``."""
        self.reconnected = 0
        self.rebuilt = 0


class BusClient(Client):
    """One connection of nats-py, reconnecting by itself until it closes for good.

    ``on_denied`` gets the server's words about a missing permission. ``on_lost`` is called at the
    moment the connection is known to be gone, ``on_closed`` when it will not come back.
    """

    def __init__(
        self,
        counters: BusCounters,
        on_denied: Callable[[str], None],
        on_lost: Callable[["BusClient"], None],
        on_closed: Callable[["BusClient"], None],
    ) -> None:
        super().__init__()
        self._counters = counters
        self._on_denied = on_denied
        self._on_lost = on_lost
        self._on_closed = on_closed
        self._handlers: dict[int, Handler] = {}
        self._ps = _Reading(self, WireReader(self._hand_over))  # type: ignore[assignment]

    async def listen(self, subject: str, queue: str, handler: Handler) -> Subscription:
        """Subscribe; ``handler`` is called with each message as it is read, one after another."""
        number = self._sid + 1
        self._handlers[number] = handler
        try:
            return await self.subscribe(subject, queue)
        except errors.Error:
            del self._handlers[number]
            raise

    async def silence(self, subscription: Subscription, timeout_s: float) -> None:
        """Unsubscribe; return when everything the server had sent was handed over."""
        number = subscription._id  # noqa: SLF001 - nats-py shows it nowhere else
        self._unsubscribe(number)
        try:
            await self.flush(timeout_s)
        finally:
            self._handlers.pop(number, None)

    def drop(self, subscription: Subscription) -> None:
        """Unsubscribe without waiting; what still comes is thrown away."""
        number = subscription._id  # noqa: SLF001
        self._unsubscribe(number)
        self._handlers.pop(number, None)

    def _unsubscribe(self, number: int) -> None:
        self._remove_sub(number)
        self.send(b"UNSUB %d\r\n" % number)

    def send(self, commands: bytes) -> None:
        """Queue whole commands without waiting; ``pending_data_size`` says how much is queued.

        While the connection is lost they wait for the next one.
        """
        self._pending.append(commands)
        self._pending_data_size += len(commands)
        if self.is_connected and self._flush_queue is not None and self._flush_queue.empty():
            kick = asyncio.get_running_loop().create_future()
            self._flush_queue.put_nowait(kick)

    async def flush(self, timeout: float = 10) -> None:  # noqa: ASYNC109 - nats-py's signature
        """Return once the server has seen everything sent so far.

        Raises ``nats.errors.FlushTimeoutError`` after ``timeout`` seconds, ``ConnectionError`` or
        ``nats.errors.ConnectionReconnectingError`` if the connection is lost.
        """
        answered = asyncio.get_running_loop().create_future()
        await self._send_ping(answered)
        try:
            async with asyncio.timeout(timeout):
                await answered
        except TimeoutError as error:
            raise errors.FlushTimeoutError from error

    async def abandon(self, timeout_s: float) -> None:
        """Give the connection up at once, whatever state it is in, with all that is unsent."""
        self._cut()
        self._pending, self._pending_data_size = [], 0
        try:
            async with asyncio.timeout(timeout_s):
                await self.close()
        except (OSError, TimeoutError, errors.Error) as error:
            log.info("nats_connection_abandoned", reason=error)

    # -- called by nats-py -----------------------------------------------------------------------

    async def _send_ping(self, future: "asyncio.Future[Any] | None" = None) -> None:
        if not self.is_connected:
            raise errors.ConnectionReconnectingError
        pong: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if future is not None:
            pong.add_done_callback(lambda answer: _pass_on(answer, future))
        self._pongs.append(pong)
        self.send(PING)

    async def _connect_to_server(self, s: Srv) -> None:
        self._cut()  # an attempt that ended half way left its socket open
        if not isinstance(self._transport, _Transport):
            self._transport = _Transport()  # type: ignore[no-untyped-call]
        await super()._connect_to_server(s)

    async def _process_connect_init(self) -> None:
        await super()._process_connect_init()
        self._pending = [command for command in self._pending if _lasts(command)]
        self._pending_data_size = sum(map(len, self._pending))

    async def _process_op_err(self, e: Exception) -> None:
        if self.is_connected or self.is_connecting:
            self._cut()
            self._on_lost(self)
        await super()._process_op_err(e)

    async def _close(self, status: int, do_cbs: bool = True) -> None:  # noqa: FBT001, FBT002
        # nats-py's own callback stays out where unsent bytes meet a socket that is gone, or a peer
        # that reads no more.
        self._on_closed(self)
        try:
            await super()._close(status, do_cbs)
        except OSError as error:
            log.info("nats_closed_abruptly", reason=error)

    def _cut(self) -> None:
        if isinstance(self._transport, _Transport):
            self._transport.abort()
        for pong in self._pongs:
            pong.cancel()
        self._pongs = []

    # -- called by the reading -------------------------------------------------------------------

    def _hand_over(
        self, subject: bytes, number: int, reply: bytes, headers: bytes, data: bytes
    ) -> None:
        handler = self._handlers.get(number)
        if handler is None:
            return
        self._counters.received += 1
        known = parse_headers(headers) if headers else NO_HEADERS
        try:
            message = Message(subject.decode("ascii"), reply.decode("ascii"), known, data)
        except UnicodeDecodeError:
            self._counters.malformed += 1
            return
        if not (message.subject.isprintable() and message.reply.isprintable()):
            self._counters.malformed += 1
            return
        try:
            handler(message)
        except Exception:
            # A fault in one handler must not end the reading for all the others.
            self._counters.handler_failures += 1
            log.exception("message_handler_failed", subject=message.subject)

    async def process_line(self, line: bytes) -> None:
        """Do what a line of the server asks for; messages never come here."""
        if line.startswith(b"PING"):
            await self._process_ping()
        elif line.startswith(b"PONG"):
            await self._process_pong()
        elif line.startswith(b"INFO "):
            await self._process_info(json.loads(line[5:]))
        elif line.startswith(b"-ERR"):
            await self._process_refusal(line[4:].decode("utf-8", "replace").strip().strip("'"))
        elif not line.startswith(b"+OK"):
            raise errors.ProtocolError

    async def _process_refusal(self, text: str) -> None:
        if "permissions violation" in text.lower():
            self._counters.denied += 1
            log.warning("nats_permission_denied", server_says=text)
            self._on_denied(text)
            return
        log.warning("nats_error", server_says=text)
        await self._process_err(text.lower())

    def _setup_nkeys_seed_connect(self) -> None:
        file = Path(str(self._nkeys_seed))
        self._public_nkey = Nkey.from_seed(file.read_bytes()).public
        self._signature_cb = lambda nonce: _signature(file.read_bytes(), nonce)

    def _setup_nkeys_jwt_connect(self) -> None:
        file = Path(str(self._user_credentials))
        self._user_jwt_cb = lambda: self._read_creds_user_jwt(file)
        self._signature_cb = lambda nonce: _signature(
            bytes(self._read_creds_user_nkey(file)), nonce
        )

    def note_slow(self, elapsed_ms: int) -> None:
        """Report that handlers kept the reading waiting."""
        if elapsed_ms > SLOW_MS:
            self._counters.slow += 1
            log.warning("slow_consumer", handlers_took_ms=elapsed_ms)


def _signature(seed: bytes, nonce: str) -> bytes:
    return b64encode(Nkey.from_seed(seed).sign(nonce.encode()))


class _Transport(TcpTransport):
    """Raises ``OSError`` where uvloop says ``RuntimeError`` of a connection that is gone.

    nats-py reckons with the former; the latter would end its reconnecting for good.
    """

    def __bool__(self) -> bool:
        return True  # or nats-py puts one of its own in this place

    def abort(self) -> None:
        """Close at once, without sending what is queued."""
        if self._io_writer is not None:
            self._io_writer.transport.abort()

    def write(self, payload: bytes) -> None:
        self.writelines([payload])

    def writelines(self, payload: list[bytes]) -> None:
        try:
            super().writelines(payload)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise ConnectionResetError(str(error)) from error


class _Reading:
    """Stands where nats-py's parser stood."""

    def __init__(self, client: BusClient, reader: WireReader) -> None:
        self._client = client
        self._reader = reader
        self.reset = reader.reset

    async def parse(self, data: bytes = b"") -> None:
        began = monotonic()
        try:
            lines = self._reader.feed(data)
        except WireError as error:
            raise errors.ProtocolError from error
        self._client.note_slow(int((monotonic() - began) * 1000))
        for line in lines:
            await self._client.process_line(line)


def _lasts(command: bytes) -> bool:
    """Whether it may go out on another connection than the one it was meant for."""
    return command != PING and not isinstance(command, Perishable)


def _pass_on(pong: "asyncio.Future[bool]", waiting: "asyncio.Future[Any]") -> None:
    if waiting.done():
        return
    if pong.cancelled():
        waiting.set_exception(ConnectionResetError("the connection to NATS was lost"))
    else:
        waiting.set_result(True)
