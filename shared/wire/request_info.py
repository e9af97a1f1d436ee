"""What the broker itself says about who sends a request, held against what its subject says.

Where accounts are set up as in ``deploy/nats``, the broker writes the header into every request
that comes from another account, in place of what a client may have put there. The service ``auth``
gives users their names (``user_name``). Permissions make a difference between the two impossible;
so one means that permissions are not what they should be, and nothing is believed.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, get_args

import msgspec

from shared.routing.commands import Refused
from shared.routing.vocabulary import ActorKind
from shared.wire.subjects import Call

REQUEST_INFO = "Nats-Request-Info"

_ID = "[A-Za-z0-9_-]{1,64}"
_NAMED = re.compile(rf"{_ID}\.(?:{'|'.join(get_args(ActorKind))})\.{_ID}")


class Connection(NamedTuple):
    """A connection to a broker: the name of the server, and its number there."""

    server: str
    number: int


class _Info(msgspec.Struct, frozen=True):
    user: str = ""
    server: str = ""
    id: int = 0


_decoder = msgspec.json.Decoder(_Info)


def user_name(workspace_id: str, kind: str, actor_id: str) -> str:
    """What the broker is to call somebody, all of it ids that were checked."""
    return f"{workspace_id}.{kind}.{actor_id}"


def spoken_by_another(call: Call, headers: Mapping[str, str]) -> Refused | None:
    """A refusal, if the broker knows the sender under another name than the subject says.

    Users that others have named, in a configuration of their own, cannot be compared.
    """
    text = headers.get(REQUEST_INFO)
    if text is None:
        return None
    try:
        user = _decoder.decode(text).user
    except msgspec.DecodeError:
        return Refused("malformed", f"the header {REQUEST_INFO} cannot be read")
    said = user_name(call.workspace_id, call.kind, call.actor_id)
    if user == said or not _NAMED.fullmatch(user):
        return None
    return Refused("not_allowed", f"the broker says that {user} sends this, not {said}")


def connection_of(headers: Mapping[str, str]) -> Connection | None:
    """On which connection a request came, where the broker says so."""
    try:
        info = _decoder.decode(headers.get(REQUEST_INFO, "{}"))
    except msgspec.DecodeError:
        return None
    return Connection(info.server, info.id) if info.server and info.id else None
