"""Seals: what is signed of a log, and with what.

A seal covers the events since the one before it. It holds a digest of each of them, so that it
tells which was touched, and a hash that goes over the hash of the seal before, so that none can be
taken out or put in. Whoever has the key can seal anything: keep it away from who may write the log.
"""

from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from shared.ports import KEY_BYTES, StoredRow
from shared.ports.archive import Seal
from shared.routing.ids import Position, WorkspaceId

DIGEST_BYTES = 16
"""Half of a SHA-256: enough that nobody finds another event to one that is there."""
SEAL_EVENTS = 1_000
"""At most so many events under one seal."""

_CHAIN = b"fernamt seals v1\0"
_SIGNED = b"fernamt seal v1\0"


class SealKey:
    """What signs seals. ``public`` is what they are checked with: 32 bytes."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def from_seed(cls, seed: bytes) -> "SealKey":
        """The key that 32 random bytes stand for."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_text(cls, text: str) -> "SealKey":
        """The key in a file: 64 hexadecimal digits, or a private key as PEM without a password.

        Raises ``ValueError``, which quotes nothing of it.
        """
        if text.lstrip().startswith("-----BEGIN"):
            return cls(_from_pem(text))
        seed = _from_hex(text)
        if seed is None:
            raise ValueError("the key for seals is neither 64 hexadecimal digits nor a PEM")
        return cls.from_seed(seed)

    def sign(self, workspace_id: WorkspaceId, upto: Position, chain_hash: bytes) -> bytes:
        """The signature under a seal: 64 bytes."""
        return self._private.sign(_signed(workspace_id, upto, chain_hash))


def public_key(text: str) -> bytes:
    """Read a public key as 64 hexadecimal digits. Raises ``ValueError``."""
    key = _from_hex(text)
    if key is None:
        raise ValueError(f"{text!r} is no public key: 64 hexadecimal digits")
    return key


def sealed(
    workspace_id: WorkspaceId, before: Seal | None, rows: Sequence[StoredRow], key: SealKey
) -> Seal:
    """Seal ``rows``, the next ones after those that ``before`` covers; at least one."""
    first, upto = rows[0].position, rows[-1].position
    digests = b"".join(map(digest_of, rows))
    before_hash = before.hash if before is not None else chain_start(workspace_id)
    chain_hash = chained(before_hash, upto, digests)
    signature = key.sign(workspace_id, upto, chain_hash)
    return Seal(first, upto, digests, chain_hash, signature, key.public)


def digest_of(row: StoredRow) -> bytes:
    """16 bytes that stand for position, topic and state.

    The lengths are part of it, so that nothing can be moved from one to the other. What is of
    another type than the log's, because somebody put it there, matches no seal: it has no bytes.
    """
    stored: tuple[object, object] = (row.topic, row.state)
    if not isinstance(stored[0], str) or not isinstance(stored[1], bytes):
        return b""
    topic = row.topic.encode("utf-8", "surrogatepass")
    framed = b"%b%b%b%b" % (_number(row.position), _number(len(topic)), topic, row.state)
    return sha256(framed).digest()[:DIGEST_BYTES]


def chain_start(workspace_id: WorkspaceId) -> bytes:
    """What stands in the place of a hash before the first seal."""
    return sha256(_CHAIN + workspace_id.encode()).digest()


def chained(before: bytes, upto: Position, digests: bytes) -> bytes:
    """The hash of a seal, given that of the one before it."""
    return sha256(before + _number(upto) + digests).digest()


def is_signed(workspace_id: WorkspaceId, seal: Seal) -> bool:
    """Whether the signature is that of the key which the seal names."""
    if len(seal.key) != KEY_BYTES:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(seal.key)
        key.verify(seal.signature, _signed(workspace_id, seal.upto, seal.hash))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed(workspace_id: WorkspaceId, upto: Position, chain_hash: bytes) -> bytes:
    name = workspace_id.encode()
    return _SIGNED + _number(len(name)) + name + _number(upto) + chain_hash


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _from_hex(text: str) -> bytes | None:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        return None
    return key if len(key) == KEY_BYTES else None


def _from_pem(text: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (TypeError, ValueError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the key for seals is no Ed25519 key without a password")
    return key
