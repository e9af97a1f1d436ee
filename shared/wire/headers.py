"""The headers of messages: their names, and what those of a request say."""

import re
from collections.abc import Mapping

import msgspec

from shared.routing.commands import Refused
from shared.routing.ids import ID_PATTERN, CommandId, Position, UnixMs, WorkspaceId

COMMAND_ID = "Fernamt-Command-Id"
EXPIRES = "Fernamt-Expires"
MIN_POSITION = "Fernamt-Min-Position"
TRACE = "traceparent"
EVENT = "Fernamt-Event"
MESSAGE_ID = "Nats-Msg-Id"
ERROR = "Nats-Service-Error"
ERROR_CODE = "Nats-Service-Error-Code"

_ID = re.compile(ID_PATTERN)
_NUMBER = re.compile(r"[0-9]{1,16}")
_TRACE = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=-|\Z)"
)
"""The four fields of W3C trace context; later versions may append more."""


class RequestHeaders(msgspec.Struct, frozen=True, gc=False):
    """What stands beside a request; ``trace`` is its trace parent."""

    command_id: CommandId | None = None
    expires_at: UnixMs | None = None
    min_position: Position = Position(0)
    trace: str | None = None


_NONE = RequestHeaders()


def read_headers(headers: Mapping[str, str]) -> RequestHeaders | Refused:
    """Read the headers of a request; unknown ones do not matter.

    An unreadable trace parent is dropped, as W3C asks for: tracing never stops a command.
    """
    if not headers:
        return _NONE
    command_id = headers.get(COMMAND_ID)
    if command_id is not None and not _ID.match(command_id):
        return _refused(COMMAND_ID, "an id is expected: 1 to 64 of A-Z, a-z, 0-9, _ and -")
    expires_at = _number(headers.get(EXPIRES))
    if expires_at is not None and expires_at < 0:
        return _refused(EXPIRES, "milliseconds since 1970 are expected, as digits")
    min_position = _number(headers.get(MIN_POSITION))
    if min_position is not None and min_position < 0:
        return _refused(MIN_POSITION, "a position is expected, as digits")
    trace = _TRACE.match(headers.get(TRACE, ""))
    return RequestHeaders(
        None if command_id is None else CommandId(command_id),
        None if expires_at is None else UnixMs(expires_at),
        Position(min_position or 0),
        trace[0] if trace else None,
    )


def event_headers(workspace_id: WorkspaceId, position: Position, topic: str) -> dict[str, str]:
    """The headers under which the event stored as ``topic`` is published."""
    return {EVENT: topic, MESSAGE_ID: f"{workspace_id}:{position}"}


def _number(text: str | None) -> int | None:
    """A whole number up to 2^53; -1 if ``text`` is none."""
    if text is None:
        return None
    number = int(text) if _NUMBER.fullmatch(text) else -1
    return number if number <= 2**53 else -1


def _refused(header: str, reason: str) -> Refused:
    return Refused("malformed", f"the header {header}: {reason}", {"header": header})
