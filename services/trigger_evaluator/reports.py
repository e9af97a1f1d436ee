"""What the router is told: one report after the other, each until it is answered or too late."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
import structlog

from shared.adapters.nats_bus import NotSent
from shared.ports import Message, NoResponders
from shared.routing.commands import COMMANDS, Command, Refused
from shared.routing.ids import CommandId, Position, WorkspaceId
from shared.routing.vocabulary import NotFired
from shared.runtime.reporting import Reporting
from shared.wire.replies import Answered, read_reply
from shared.wire.subjects import Call

log = structlog.get_logger()

TRY_FOR_S = 20.0
"""How long one report is tried; whoever waits for an answer gets ``unavailable`` then."""
ANSWER_WITHIN_S = 3.0
PAUSE_S = 0.05
PAUSE_MAX_S = 1.0
AGAIN = frozenset({"overloaded", "unavailable"})
"""Refusals that another try may find gone."""

_NAMES: Mapping[type[Command], str] = {shape: name for name, shape in COMMANDS.items()}
_encode = msgspec.json.Encoder().encode


class NotTold(Exception):
    """The router did not answer in time, or this process may not speak any more."""


class Told(NamedTuple):
    """What the router said: ``why_not`` where a rule did nothing."""

    position: Position
    why_not: NotFired | None = None
    refused: Refused | None = None


class _Result(msgspec.Struct, frozen=True):
    why_not: NotFired | None = None


_decode_result = msgspec.json.Decoder(_Result).decode


class Reports:
    """Sends reports while ``may_speak`` says so."""

    def __init__(
        self, reporting: Reporting, may_speak: Callable[[], bool], *, try_for_s: float = TRY_FOR_S
    ) -> None:
        self._reporting = reporting
        self._may_speak = may_speak
        self._try_for_s = try_for_s
        self.sent = 0
        self.failed = 0

    async def tell(
        self, workspace_id: WorkspaceId, command: Command, command_id: CommandId
    ) -> Told:
        """Send until there is an answer; the id makes that harmless. Raises ``NotTold``."""
        name = _NAMES[type(command)]
        call = Call("cmd", workspace_id, "service", command.reserved, name)
        body, pause_s = _encode(command), PAUSE_S
        deadline = asyncio.get_running_loop().time() + self._try_for_s
        while self._may_speak():
            self.sent += 1
            told = await self._try(call, body, command_id)
            if told is not None:
                return told
            if asyncio.get_running_loop().time() + pause_s > deadline:
                break
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_MAX_S)
        self.failed += 1
        log.warning("report_not_sent", workspace=workspace_id, report=name)
        raise NotTold(name)

    async def _try(self, call: Call, body: bytes, command_id: CommandId) -> Told | None:
        try:
            answer = await self._reporting.report(call, body, command_id, within_s=ANSWER_WITHIN_S)
        except (NoResponders, TimeoutError, NotSent) as error:
            log.info("router_silent", workspace=call.workspace_id, report=call.name, reason=error)
            return None
        return _read(answer)


def _read(answer: Message) -> Told | None:
    """The answer; none where it is worth another try."""
    try:
        reply: Answered | Refused = read_reply(answer.data)
        if isinstance(reply, Answered):
            return Told(reply.position, _decode_result(reply.result).why_not)
    except msgspec.DecodeError as error:
        log.warning("answer_unreadable", subject=answer.subject, reason=error)
        return None
    if reply.code in AGAIN:
        return None
    log.warning("report_refused", subject=answer.subject, code=reply.code)
    return Told(Position(0), refused=reply)
