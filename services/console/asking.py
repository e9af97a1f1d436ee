"""Asking the engine, as the service ``console``: who answers what, and how it fails."""

from collections.abc import Awaitable, Mapping
from typing import Generic, NamedTuple, TypeVar

import msgspec

from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, NoResponders
from shared.routing.commands import Refused
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.questions import EVALUATOR_QUERIES, NOTIFIER_QUERIES
from shared.wire.headers import MIN_POSITION
from shared.wire.replies import STATUS, read_reply
from shared.wire.subjects import Call, Purpose, subject_of

ACTOR = "console"
LIVE_WITHIN_S = 4.0
PAST_WITHIN_S = 20.0
"""Questions about the past may have to fold a long log."""

Fields = Mapping[str, object]
_NONE: Fields = {}
T = TypeVar("T")


class Told(NamedTuple, Generic[T]):
    """An answer, the position it reflects and the time at the one who answered."""

    position: Position
    at: UnixMs
    result: T


class Trouble(Exception):
    """Why there is no answer. ``status`` is of HTTP; ``who`` should have answered."""

    status = 503

    def __init__(self, who: str) -> None:
        super().__init__(who)
        self.who = who


class Unanswered(Trouble):
    """Nobody is there who would answer."""


class TooSlow(Trouble):
    """No answer in time."""

    status = 504

    def __init__(self, who: str, within_s: float) -> None:
        super().__init__(who)
        self.within_s = within_s


class Disconnected(Trouble):
    """The broker cannot be reached."""


class Denied(Trouble):
    """It was refused: ``reason`` says why."""

    def __init__(self, who: str, reason: Refused) -> None:
        super().__init__(who)
        self.reason = reason
        self.status = STATUS.get(reason.code, 404 if reason.code.startswith("unknown_") else 409)


class Engine:
    """Asks questions in any workspace."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    async def ask(
        self,
        workspace_id: str,
        query: str,
        shape: type[T],
        fields: Fields = _NONE,
        *,
        min_position: int = 0,
    ) -> Told[T]:
        """The answer to a query of the live state. Raises ``Trouble``."""
        headers = {MIN_POSITION: str(min_position)} if min_position else {}
        call = Call("ask", WorkspaceId(workspace_id), "service", ACTOR, query)
        return await self._told(call, fields, shape, headers=headers, within_s=LIVE_WITHIN_S)

    async def audit(
        self,
        workspace_id: str,
        question: str,
        shape: type[T],
        fields: Fields = _NONE,
        *,
        within_s: float = PAST_WITHIN_S,
    ) -> Told[T]:
        """The answer to a question about the past. Raises ``Trouble``.

        Fields that are null are left out.
        """
        call = Call("audit", WorkspaceId(workspace_id), "service", ACTOR, question)
        return await self._told(call, fields, shape, headers={}, within_s=within_s)

    async def _told(
        self,
        call: Call,
        fields: Fields,
        shape: type[T],
        *,
        headers: Mapping[str, str],
        within_s: float,
    ) -> Told[T]:
        who = _who_answers(call.purpose, call.name)
        body = msgspec.json.encode({key: v for key, v in fields.items() if v is not None})
        try:
            message = await self.bus.request(
                subject_of(call), body, headers=headers, timeout_s=within_s
            )
        except NoResponders:
            raise Unanswered(who) from None
        except TimeoutError:
            if self.bus.connection is None:
                raise Disconnected(who) from None
            raise TooSlow(who, within_s) from None
        except (ConnectionError, NotSent):
            raise Disconnected(who) from None
        reply = read_reply(message.data)
        if isinstance(reply, Refused):
            raise Denied(who, reply)
        return Told(reply.position, reply.at, msgspec.json.decode(reply.result, type=shape))


def _who_answers(purpose: Purpose, name: str) -> str:
    if purpose == "audit":
        return "auditor"
    if name in NOTIFIER_QUERIES:
        return "notifier"
    return "evaluator" if name in EVALUATOR_QUERIES else "router"


async def unless_troubled(asked: Awaitable[T]) -> T | Trouble:
    """The answer, or what stands in its place where a page can do without."""
    try:
        return await asked
    except Trouble as trouble:
        return trouble
