"""Whether this process hears what is sent: a message to itself, through the broker, every second.

It is the watch that routers listen for. When it comes back, everything that reached the broker
before it has been heard too: only then may silence be held against anybody. Whatever keeps a
process from hearing (it was stopped, its loop blocked, the machine suspended, the broker gone or
cut off in one direction) shows here as a pulse that is late.
"""

import asyncio
import secrets
from collections.abc import Callable

import structlog

from services.presence.settings import Settings
from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, Clock, Message
from shared.wire.subjects import WATCH

log = structlog.get_logger()

SENDER = "Fernamt-Watch"
"""Header of the watch: whose it is, and when it was sent."""


class Pulse:
    """Sends and hears itself. ``on_proof`` gets the time up to which everything was heard.

    ``on_stall`` is called instead after it was deaf: what was not heard then proves nothing.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: Settings,
        on_proof: Callable[[int], None],
        on_stall: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._on_proof = on_proof
        self._on_stall = on_stall
        self._name = secrets.token_hex(8)
        self._heard = clock.elapsed_ms()
        self._connection: int | None = None
        """The one over which it was heard."""

    @property
    def steady(self) -> bool:
        """Whether it was heard just now, on a connection that was not lost since."""
        return self._connection_lasts() and self._deaf_ms() <= self._settings.stall_ms

    def _connection_lasts(self) -> bool:
        return self._connection is not None and self._connection == self._bus.connection

    def _deaf_ms(self) -> int:
        return self._clock.elapsed_ms() - self._heard

    async def run(self) -> None:
        """Beat until cancelled."""
        subscription = await self._bus.subscribe(WATCH, self._on_message)
        try:
            while True:
                sender = f"{self._name}:{self._clock.elapsed_ms()}"
                try:
                    self._bus.publish(WATCH, b"", headers={SENDER: sender}, perishable=True)
                except NotSent as error:
                    log.debug("watch_not_sent", reason=error)
                await asyncio.sleep(self._settings.pulse_ms / 1_000)
        finally:
            await subscription.stop()

    def _on_message(self, message: Message) -> None:
        name, _, sent = message.headers.get(SENDER, "").partition(":")
        if name != self._name:
            return
        if self.steady:
            self._on_proof(int(sent))
        else:
            log.info("listening_afresh", deaf_ms=self._deaf_ms())
            self._on_stall()
        self._heard = self._clock.elapsed_ms()
        self._connection = self._bus.connection
