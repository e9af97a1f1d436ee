"""From numbered notifications to what is sent: subjects, and bodies with their texts put in."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from services.notifier.phrases import language_of, phrase
from shared.ports import Vault
from shared.routing.ids import Ref, WorkspaceId
from shared.routing.notify import Numbered, Recipient, Wording
from shared.wire.sealed import unseal
from shared.wire.subjects import feed_of

log = structlog.get_logger()

Texts = Mapping[Ref, object]

_encode = msgspec.json.Encoder().encode


async def rendered(vault: Vault, messages: Sequence[Numbered]) -> list[bytes]:
    """The bodies of the messages, the same however often they are made.

    Only a text that was erased, or damaged, is missing then, and null stands in its place. Raises
    ``StoreUnavailable``.
    """
    wordings = (message.notification.wording for message in messages)
    refs = [wording.ref for wording in wordings if wording is not None and wording.ref is not None]
    texts: Texts = {}
    if refs:
        texts = {ref: _text(ref, body) for ref, body in (await vault.read(refs)).items()}
    return [body_of(message, texts) for message in messages]


def _text(ref: Ref, body: bytes) -> object:
    try:
        return unseal(body)
    except msgspec.DecodeError as error:
        log.error("text_damaged", ref=ref, reason=error)
        return None


def body_of(numbered: Numbered, texts: Texts) -> bytes:
    """``{"id", "seq"?, "type", "position", "at", "alert", ..., "text"?}``."""
    notification = numbered.notification
    message: dict[str, Any] = {"id": numbered.id}
    if numbered.seq is not None:
        message["seq"] = numbered.seq
    message["type"] = notification.type
    message["position"] = numbered.position
    message["at"] = numbered.at
    message["alert"] = notification.alert
    message.update(notification.fields)
    wording = notification.wording
    if wording is not None:
        message["text"] = _worded(wording, texts)
    return _encode(message)


def _worded(wording: Wording, texts: Texts) -> object:
    if wording.ref is not None:
        return texts.get(wording.ref)
    return phrase(f"notice_{wording.code}", language_of(*wording.languages))


@lru_cache(maxsize=65_536)
def feed_subject(workspace_id: WorkspaceId, recipient: Recipient) -> str:
    """Where a recipient listens."""
    return feed_of(workspace_id, recipient.kind, recipient.id)
