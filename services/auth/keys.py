"""The public keys of the chat platform: from a file, or from an address that is read again.

A file holds public keys as PEM, one after the other, or a JWKS; an address gives a JWKS. The key
says which algorithm it is for. There is no shared secret among them: who can check a token must not
be able to make one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from services.auth.places import content_of

PublicKey = Ed25519PublicKey | RSAPublicKey | EllipticCurvePublicKey

RSA_BITS_MIN = 2048

_PEM = re.compile(rb"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)


class Key(NamedTuple):
    """A key and the one algorithm that it is for; ``key_id`` is empty if it has no name."""

    key_id: str
    public: PublicKey
    algorithm: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class KeysUnusable(Exception):
    """No keys could be read; the message says from where and why."""


async def keys_at(place: str) -> Sequence[Key]:
    """The keys in a file, or at an https address. Raises ``KeysUnusable``."""
    try:
        keys = tuple(_keys_in(await content_of(place)))
    except (OSError, ValueError, httpx.HTTPError, jwt.PyJWTError) as error:
        raise KeysUnusable(f"keys of session tokens, {place}: {error!r}") from error
    if not keys:
        raise KeysUnusable(f"keys of session tokens, {place}: there is none")
    return keys


def fitting(keys: Iterable[Key], key_id: str) -> Sequence[Key]:
    """Those that may have signed what says it was signed with ``key_id``, or does not say."""
    return [key for key in keys if not (key_id and key.key_id) or key.key_id == key_id]


def _keys_in(content: bytes) -> Iterator[Key]:
    if content.lstrip().startswith(b"{"):
        for described in msgspec.json.decode(content, type=_KeySet).keys:
            if _is_for_signatures(described):
                key = jwt.PyJWK(described)
                yield _key(described.get("kid", ""), key.key)
        return
    for block in _PEM.findall(content):
        yield _key("", load_pem_public_key(block))


def _is_for_signatures(described: Mapping[str, Any]) -> bool:
    """Other keys in a set are none of our business: those to encrypt with, those of other kinds."""
    curve = described.get("crv")
    match described.get("kty"):
        case "OKP":
            known = curve == "Ed25519"
        case "EC":
            known = curve == "P-256"
        case kind:
            known = kind == "RSA"
    return known and described.get("use", "sig") == "sig" and "d" not in described


def _key(key_id: str, public: object) -> Key:
    match public:
        case Ed25519PublicKey():
            return Key(key_id, public, "EdDSA")
        case RSAPublicKey() if public.key_size >= RSA_BITS_MIN:
            return Key(key_id, public, "RS256")
        case EllipticCurvePublicKey(curve=SECP256R1()):
            return Key(key_id, public, "ES256")
        case _:
            raise ValueError(
                "a public key is expected, Ed25519, P-256 or RSA of at least "
                f"{RSA_BITS_MIN} bits, and not {type(public).__name__}"
            )
