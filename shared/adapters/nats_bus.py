"""The bus over NATS: publish, request and subscribe on one connection that renews itself."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from shared.adapters.nats_client import BusCounters, Handler, Perishable
from shared.adapters.nats_connection import (
    FLUSH_WITHIN_S,
    LOST,
    Listener,
    NatsConnection,
    NatsSettings,
)
from shared.adapters.nats_wire import STATUS, publish_command, publish_commands
from shared.ports import Message, NoResponders

REQUESTS_MAX = 65_536
"""Requests that may wait for their answer."""


class NotSent(Exception):
    """The message was not queued and nobody will see it: too much waits, or the bus is closed."""


class NatsBus:
    """``Bus`` over one NATS connection. Made by ``connect``, ended by ``close``.

    Handlers run inside the reading of the socket: what they raise is logged and counted, and while
    they work nothing else is read. ``counters`` is there for the metrics.
    """

    def __init__(self, settings: NatsSettings) -> None:
        self.counters = BusCounters()
        self._outbox_max = settings.outbox_max
        self._outbox: list[bytes] = []
        self._outbox_bytes = 0
        self._inbox = f"{settings.inbox_prefix}.{secrets.token_hex(11)}."
        self._numbers = itertools.count(1)
        self._waiting: dict[str, _Waiting] = {}
        self._loop = asyncio.get_running_loop()
        self._connection = NatsConnection(
            settings, self.counters, on_live=self._push, on_denied=self._denied
        )

    @classmethod
    async def connect(cls, settings: NatsSettings) -> "NatsBus":
        """Connect, or raise ``ConnectionError`` after ``settings.connect_within_s``."""
        bus = cls(settings)
        inbox = Listener(f"{bus._inbox}*", "", bus._answered)
        bus._connection.listeners[inbox] = None
        await bus._connection.open()
        return bus

    @property
    def connected(self) -> bool:
        """Whether messages are flowing right now."""
        return self._connection.live.is_set() and not self._connection.closing

    @property
    def connection(self) -> int | None:
        """Number of the connection over which messages flow; none while it is lost."""
        return self._connection.number if self.connected else None

    def publish(
        self,
        subject: str,
        data: bytes,
        *,
        reply: str = "",
        headers: Mapping[str, str] | None = None,
        perishable: bool = False,
    ) -> None:
        """Queue a message for sending, without waiting.

        While the connection is lost it waits for the next one, unless it is ``perishable``: then it
        goes out on this connection or never. Raises ``NotSent`` if more than ``outbox_max`` bytes
        are waiting or the bus is closed, or there is no connection for what is perishable;
        ``ValueError`` for a subject or a header that breaks the protocol or a message larger than
        the server takes.
        """
        command = publish_command(subject, reply, data, headers)
        if perishable:
            command = Perishable(command)
            if not self.connected:
                self._refuse("the connection is lost")
        if len(command) > self._connection.client.max_payload:
            raise ValueError(f"{len(command)} bytes for {subject} are more than the server takes")
        self._queue(command)
        self.counters.published += 1

    def publish_all(self, messages: Sequence[tuple[str, bytes, str]]) -> None:
        """Queue perishable messages in their order: all or none.

        Each is a subject, a body, and a trace parent for its header or an empty text.

        Cheaper than one by one. Raises as ``publish`` does.
        """
        if not self.connected:
            self._refuse("the connection is lost")
        commands = publish_commands(messages, self._connection.client.max_payload)
        self._queue(Perishable(commands))
        self.counters.published += len(messages)

    async def flush(self) -> int:
        """Return once the server has seen all that was published; the connection's number.

        Raises ``ConnectionError`` if the connection is lost meanwhile, or does not answer.
        """
        number = self.connection
        self._push()
        try:
            await self._connection.client.flush(FLUSH_WITHIN_S)
        except LOST as error:
            raise ConnectionError(f"the connection was lost: {error!r}") from error
        if number is None or number != self.connection:
            raise ConnectionError("the connection was lost and found again")
        return number

    async def request(
        self,
        subject: str,
        data: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float,
    ) -> Message:
        """Send and wait for one answer.

        Raises ``NoResponders``, or ``TimeoutError`` (nothing is known then), or ``PermissionError``
        where the server does not let us publish, or what ``publish`` raises.
        """
        if len(self._waiting) >= REQUESTS_MAX:
            self._refuse(f"{REQUESTS_MAX} requests are waiting for their answer")
        inbox = f"{self._inbox}{next(self._numbers)}"
        answer: asyncio.Future[Message] = self._loop.create_future()
        self._waiting[inbox] = _Waiting(subject, answer)
        try:
            self.publish(subject, data, reply=inbox, headers=headers)
            async with asyncio.timeout(timeout_s):
                message = await answer
        finally:
            del self._waiting[inbox]
        if message.headers.get(STATUS) == "503" and not message.data:
            raise NoResponders(subject)
        return message

    async def ask_all(self, subject: str, data: bytes, *, within_s: float) -> Sequence[Message]:
        """Send, and return everything that is answered in that time. Raises as ``request`` does.

        Whether anybody is there who could answer is not told from silence.
        """
        inbox = f"{self._inbox}{next(self._numbers)}"
        answers: list[Message] = []
        subscription = await self.subscribe(inbox, answers.append)
        try:
            self.publish(subject, data, reply=inbox)
            await asyncio.sleep(within_s)
        finally:
            await subscription.stop()
        return [answer for answer in answers if answer.headers.get(STATUS) != "503"]

    async def subscribe(
        self, subject: str, handler: Handler, *, queue: str = ""
    ) -> "NatsSubscription":
        """Subscribe; once this returns, the server delivers.

        Without a connection it waits for the next one. Raises ``PermissionError`` if the server
        refuses, ``nats.errors.BadSubjectError``, or ``ConnectionError`` if the bus is closed.
        """
        self._push()
        listener = Listener(subject, queue, handler)
        self._connection.listeners[listener] = None
        established = False
        try:
            await self._connection.establish(listener)
            established = True
        finally:
            if not established:
                del self._connection.listeners[listener]
                listener.drop()
        return NatsSubscription(self._connection, listener)

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call ``callback`` after every renewed connection, once all subscriptions live again."""
        self._connection.callbacks.append(callback)

    async def close(self) -> None:
        """Send what is queued, then disconnect. Requests still waiting raise ``TimeoutError``."""
        if self._connection.closing:
            return
        self._push()
        await self._connection.close()
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(TimeoutError("the bus was closed"))

    def _queue(self, commands: bytes) -> None:
        waiting = self._outbox_bytes + self._connection.client.pending_data_size
        if waiting + len(commands) > self._outbox_max or self._connection.closing:
            self._refuse(f"{waiting} bytes are waiting already")
        if not self._outbox:
            self._loop.call_soon(self._push)
        self._outbox.append(commands)
        self._outbox_bytes += len(commands)

    def _push(self) -> None:
        client = self._connection.client
        if self._outbox and not client.is_closed:
            for kind, run in itertools.groupby(self._outbox, key=type):
                if kind is bytes or self.connected:
                    client.send(kind(b"".join(run)))
            self._outbox.clear()
            self._outbox_bytes = 0

    def _refuse(self, why: str) -> None:
        self.counters.refused += 1
        raise NotSent("the bus is closed" if self._connection.closing else why)

    def _answered(self, message: Message) -> None:
        waiting = self._waiting.get(message.subject)
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(message)

    def _denied(self, text: str) -> None:
        """Tell whoever waits for what the server has just refused; else it would seem silent."""
        for listener in self._connection.listeners:
            if f'Subscription to "{listener.subject}"' in text:
                listener.denied = text
        for waiting in self._waiting.values():
            if f'Publish to "{waiting.subject}"' in text and not waiting.answer.done():
                waiting.answer.set_exception(PermissionError(text))


class NatsSubscription:
    """``Subscription`` of a ``NatsBus``."""

    def __init__(self, connection: NatsConnection, listener: Listener) -> None:
        self._connection = connection
        self._listener = listener

    async def stop(self) -> None:
        """End the subscription after everything already received was handed over.

        On a lost connection it is over at once: what the server had sent went with it.
        """
        if self._listener in self._connection.listeners:
            del self._connection.listeners[self._listener]
            await self._listener.end()


class _Waiting(NamedTuple):
    subject: str
    answer: "asyncio.Future[Message]"
