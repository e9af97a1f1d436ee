"""Who somebody is, by the token that the chat platform signed.

A token is a JWT. ``exp``, ``aud`` and ``sub`` are needed, ``iss`` where an issuer is set; the claim
``fernamt`` says the rest::

    {"sub": "ana", "iat": 1763640000, "exp": 1763650000, "aud": "fernamt",
     "fernamt": {"workspace": "shop", "kind": "operator", "audit": true}}

Which algorithm a key is for is the key's to say, never the token's: a token that names another is
refused, and with it ``none``, and a public key taken for a shared secret.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
import msgspec

from services.auth.keys import Key
from shared.routing.ids import ID_PATTERN
from shared.routing.vocabulary import ActorKind

CLAIM = "fernamt"
RESERVED = frozenset({"presence", "rules"})
"""Services of Fernamt's own, who report what nobody else may."""
TOKEN_BYTES_MAX = 8_192
SECONDS_MAX = 2**53

_ID = re.compile(ID_PATTERN)


class NotTrusted(Exception):
    """The token proves nothing; the message says why, and quotes nothing of the token."""


class _Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    workspace: str
    kind: ActorKind
    audit: bool = False


class Session(msgspec.Struct, frozen=True):
    """Somebody in one workspace, until ``expires_at`` (Unix seconds, as tokens have it)."""

    workspace_id: str
    kind: ActorKind
    actor_id: str
    issued_at: int
    """Unix seconds, 0 where the token does not say."""
    expires_at: int
    audits: bool
    """Whether questions about the past may be asked; of operators their role decides, too."""


class Expected(msgspec.Struct, frozen=True):
    """For whom a token has to be made, and by whom; an empty issuer is anybody with the key."""

    audience: str
    issuer: str = ""


def session_of(token: str, keys: Sequence[Key], expected: Expected) -> Session:
    """The session a token stands for. Raises ``NotTrusted``."""
    claims = _claims(token, keys, expected)
    try:
        claim = msgspec.convert(claims.get(CLAIM), _Claim)
    except msgspec.ValidationError as error:
        raise NotTrusted(f"the claim {CLAIM}: {error}") from None
    actor = claims["sub"]
    for name, its_id in (("sub", actor), ("workspace", claim.workspace)):
        if not _ID.match(its_id):
            raise NotTrusted(f"{name} is no id: 1 to 64 of A-Z, a-z, 0-9, _ and -")
    if claim.kind == "service" and actor in RESERVED:
        raise NotTrusted(f"the service {actor} is Fernamt's own")
    audits = claim.kind in {"admin", "service"} or (claim.kind == "operator" and claim.audit)
    said = claims.get("iat")
    issued_at = int(said) if isinstance(said, int | float) and 0 <= said < SECONDS_MAX else 0
    return Session(claim.workspace, claim.kind, actor, issued_at, int(claims["exp"]), audits)


def _claims(token: str, keys: Sequence[Key], expected: Expected) -> Mapping[str, Any]:
    """What the token says, once a key has signed for it."""
    if not token:
        raise NotTrusted("no token was shown")
    if len(token) > TOKEN_BYTES_MAX:
        raise NotTrusted(f"the token has {len(token)} bytes, {TOKEN_BYTES_MAX} at most")
    needed = ["exp", "aud", "sub", *(["iss"] if expected.issuer else [])]
    why = "no key is known that could have signed it"
    for key in keys:
        try:
            return jwt.decode(
                token,
                key.public,
                algorithms=[key.algorithm],
                audience=expected.audience,
                issuer=expected.issuer or None,
                # A clock that runs ahead of ours has issued it: no reason to turn anybody away.
                options={"require": needed, "verify_iat": False},
            )
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError):
            continue
        except jwt.PyJWTError as error:
            why = f"{error}"
            break
    raise NotTrusted(why)


def key_id_of(token: str) -> str:
    """Which key a token says it was signed with; nothing of it is proven."""
    try:
        named = jwt.get_unverified_header(token).get("kid", "")
    except jwt.PyJWTError:
        return ""
    return named if isinstance(named, str) else ""
