"""A connection to NATS that is renewed for ever, and the subscriptions it carries.

Short losses are nats-py's to mend (``nats_client``). Where it closes for good (credentials that
ended, limits, words it does not know) or finds no connection for ``rebuild_after_s``, a new client
is built and every subscription made again. What is sent over it is ``nats_bus``'s business.
"""

import asyncio
import itertools
import random
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from nats import errors
from nats.aio.client import Server
from nats.aio.subscription import Subscription as NatsSubscription

from shared.adapters.nats_client import BusClient, BusCounters, Handler

log = structlog.get_logger(__name__)

OUTBOX_MAX = 16 * 1024 * 1024
"""Bytes that may wait to be sent; about as much again may lie in the socket's own buffer."""

PAUSE_MAX_S = 2.0
"""Longest pause between two attempts to connect; each is drawn evenly between 0 and its limit."""

FLUSH_WITHIN_S = 10
LOST = (errors.Error, OSError, TimeoutError)
"""What a lost connection raises; ``TimeoutError`` and ``ConnectionError`` are among them."""

_ABANDON_WITHIN_S = 2
_CANCEL_EVERY_S = 0.1
_WATCH_S = 1.0


class NatsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and who we are there."""

    url: str
    """``nats://host:4222``, with user and password if need be; several, separated by commas."""
    name: str
    """Shown in the broker's list of connections."""
    inbox_prefix: str = "_INBOX"
    """Answers to requests arrive below it; this connection must be allowed to subscribe there."""
    user: str = ""
    password: str = ""
    token: str = ""
    """Of a session, as front ends show it."""
    nkey_file: str = ""
    """A file with the seed of a user's key, which never leaves this process."""
    credentials_file: str = ""
    """A ``.creds`` file with JWT and seed."""
    tls: ssl.SSLContext | None = None
    ping_interval_s: float = 10
    """A silent connection is given up after two to three of these."""
    connect_within_s: float = 30
    rebuild_after_s: float = 60
    outbox_max: int = OUTBOX_MAX


class Listener:
    """One subscription, over all connections that carry it one after the other."""

    def __init__(self, subject: str, queue: str, handler: Handler) -> None:
        self.subject = subject
        self.denied = ""
        """The server's words, if it refused."""
        self._queue = queue
        self._handler = handler
        self._client: BusClient | None = None
        self._inner: NatsSubscription | None = None
        self._ended = False

    async def attach(self, client: BusClient) -> None:
        """Have ``client`` carry the subscription, unless it does already."""
        if self._client is client:
            return
        self._client, self._inner = client, None
        try:
            inner = await client.listen(self.subject, self._queue, self._handler)
        except errors.Error:
            self._client = None
            raise
        if self._client is client:
            self._inner = inner
        if self._ended:  # while a new connection was being prepared
            client.drop(inner)

    async def end(self) -> None:
        """Unsubscribe; return when everything the server had sent was handed over."""
        self._ended = True
        if self._client is None or self._inner is None:
            return
        try:
            await self._client.silence(self._inner, FLUSH_WITHIN_S)
        except LOST as error:
            log.info("subscription_lost_before_its_end", subject=self.subject, reason=error)

    def drop(self) -> None:
        """Unsubscribe without waiting."""
        self._ended = True
        if self._client is not None and self._inner is not None:
            self._client.drop(self._inner)


class NatsConnection:
    """Keeps one client connected and its listeners subscribed, from ``open`` to ``close``."""

    def __init__(
        self,
        settings: NatsSettings,
        counters: BusCounters,
        on_live: Callable[[], None],
        on_denied: Callable[[str], None],
    ) -> None:
        self.live = asyncio.Event()
        """Set while messages flow, and once the connection is closed."""
        self.closing = False
        self.number = 0
        """Of the connection that lives or lived last; they count from 1."""
        self.listeners: dict[Listener, None] = {}
        self.callbacks: list[Callable[[], Awaitable[None]]] = []
        """Called after every renewed connection."""
        self._settings = settings
        self._counters = counters
        self._on_live = on_live
        self._on_denied = on_denied
        self._client_closed = asyncio.Event()
        self._renewed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lost_at = self._loop.time()
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self.client = self._new_client()

    async def open(self) -> None:
        """Connect, or raise ``ConnectionError`` after ``settings.connect_within_s``."""
        client = self._new_client()
        try:
            await self._prepare(client)
        except LOST as error:
            within_s = self._settings.connect_within_s
            raise ConnectionError(
                f"no usable NATS server at {_hosts(self._settings.url)} within {within_s} s: "
                f"{client.last_error or error!r}"
            ) from error
        self._adopt(client)
        self._tasks = (
            asyncio.create_task(self._supervise(), name="nats_supervise"),
            asyncio.create_task(self._announce(), name="nats_announce"),
        )
        for task in self._tasks:
            task.add_done_callback(_report_end)

    async def establish(self, listener: Listener) -> None:
        """Return once the server delivers to ``listener``; without a connection, wait for the next.

        Raises ``PermissionError``, ``nats.errors.BadSubjectError``, or ``ConnectionError`` if the
        connection is closed on our side.
        """
        while True:
            await self.live.wait()
            if self.closing:
                raise ConnectionError("the bus is closed")
            try:
                client = self.client
                await listener.attach(client)
                await client.flush(FLUSH_WITHIN_S)
                break
            except errors.BadSubjectError:
                raise
            except LOST as error:
                # The connection went away under it: the next one makes the subscription again.
                log.info("subscribe_interrupted", subject=listener.subject, reason=error)
            await asyncio.sleep(_pause_s(0))
        if listener.denied:
            raise PermissionError(listener.denied)

    async def close(self) -> None:
        """Send what the client has queued, then disconnect."""
        self.closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.client.flush(FLUSH_WITHIN_S)
        except LOST as error:
            unsent = self.client.pending_data_size
            log.warning("nats_closed_in_doubt", unsent_bytes=unsent, reason=error)
        await self.client.abandon(_ABANDON_WITHIN_S)
        self.live.set()  # whoever waits for a connection sees that there will be none

    # -- one client ------------------------------------------------------------------------------

    def _new_client(self) -> BusClient:
        return BusClient(
            self._counters,
            on_denied=self._on_denied,
            on_lost=self._lost,
            on_closed=self._closed,
        )

    async def _prepare(self, client: BusClient) -> None:
        """Connect and make all subscriptions, or raise one of ``LOST`` and leave nothing open."""
        connecting = asyncio.create_task(self._connect(client), name="nats_connect")
        usable = False
        try:
            done, _ = await asyncio.wait({connecting}, timeout=self._settings.connect_within_s)
            if not done:
                raise TimeoutError
            connecting.result()
            usable = True
        finally:
            if not usable:
                await _ended(connecting)
                await client.abandon(_ABANDON_WITHIN_S)

    async def _connect(self, client: BusClient) -> None:
        await client.connect(**self._options(client))
        if not client.is_connected:
            # nats-py returns such a client if the server's PING came before its PONG.
            raise ConnectionError("the server did not finish the greeting")
        for listener in tuple(self.listeners):
            await listener.attach(client)
        await client.flush(FLUSH_WITHIN_S)

    def _options(self, client: BusClient) -> dict[str, Any]:
        settings = self._settings
        return {
            "servers": settings.url.split(","),
            "name": settings.name,
            "user": settings.user or None,
            "password": settings.password or None,
            "token": settings.token or None,
            "nkeys_seed": settings.nkey_file or None,
            "user_credentials": settings.credentials_file or None,
            "tls": settings.tls,
            "ping_interval": settings.ping_interval_s,
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": random.uniform(0.1, 0.5),
            "reconnect_to_server_handler": _next_server,
            # Beyond it nats-py would wait in the middle of a command; the bus's bound comes first.
            "pending_size": 2 * settings.outbox_max + client.max_payload,
            "error_cb": _report,
            "reconnected_cb": partial(self._reconnected, client),
        }

    # -- one after the other -----------------------------------------------------------------------

    def _adopt(self, client: BusClient) -> None:
        self.client = client
        self._client_closed.clear()
        if client.is_closed:
            self._client_closed.set()
            return
        self.number += 1
        self.live.set()
        self._on_live()

    def _lost(self, client: BusClient) -> None:
        if client is self.client and self.live.is_set() and not self.closing:
            log.warning("nats_connection_lost", unsent_bytes=self.client.pending_data_size)
            self.live.clear()
            self._lost_at = self._loop.time()

    async def _reconnected(self, client: BusClient) -> None:
        if client is self.client:
            self._counters.reconnected += 1
            log.info("nats_reconnected", away_ms=int((self._loop.time() - self._lost_at) * 1000))
            self.number += 1
            self.live.set()
            self._on_live()
            self._renewed.set()

    def _closed(self, client: BusClient) -> None:
        if client is self.client and not self.closing and not client.is_closed:
            log.warning("nats_connection_closed", reason=client.last_error)
            self._lost(client)
            self._client_closed.set()

    async def _supervise(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_WATCH_S):
                    await self._client_closed.wait()
            except TimeoutError:
                away_s = self._loop.time() - self._lost_at
                gone = not self.live.is_set() and away_s > self._settings.rebuild_after_s
                if not gone and not self.client.is_closed:
                    continue
            await self._rebuild()

    async def _rebuild(self) -> None:
        await self.client.abandon(_ABANDON_WITHIN_S)
        for attempt in itertools.count():
            client = self._new_client()
            try:
                await self._prepare(client)
            except LOST as error:
                log.warning("nats_rebuild_failed", attempt=attempt, reason=error)
                await asyncio.sleep(_pause_s(attempt))
                continue
            self._counters.rebuilt += 1
            log.info("nats_rebuilt", subscriptions=len(self.listeners))
            self._adopt(client)
            self._renewed.set()
            return

    async def _announce(self) -> None:
        while True:
            await self._renewed.wait()
            self._renewed.clear()
            for callback in tuple(self.callbacks):
                (result,) = await asyncio.gather(callback(), return_exceptions=True)
                if result is not None:
                    log.error("on_reconnect_failed", exc_info=result)


def _pause_s(attempt: int) -> float:
    return random.uniform(0, min(PAUSE_MAX_S, 0.05 * 2 ** min(attempt, 10)))


def _next_server(servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
    """Any of those that have failed least."""
    failures = min(server.reconnects for server in servers)
    likely = [server for server in servers if server.reconnects == failures]
    return random.choice(likely), _pause_s(failures)


async def _ended(task: "asyncio.Task[None]") -> None:
    """Cancel the task until that has ended it, whatever it ends with.

    Once may be in vain: ``asyncio.wait_for``, which nats-py connects with, swallows a cancellation
    before Python 3.12, if what it waits for ends at the same moment.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCEL_EVERY_S)
    if not task.cancelled():
        task.exception()


async def _report(error: Exception) -> None:
    log.info("nats_client_error", reason=error)


def _report_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("nats_task_failed", task=task.get_name(), exc_info=error)


def _hosts(url: str) -> str:
    """The addresses without user and password."""
    return ",".join(urlsplit(one).netloc.rpartition("@")[2] or "?" for one in url.split(","))
