"""Tokens and key sets as somebody writes them who wants in."""

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def unsigned(claims: dict[str, Any]) -> str:
    """A token of the algorithm ``none``."""
    return f"{_joined({'alg': 'none', 'typ': 'JWT'}, claims)}."


def signed_with_public_key(public: bytes, claims: dict[str, Any], algorithm: str = "HS256") -> str:
    """A token whose shared secret is what everybody may know: the public key."""
    text = _joined({"alg": algorithm, "typ": "JWT"}, claims)
    return f"{text}.{_base64(hmac.digest(public, text.encode(), hashlib.sha256))}"


def jwks_of(public: bytes, key_id: str) -> bytes:
    """A key set with this Ed25519 key, given as PEM."""
    key = load_pem_public_key(public)
    assert isinstance(key, Ed25519PublicKey)
    raw = _base64(key.public_bytes_raw())
    described = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": key_id, "x": raw}
    return json.dumps({"keys": [described]}).encode()


def _joined(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
