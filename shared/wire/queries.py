"""Queries as they come in: from subject, body and headers to a typed request, or to a refusal.

Who may ask what is judged where the state is.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.routing.commands import Refused
from shared.routing.events import Actor
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.questions import EVERY_QUERY, Question
from shared.wire.bodies import BodyDecoder
from shared.wire.headers import read_headers
from shared.wire.request_info import spoken_by_another
from shared.wire.subjects import Call

_DECODERS = {name: BodyDecoder(shape) for name, shape in EVERY_QUERY.items()}


class QueryRequest(msgspec.Struct, frozen=True):
    """A question with all that came with it.

    ``by`` is who asks, as in a command. The answer has to reflect at least ``min_position``.
    """

    workspace_id: WorkspaceId
    question: Question
    by: Actor
    min_position: Position
    expires_at: UnixMs | None
    trace: str | None


def decode_query(call: Call, body: bytes, headers: Mapping[str, str]) -> QueryRequest | Refused:
    """Read a query, whoever answers it; never raises."""
    return read_question(_DECODERS, "query", call, body, headers)


def read_question(
    decoders: Mapping[str, BodyDecoder[Any]],
    what: str,
    call: Call,
    body: bytes,
    headers: Mapping[str, str],
) -> QueryRequest | Refused:
    """Read one of the questions that ``decoders`` are for, and that are called ``what``."""
    decoder = decoders.get(call.name)
    if decoder is None:
        key = what.rpartition(" ")[2]
        return Refused("malformed", f"there is no {what} {call.name}", {key: call.name})
    beside = spoken_by_another(call, headers) or read_headers(headers)
    if isinstance(beside, Refused):
        return beside
    read = decoder.decode(call, body)
    if isinstance(read, Refused):
        return read
    return QueryRequest(
        call.workspace_id,
        read.content,
        read.by,
        beside.min_position,
        beside.expires_at,
        beside.trace,
    )
