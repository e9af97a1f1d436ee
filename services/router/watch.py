"""Whether anybody watches over the presence of operators, as far as a router can tell.

Silence counts only while this process would have heard: on one connection without interruption,
and without a pause of its own.
"""

import asyncio
from typing import Protocol

import structlog

from shared.ports import Bus, Clock, Message, Subscription
from shared.wire.subjects import WATCH

log = structlog.get_logger()

STALE_AFTER_MS = 10_000
"""The watch is said once a second."""
LOOK_EVERY_S = 1.0
STALL_MS = 3_000
"""A pause between two looks that is longer was not the one that was meant."""


class Note(Protocol):
    """Takes down whether nothing is heard of the watch, or that it is heard again."""

    def __call__(self, *, stale: bool) -> None: ...


class Watch:
    """Calls ``note`` once a second with whether the watch is ``stale``, as soon as that is known.

    It is said again and again, since a workspace that is being loaded does not hear it.
    """

    def __init__(self, bus: Bus, clock: Clock, note: Note) -> None:
        self._bus = bus
        self._clock = clock
        self._note = note
        self._stale: bool | None = None
        self._since = self._looked = clock.elapsed_ms()
        """From when on silence counts."""
        self._connection: int | None = None

    @property
    def stale(self) -> bool:
        """Whether nothing was heard of it for long; not as long as nobody can know."""
        return self._stale is True

    async def listen(self) -> Subscription:
        """Hear the watch from now on."""
        return await self._bus.subscribe(WATCH, self._on_watch)

    def _on_watch(self, _message: Message) -> None:
        self._since = self._clock.elapsed_ms()
        if self._stale is not False:
            self._say(stale=False)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """What has become of it by now."""
        now, connection = self._clock.elapsed_ms(), self._bus.connection
        deaf = connection is None or connection != self._connection
        if deaf or now - self._looked > STALL_MS:
            self._since = now
        self._looked, self._connection = now, connection
        if now - self._since >= STALE_AFTER_MS:
            self._say(stale=True)
        elif self._stale is not None:
            self._note(stale=self._stale)

    def _say(self, *, stale: bool) -> None:
        if stale and not self._stale:
            log.warning("presence_stale", after_ms=STALE_AFTER_MS)
        elif self._stale and not stale:
            log.info("presence_fresh")
        self._stale = stale
        self._note(stale=stale)
