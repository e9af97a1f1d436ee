"""The JWTs that nats-server speaks in: its question read, and our answer signed with an nkey.

Its algorithm is its own (``ed25519-nkey``) and known to no library for JWTs.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from services.auth.permissions import ANSWER_WITHIN_S, ANSWERS_MAX, Permissions
from services.auth.sessions import Session
from shared.adapters.nkey import Nkey
from shared.wire.request_info import user_name

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_NANOSECONDS = 1_000_000_000


class ConnectOptions(msgspec.Struct, frozen=True):
    """What the client has shown. A cookie of a browser comes as ``auth_token``, too."""

    auth_token: str = ""


class ClientInfo(msgspec.Struct, frozen=True):
    """Where the client is."""

    host: str = ""
    kind: str = ""


class _ServerId(msgspec.Struct, frozen=True):
    id: str


class Asked(msgspec.Struct, frozen=True):
    """Somebody wants in. ``user_nkey`` stands for the connection in the answer."""

    server_id: _ServerId
    user_nkey: str
    connect_opts: ConnectOptions
    client_info: ClientInfo = ClientInfo()


class _Question(msgspec.Struct, frozen=True):
    nats: Asked


def read_question(data: bytes) -> Asked:
    """What the server asks. Raises ``ValueError``.

    Its signature is not looked at: every server makes a key of its own when it starts, so any key
    at all would have to do. That nobody else asks is the account's business, in which nobody but
    this service may be.
    """
    parts = data.split(b".")
    if len(parts) != 3:
        raise ValueError("this is no JWT")
    payload = base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4))
    try:
        return msgspec.json.decode(payload, type=_Question).nats
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


class Issuer:
    """Signs answers with the key that ``auth_callout`` names in the broker's configuration."""

    def __init__(self, seed: bytes) -> None:
        """Raises ``ValueError`` if this is not the seed of an account's key."""
        self._key = Nkey.from_seed(seed)
        if self._key.kind != "account":
            raise ValueError("the seed of an account's key is expected: it begins with SA")

    def admit(self, asked: Asked, session: Session, may: Permissions, now: int) -> bytes:
        """The client is let in as ``session``; the broker ends the connection when it expires."""
        nats: dict[str, Any] = {
            "type": "user",
            "version": 2,
            "pub": {"allow": list(may.publish)},
            "sub": {"allow": list(may.subscribe)},
        }
        if may.answers:
            nats["resp"] = {"max": ANSWERS_MAX, "ttl": ANSWER_WITHIN_S * _NANOSECONDS}
        user = {
            "sub": asked.user_nkey,
            "aud": may.account,
            "name": user_name(session.workspace_id, session.kind, session.actor_id),
            "exp": session.expires_at,
            "nats": nats,
        }
        return self._answer(asked, {"jwt": self._signed(user, now).decode()}, now)

    def refuse(self, asked: Asked, why: str, now: int) -> bytes:
        """The client is sent away; ``why`` goes into the broker's log alone."""
        return self._answer(asked, {"error": why}, now)

    def _answer(self, asked: Asked, said: Mapping[str, str], now: int) -> bytes:
        nats = {"type": "authorization_response", "version": 2, **said}
        claims = {"sub": asked.user_nkey, "aud": asked.server_id.id, "nats": nats}
        return self._signed(claims, now)

    def _signed(self, claims: Mapping[str, Any], now: int) -> bytes:
        whole = {**claims, "iss": self._key.public, "iat": now}
        digest = hashlib.sha256(msgspec.json.encode(whole)).digest()
        whole["jti"] = base64.b32encode(digest).decode().rstrip("=")
        text = _base64(msgspec.json.encode(_HEADER)) + b"." + _base64(msgspec.json.encode(whole))
        return text + b"." + _base64(self._key.sign(text))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
