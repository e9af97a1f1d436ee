"""Waking each workspace when its next timer is due, unless a command does so before."""

import asyncio

import structlog

from services.router.live import LiveWorkspace
from shared.ports import Clock
from shared.routing.ids import WorkspaceId

log = structlog.get_logger()

LOOK_AT_CLOCK_S = 0.5
CLOCK_JUMP_MS = 200
"""By so much wall time may run ahead of the timers before they are set again."""


class Alarms:
    """One alarm for each workspace that has a timer. ``run`` watches the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._set: dict[WorkspaceId, tuple[LiveWorkspace, asyncio.TimerHandle]] = {}

    def arm(self, live: LiveWorkspace) -> None:
        """Set the alarm by what is due next."""
        self.disarm(live.workspace_id)
        due_in_ms = live.due_in_ms()
        if due_in_ms is not None:
            handle = self._loop.call_later(due_in_ms / 1_000, self._wake, live)
            self._set[live.workspace_id] = live, handle

    def disarm(self, workspace_id: WorkspaceId) -> None:
        """No alarm for this one."""
        _, handle = self._set.pop(workspace_id, (None, None))
        if handle is not None:
            handle.cancel()

    def _wake(self, live: LiveWorkspace) -> None:
        live.wake()
        self.arm(live)

    async def run(self) -> None:
        """Set all again whenever the clock was set forward, or the machine suspended.

        The loop sleeps by a clock that knows of neither. Runs until cancelled.
        """
        ahead = self._ahead_ms()
        while True:
            await asyncio.sleep(LOOK_AT_CLOCK_S)
            now = self._ahead_ms()
            if now > ahead + CLOCK_JUMP_MS:
                log.info("clock_jumped", by_ms=now - ahead)
                for live, _ in list(self._set.values()):
                    self.arm(live)
                ahead = now
            ahead = min(ahead, now)

    def _ahead_ms(self) -> int:
        return self._clock.wall_ms() - int(self._loop.time() * 1_000)
