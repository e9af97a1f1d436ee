"""Keys of NATS's users and accounts (nkeys): Ed25519, written in NATS's own letters.

A seed begins with SU or SA, a public key with U or A, and both end with a checksum. The library
for it comes as source alone, and what installs Fernamt builds nothing.
"""

import binascii
import os
from base64 import b32decode, b32encode
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Kind = Literal["user", "account"]

_SEED: Final = 18 << 3
_KINDS: Final[dict[Kind, int]] = {"user": 20 << 3, "account": 0}
_KEY_BYTES: Final = 32


class Nkey:
    """A private key; ``public`` is how others know it."""

    def __init__(self, kind: Kind, private: bytes) -> None:
        """``private`` has 32 bytes."""
        self.kind = kind
        self._private = private
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self.public = _written(bytes([_KINDS[kind]]) + self._key.public_key().public_bytes_raw())

    @classmethod
    def new(cls, kind: Kind) -> "Nkey":
        """One that nobody has."""
        return cls(kind, os.urandom(_KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> "Nkey":
        """Raises ``ValueError`` that quotes nothing of it."""
        read = _read(seed.strip())
        kinds = {_prefix(number): kind for kind, number in _KINDS.items()}
        kind = kinds.get(read[:2])
        if kind is None or len(read) != 2 + _KEY_BYTES:
            raise ValueError(
                "the seed of an nkey is expected, of a user (SU...) or account (SA...)"
            )
        return cls(kind, read[2:])

    @property
    def seed(self) -> str:
        """The secret."""
        return _written(_prefix(_KINDS[self.kind]) + self._private)

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(data)


def _prefix(kind: int) -> bytes:
    """Of a seed: that it is one, and of what kind, in five bits each."""
    return bytes([_SEED | kind >> 5, (kind & 31) << 3])


def _written(data: bytes) -> str:
    checksum = binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return b32encode(data + checksum).decode().rstrip("=")


def _read(text: bytes) -> bytes:
    try:
        data = b32decode(text + b"=" * (-len(text) % 8))
    except binascii.Error:
        data = b""
    if len(data) < 3 or binascii.crc_hqx(data[:-2], 0).to_bytes(2, "little") != data[-2:]:
        raise ValueError("this is no nkey, or letters of it were changed")
    return data[:-2]
