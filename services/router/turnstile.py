"""Who may come in how often, and what becomes of those who will not hear of it.

Whoever goes on although it is refused costs time without end. So the broker is asked to end that
connection; what it asks when it comes back is counted on.
"""

from collections.abc import Mapping
from typing import Final

import structlog

from shared.adapters.broker_connections import end_connection
from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, NoResponders
from shared.routing.commands import Refused
from shared.runtime.tasks import Tasks
from shared.runtime.throttle import Throttle
from shared.wire.request_info import Connection, connection_of
from shared.wire.subjects import Call

log = structlog.get_logger()

PATIENCE: Final = 1_000
"""So many refusals, and the connection is ended."""
REFUSED_KEPT: Final = 10_000
"""For so many actors refusals are counted; then all of them begin anew."""


class Turnstile:
    """Lets requests in, one at a time."""

    def __init__(self, bus: Bus, throttle: Throttle, tasks: Tasks) -> None:
        self._bus = bus
        self._throttle = throttle
        self._tasks = tasks
        self._refused: dict[tuple[str, str, str], int] = {}

    def refusal(self, call: Call, headers: Mapping[str, str]) -> Refused | None:
        """Why this may not come in just now, if so."""
        refused = self._throttle.refusal(call)
        if refused is not None:
            self._note(call, headers)
        return refused

    def _note(self, call: Call, headers: Mapping[str, str]) -> None:
        actor = (call.workspace_id, call.kind, call.actor_id)
        times = self._refused.pop(actor, 0) + 1
        if times < PATIENCE:
            if len(self._refused) >= REFUSED_KEPT:
                self._refused.clear()
            self._refused[actor] = times
            return
        connection = connection_of(headers)
        log.warning("sends_without_end", workspace=call.workspace_id, kind=call.kind, refused=times)
        if connection is not None:
            self._tasks.start(self._end(connection), "end connection")

    async def _end(self, connection: Connection) -> None:
        try:
            if await end_connection(self._bus, connection):
                log.info("connection_ended", connection=connection.number)
        except (NoResponders, TimeoutError, NotSent, ValueError) as error:
            log.warning("connection_not_ended", reason=error)
