"""Personal texts on their way into the vault: a reference goes into the log in their place."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence

from shared.ports import VaultRow
from shared.routing.commands import Command
from shared.routing.events import Actor
from shared.routing.ids import Position, Ref
from shared.wire.sealed import sealed

_SALT_BYTES = 16


def seal(
    command: Command,
    actor: Actor,
    position: Position,
    token: Callable[[int], str] = secrets.token_urlsafe,
) -> tuple[Mapping[str, Ref], Sequence[VaultRow]]:
    """References to the command's personal texts by key, and the rows that hold them.

    ``position`` is that of the first event of the command. ``token`` makes words out of so many
    random bytes; for texts of nobody they may be the same every time.
    """
    refs: dict[str, Ref] = {}
    rows: list[VaultRow] = []
    for key, text in command.texts().items():
        body = sealed(token(_SALT_BYTES), text)
        digest = hashlib.sha256(body).hexdigest()
        refs[key] = Ref(f"{token(_SALT_BYTES)}.{digest}")
        rows.append(VaultRow(refs[key], _subject_of(command, actor), body, position))
    return refs, rows


def _subject_of(command: Command, actor: Actor) -> str:
    """Whose text it is: the first of these that the command names, else who sends it."""
    for field in ("operator_id", "conversation_id", "visitor_id", "rule_id", "webhook_id"):
        subject = getattr(command, field, None)
        if subject is not None:
            return f"{field.removesuffix('_id')}:{subject}"
    return f"{actor.kind}:{actor.id}"
