"""Replies, to bytes and back, and the number that stands beside each error code."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from shared.routing.commands import Refused
from shared.routing.ids import Position, UnixMs
from shared.wire.headers import ERROR, ERROR_CODE

STATUS: Mapping[str, int] = {
    "malformed": 400,
    "unknown_field": 400,
    "invalid_rule": 400,
    "invalid_policy": 400,
    "not_allowed": 403,
    "no_permission": 403,
    "unknown_workspace": 404,
    "unknown_operator": 404,
    "unknown_group": 404,
    "unknown_entry_point": 404,
    "unknown_conversation": 404,
    "unknown_rule": 404,
    "unknown_role": 404,
    "unknown_webhook": 404,
    "unknown_job": 404,
    "expired": 409,
    "command_id_reused": 409,
    "workspace_exists": 409,
    "already_exists": 409,
    "group_name_taken": 409,
    "group_disabled": 409,
    "group_not_offered": 409,
    "status_not_selectable": 409,
    "operator_offline": 409,
    "operator_removed": 409,
    "at_capacity": 409,
    "already_owned": 409,
    "already_closed": 409,
    "already_open": 409,
    "not_involved": 409,
    "no_offer": 409,
    "offer_ended": 409,
    "nobody_reachable": 409,
    "no_decision": 409,
    "not_waiting": 409,
    "in_use": 409,
    "too_large": 413,
    "too_many": 429,
    "overloaded": 503,
    "unavailable": 503,
}
"""Every error code with the HTTP status it resembles."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Done, and committed at ``position``; or a query's answer, as of ``position``."""

    ok: bool = True
    position: Position
    at: UnixMs
    repeated: bool | UnsetType = UNSET
    """True if the command had been carried out before, at this position."""
    result: Any


class NotDone(msgspec.Struct, frozen=True, kw_only=True):
    """Refused; nothing was changed."""

    ok: bool = False
    error: Refused


class Reply(NamedTuple):
    """What is sent back."""

    body: bytes
    headers: Mapping[str, str]


_encode = msgspec.json.Encoder().encode
_NO_HEADERS: Mapping[str, str] = {}


def answered(position: Position, at: UnixMs, result: object, *, repeated: bool = False) -> Reply:
    """``result``: a struct or a mapping, ``{}`` if there is nothing to tell."""
    repetition = True if repeated else UNSET
    reply = Answered(position=position, at=at, repeated=repetition, result=result)
    return Reply(_encode(reply), _NO_HEADERS)


def refused(reason: Refused) -> Reply:
    """A refusal; its code stands in the headers too, for tools that count errors by those."""
    return Reply(_encode(NotDone(error=reason)), error_headers(reason.code))


@cache
def error_headers(code: str) -> Mapping[str, str]:
    """The headers of a refusal; a code that the table lacks counts as a conflict."""
    return {ERROR: code, ERROR_CODE: str(STATUS.get(code, 409))}


class _AnyReply(msgspec.Struct, frozen=True):
    ok: bool
    position: Position = Position(0)
    at: UnixMs = UnixMs(0)
    repeated: bool | UnsetType = UNSET
    result: msgspec.Raw = msgspec.Raw(b"{}")
    error: Refused | None = None


_decode = msgspec.json.Decoder(_AnyReply).decode


def read_reply(body: bytes) -> Answered | Refused:
    """What a caller reads out of a reply; ``result`` is a ``msgspec.Raw`` to be decoded further.

    Raises ``msgspec.DecodeError`` where the reply is none of ours.
    """
    reply = _decode(body)
    if reply.ok:
        return Answered(
            position=reply.position, at=reply.at, repeated=reply.repeated, result=reply.result
        )
    if reply.error is None:
        raise msgspec.ValidationError("a reply that is not ok needs an error")
    return reply.error
