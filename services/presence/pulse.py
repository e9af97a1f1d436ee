"""Whether this process hears what is sent: a message to itself, through the broker, every second.

It is the watch that routers listen for. When it comes back, everything that reached the broker
before it has been heard too: only then may silence be held against anybody. Whatever keeps a
process from hearing (it was stopped, its loop blocked, the machine suspended, the broker gone or
cut off in one direction) shows here as a pulse that is late.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import NamedTuple

import structlog

from services.presence.settings import Settings
from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, Message
from shared.wire.subjects import WATCH

log = structlog.get_logger()

SENDER = "Fernamt-Watch"
"""Header of the watch: whose it is, and when it was sent."""


class Moment(NamedTuple):
    """One moment by two clocks, in milliseconds of elapsed time."""

    heard: int
    """By the machine's clock, which sessions are measured by."""
    elapsed: int
    """By the clock of the world, which idleness is measured by."""


class Pulse:
    """Sends and hears itself. ``on_proof`` gets the moment up to which everything was heard.

    ``on_stall`` is called instead after it was deaf: what was not heard then proves nothing.
    """

    def __init__(
        self,
        bus: Bus,
        moment: Callable[[], Moment],
        settings: Settings,
        on_proof: Callable[[Moment], None],
        on_stall: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._moment = moment
        self._settings = settings
        self._on_proof = on_proof
        self._on_stall = on_stall
        self._name = secrets.token_hex(8)
        self._heard = moment().heard
        self._interrupted = True

    @property
    def steady(self) -> bool:
        """Whether it was heard just now."""
        late_ms = self._moment().heard - self._heard
        return not self._interrupted and late_ms <= self._settings.stall_ms

    async def run(self) -> None:
        """Beat until cancelled."""
        subscription = await self._bus.subscribe(WATCH, self._on_message)
        self._bus.on_reconnect(self._reconnected)
        try:
            while True:
                moment = self._moment()
                sender = f"{self._name}:{moment.heard}:{moment.elapsed}"
                try:
                    self._bus.publish(WATCH, b"", headers={SENDER: sender})
                except NotSent as error:
                    log.warning("watch_not_sent", reason=str(error))
                await asyncio.sleep(self._settings.pulse_ms / 1_000)
        finally:
            await subscription.stop()

    async def _reconnected(self) -> None:
        self._interrupted = True

    def _on_message(self, message: Message) -> None:
        name, _, sent = message.headers.get(SENDER, "").partition(":")
        if name != self._name:
            return
        now = self._moment().heard
        deaf_ms = now - self._heard
        if self._interrupted or deaf_ms > self._settings.stall_ms:
            log.info("listening_afresh", deaf_ms=deaf_ms)
            self._on_stall()
        else:
            heard, _, elapsed = sent.partition(":")
            self._on_proof(Moment(int(heard), int(elapsed)))
        self._heard = now
        self._interrupted = False
