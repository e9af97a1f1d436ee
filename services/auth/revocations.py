"""Whose tokens hold no more although they have not expired: a list that the chat platform keeps.

A JSON object says of each user, as the broker calls him, from when on his tokens hold, in Unix
seconds: ``{"shop.operator.ana": 1763650000}``. What was issued before then is void, and so is what
does not say when it was issued.
"""

from collections.abc import Mapping

import httpx
import msgspec

from services.auth.places import content_of
from services.auth.sessions import Session
from shared.wire.request_info import user_name

Revocations = Mapping[str, int]

_decoder = msgspec.json.Decoder(dict[str, int])


class RevocationsUnusable(Exception):
    """They could not be read; the message says from where and why."""


async def revocations_at(place: str) -> Revocations:
    """The list in a file, or at an https address. Raises ``RevocationsUnusable``."""
    try:
        return _decoder.decode(await content_of(place))
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise RevocationsUnusable(f"revoked session tokens, {place}: {error!r}") from error


def is_revoked(session: Session, revocations: Revocations) -> bool:
    """Whether its token holds no more."""
    user = user_name(session.workspace_id, session.kind, session.actor_id)
    return session.issued_at < revocations.get(user, 0)
