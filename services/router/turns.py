"""Whose request is decided next: workspaces take turns, request by request.

Reading the socket and deciding are kept apart. To read and to refuse takes a fifteenth of the time
of deciding, so what is too much is seen and refused, instead of waiting in the socket where nobody
knows its age; and who sends little is not behind all that somebody else has sent.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from services.router.live import LiveWorkspace

SLICE: Final = 64
"""Requests decided before others get their turn: about five milliseconds."""


class Turns:
    """The line of workspaces that have something to decide. ``run`` serves it.

    ``rested`` is called with each workspace that was served, once its turns are over for now.
    """

    def __init__(self, rested: Callable[[LiveWorkspace], None]) -> None:
        self._rested = rested
        self._line: deque[LiveWorkspace] = deque()
        self._in_line: set[LiveWorkspace] = set()
        self._wake = asyncio.Event()

    def join(self, live: LiveWorkspace) -> None:
        """It has something to decide; saying so twice changes nothing."""
        if live not in self._in_line:
            self._in_line.add(live)
            self._line.append(live)
            self._wake.set()

    async def run(self) -> None:
        """Decide until cancelled."""
        while True:
            self._serve()
            if self._line:
                await asyncio.sleep(0)
                continue
            self._wake.clear()
            await self._wake.wait()

    def _serve(self) -> None:
        served: dict[LiveWorkspace, None] = {}
        for _ in range(SLICE):
            if not self._line:
                break
            live = self._line.popleft()
            served[live] = None
            if live.take_turn():
                self._line.append(live)
            else:
                self._in_line.discard(live)
        for live in served:
            self._rested(live)
