"""What the router is to be told about one subject, given the log and what was heard: no memory.

The id of a report is made from what it says and from the last event about its subject, so that
the same report of another process, or a second try of this one, is known as such.
"""

import hashlib
from typing import NamedTuple

import msgspec

from shared.routing.ids import EntryPointId, OperatorId, Position, SessionId, UnixMs, WorkspaceId
from shared.routing.state import Operator

AHEAD_MS = 5_000
"""How far the clocks of two processes may differ before they contradict each other."""


class OfSession(msgspec.Struct, frozen=True, gc=False):
    """Whether a session is alive."""

    operator_id: OperatorId
    session_id: SessionId


class OfActivity(msgspec.Struct, frozen=True, gc=False):
    """Whether an operator is idle."""

    operator_id: OperatorId


class OfShift(msgspec.Struct, frozen=True, gc=False):
    """Whether an operator is on shift."""

    operator_id: OperatorId


class OfHours(msgspec.Struct, frozen=True, gc=False):
    """Whether an entry point is open."""

    entry_point_id: EntryPointId


Subject = OfSession | OfActivity | OfShift | OfHours


class Report(NamedTuple):
    """A command to the router, ready to be sent."""

    command: str
    body: bytes
    command_id: str


class Standing(NamedTuple):
    """How hours should stand now, and what they will turn to."""

    open: bool
    since: UnixMs | None
    until: UnixMs
    auto_online: bool


def may_lapse(operator: Operator | None) -> bool:
    """Whether his sessions are watched at all: a bot needs none."""
    return operator is not None and not operator.removed and operator.kind != "bot"


def about_session(
    operator: Operator | None, session_id: SessionId, *, over: bool, heard: bool
) -> str | None:
    """``over``: its lease ran out. ``heard``: it was heard of within the last lease."""
    if operator is None or not may_lapse(operator):
        return None
    if session_id in operator.sessions and session_id not in operator.lapsed:
        return "session_lapsed" if over else None
    return "session_returned" if heard and session_id not in operator.ended else None


def about_activity(operator: Operator | None, *, over: bool, stirred: bool) -> str | None:
    """``over``: he did nothing for too long. ``stirred``: he did something just now."""
    if operator is None or not may_lapse(operator):
        return None
    if operator.idle:
        return "operator_active" if stirred else None
    return "operator_idle" if over and operator.connected else None


def about_hours(standing: Standing | None, *, shown_open: bool, at: UnixMs) -> str | None:
    """``standing`` is null where no hours are set: always open.

    Where the log shows already what is due within ``AHEAD_MS``, somebody's clock is a little
    ahead, and nothing is put back for that.
    """
    if shown_open == (standing is None or standing.open):
        return None
    if standing is not None and standing.until - at <= AHEAD_MS:
        return None
    return "shift_ended" if shown_open else "shift_started"


def report_of(
    workspace_id: WorkspaceId,
    command: str,
    subject: Subject,
    news: Position,
    standing: Standing | None = None,
) -> Report:
    """``news`` is the position of the last event about the subject."""
    fields: dict[str, object] = msgspec.to_builtins(subject)
    if command == "shift_started":
        fields["auto_online"] = standing is not None and standing.auto_online
    body = msgspec.json.encode(fields)
    boundary = standing.since if standing is not None else None
    told = msgspec.json.encode((workspace_id, command, body.decode(), news, boundary))
    return Report(command, body, hashlib.blake2b(told, digest_size=16).hexdigest())
