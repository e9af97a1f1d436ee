"""Commands as they come in: from subject, body and headers to a typed request, or to a refusal.

Whether a command is allowed, in time or known already is judged where the state is.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from shared.routing.commands import COMMANDS, Command, Refused
from shared.routing.events import Actor, Request
from shared.routing.ids import CommandId, UnixMs, WorkspaceId
from shared.wire.bodies import BodyDecoder
from shared.wire.headers import read_headers
from shared.wire.request_info import spoken_by_another
from shared.wire.scrutiny import refuse_senseless
from shared.wire.subjects import Call

_CODES = {"policy": "invalid_policy", "when": "invalid_rule", "then": "invalid_rule"}
"""What a fault inside a field is called, where it has a name of its own."""

_DECODERS = {name: BodyDecoder(shape, _CODES) for name, shape in COMMANDS.items()}


class CommandRequest(msgspec.Struct, frozen=True, gc=False):
    """A command with all that came with it.

    ``by`` is who acts, not who sends: for a back end that speaks for a visitor the visitor, with
    the back end as ``by.service``. ``expires_at`` is by the router's clock.
    """

    workspace_id: WorkspaceId
    command: Command
    by: Actor
    request: Request
    command_id: CommandId | None
    expires_at: UnixMs | None
    trace: str | None


def decode_command(
    call: Call, body: bytes, headers: Mapping[str, str], *, hash_key: bytes = b""
) -> CommandRequest | Refused:
    """Read a command; never raises.

    ``hash_key``, up to 64 bytes: without one, whoever reads the log could test guesses at an
    erased text against the hash of the body. It has to outlive the router by an hour, so that
    retries are recognised.
    """
    decoder = _DECODERS.get(call.name)
    if decoder is None:
        return Refused("malformed", f"there is no command {call.name}", {"command": call.name})
    beside = spoken_by_another(call, headers) or read_headers(headers)
    if isinstance(beside, Refused):
        return beside
    read = decoder.decode(call, body)
    if isinstance(read, Refused):
        return read
    refusal = refuse_senseless(read.content)
    if refusal is not None:
        return refusal
    return CommandRequest(
        call.workspace_id,
        read.content,
        read.by,
        Request(call.name, body_hash(body, hash_key)),
        beside.command_id,
        beside.expires_at,
        beside.trace,
    )


def body_hash(body: bytes, key: bytes = b"") -> str:
    """128 bits of BLAKE2b over the bytes as they came, in hex."""
    return hashlib.blake2b(body, digest_size=16, key=key).hexdigest()
