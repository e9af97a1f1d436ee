"""Who may come in how often, and what becomes of those who will not hear of it.

Whoever goes on although it is refused costs time without end. So the broker is asked to end that
connection; what it asks when it comes back is counted on.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, NoResponders
from shared.routing.commands import Refused
from shared.runtime.tasks import Tasks
from shared.runtime.throttle import Throttle
from shared.wire.request_info import Connection, connection_of
from shared.wire.subjects import BROKER_SERVERS, Call, end_connections_at

log = structlog.get_logger()

PATIENCE: Final = 1_000
"""So many refusals, and the connection is ended."""
REFUSED_KEPT: Final = 10_000
"""For so many actors refusals are counted; then all of them begin anew."""
BROKER_WITHIN_S: Final = 5.0


class _Server(msgspec.Struct, frozen=True):
    id: str


class _Answer(msgspec.Struct, frozen=True):
    error: msgspec.Raw | None = None


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
        """Have the server that it is connected to end it."""
        try:
            subject = end_connections_at(await self._id_of(connection.server))
            body = msgspec.json.encode({"cid": connection.number})
            answer = await self._bus.request(subject, body, timeout_s=BROKER_WITHIN_S)
            refused = msgspec.json.decode(answer.data, type=_Answer).error
        except (NoResponders, TimeoutError, NotSent, ValueError, msgspec.DecodeError) as error:
            log.warning("connection_not_ended", reason=str(error) or type(error).__name__)
        else:
            if refused is None:  # else it has ended by itself
                log.info("connection_ended", connection=connection.number)

    async def _id_of(self, server: str) -> str:
        """Servers have names that people give them, and an id that is new with each start."""
        body = msgspec.json.encode({"server_name": server})
        found = await self._bus.request(BROKER_SERVERS, body, timeout_s=BROKER_WITHIN_S)
        return msgspec.json.decode(found.data, type=_Server).id
