"""Personal texts on their way into the vault: a reference goes into the log in their place."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence

import msgspec

from shared.ports import VaultRow
from shared.routing.commands import Command
from shared.routing.events import Actor
from shared.routing.ids import Ref

_SALT_BYTES = 16


class Sealed(msgspec.Struct, frozen=True):
    """What the vault keeps of one text; without the salt the hash in the log proves nothing."""

    salt: str
    text: object


def seal(command: Command, actor: Actor) -> tuple[Mapping[str, Ref], Sequence[VaultRow]]:
    """References to the command's personal texts by field, and the rows that hold them."""
    if not command.personal:
        return {}, ()
    refs: dict[str, Ref] = {}
    rows: list[VaultRow] = []
    for field in command.personal:
        text = getattr(command, field)
        if text is None or text is msgspec.UNSET:
            continue
        body = msgspec.json.encode(Sealed(secrets.token_urlsafe(_SALT_BYTES), text))
        digest = hashlib.sha256(body).hexdigest()
        refs[field] = Ref(f"{secrets.token_urlsafe(_SALT_BYTES)}.{digest}")
        rows.append(VaultRow(refs[field], _subject_of(command, actor), body))
    return refs, rows


def unseal(body: bytes) -> object:
    """The text that a row of the vault holds."""
    return msgspec.json.decode(body, type=Sealed).text


def _subject_of(command: Command, actor: Actor) -> str:
    """Whose text it is: the operator described, else the conversation it belongs to."""
    for field in ("operator_id", "conversation_id"):
        subject = getattr(command, field, None)
        if subject is not None:
            return f"{field.removesuffix('_id')}:{subject}"
    return f"{actor.kind}:{actor.id}"
