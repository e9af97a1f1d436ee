"""What clients asked, when, and what they were told: the one thing that checkers believe.

An attempt is one sending of one command. ``ok`` was acknowledged, ``fail`` was refused in so many
words, ``info`` is everything else: a time-out says nothing about what happened.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from shared.routing.events import Actor
from shared.routing.ids import CommandId, Position, UnixMs
from shared.routing.state import CommandKey, command_key

Outcome = Literal["ok", "fail", "info"]


class Attempt(msgspec.Struct, kw_only=True):
    """One sending of one command; a retry is another attempt with the same command id."""

    actor: Actor
    command: str
    fields: Mapping[str, Any]
    command_id: CommandId
    invoked_ns: int
    """Monotonic, as is ``ended_ns``: 0 while nothing came back."""
    ended_ns: int = 0
    outcome: Outcome = "info"
    position: Position = Position(0)
    at: UnixMs = UnixMs(0)
    repeated: bool = False
    code: str = ""
    """Why it was refused, or what kept an answer from coming."""

    @property
    def key(self) -> CommandKey:
        """By which the engine recognises it."""
        return command_key(self.actor, self.command_id)


class History:
    """Attempts in the order in which they were sent."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    def invoke(
        self, actor: Actor, command: str, fields: Mapping[str, Any], command_id: CommandId
    ) -> Attempt:
        """Note that a command is being sent; the caller reports what comes of it."""
        attempt = Attempt(
            actor=actor,
            command=command,
            fields=fields,
            command_id=command_id,
            invoked_ns=time.monotonic_ns(),
        )
        self.attempts.append(attempt)
        return attempt

    def write(self, path: Path) -> None:
        """Keep it as JSON Lines, in the order of what happened: invoke, then ok, fail or info."""
        lines = sorted(line for attempt in self.attempts for line in _lines(attempt))
        path.write_bytes(b"\n".join(msgspec.json.encode(line) for _, _, line in lines))


def _lines(attempt: Attempt) -> Sequence[tuple[int, int, dict[str, Any]]]:
    told = {"actor": attempt.actor, "command": attempt.command, "cmd": attempt.command_id}
    began = told | {"type": "invoke", "ns": attempt.invoked_ns, "fields": attempt.fields}
    if not attempt.ended_ns:
        return [(attempt.invoked_ns, id(attempt), began)]
    ended = told | {
        "type": attempt.outcome,
        "ns": attempt.ended_ns,
        "position": attempt.position,
        "repeated": attempt.repeated,
        "code": attempt.code,
    }
    return [(attempt.invoked_ns, id(attempt), began), (attempt.ended_ns, id(attempt), ended)]
