"""A certificate that signs itself, made here: for 127.0.0.1 and localhost, for a day.

It is written out byte by byte as X.690 wants it, since neither Python nor anything that the tests
need can make one, and a tool that may not be installed should not decide whether they run.
"""

import base64
import hashlib
import math
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

BITS = 2_048
_E = 65_537
_ROUNDS = 24
_SMALL = [n for n in range(3, 2_000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))]

_RSA = (1, 2, 840, 113_549, 1, 1, 1)
_SHA256_WITH_RSA = (1, 2, 840, 113_549, 1, 1, 11)
_COMMON_NAME = (2, 5, 4, 3)
_SUBJECT_KEY_ID = (2, 5, 29, 14)
_KEY_USAGE = (2, 5, 29, 15)
_SUBJECT_ALT_NAME = (2, 5, 29, 17)
_BASIC_CONSTRAINTS = (2, 5, 29, 19)
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class Certificate(NamedTuple):
    """Two files in PEM: what clients are to trust, and what the server keeps to itself."""

    certificate: Path
    key: Path


def self_signed(directory: Path) -> Certificate:
    """Write a new certificate and its key into the directory."""
    key = _Key.make()
    made = Certificate(directory / "certificate.pem", directory / "key.pem")
    made.certificate.write_text(_pem("CERTIFICATE", _signed(key)))
    made.key.write_text(_pem("RSA " + "PRIVATE KEY", key.encoded()))
    return made


class _Key(NamedTuple):
    p: int
    q: int

    @classmethod
    @cache
    def make(cls) -> "_Key":
        """One for the whole run: finding primes takes a second."""
        p, q = sorted((_prime(BITS // 2), _prime(BITS // 2)), reverse=True)
        return cls(p, q)

    @property
    def n(self) -> int:
        return self.p * self.q

    @property
    def d(self) -> int:
        return pow(_E, -1, (self.p - 1) * (self.q - 1))

    def encoded(self) -> bytes:
        p, q, d = self.p, self.q, self.d
        numbers = (0, self.n, _E, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
        return _sequence(*map(_integer, numbers))

    def public(self) -> bytes:
        return _sequence(_integer(self.n), _integer(_E))

    def sign(self, message: bytes) -> bytes:
        digest = _SHA256_PREFIX + hashlib.sha256(message).digest()
        size = BITS // 8
        padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
        return pow(int.from_bytes(padded), self.d, self.n).to_bytes(size)


def _prime(bits: int) -> int:
    while True:
        candidate = secrets.randbits(bits) | (3 << bits - 2) | 1
        if (
            all(candidate % small for small in _SMALL)
            and candidate % _E != 1
            and all(_passes(candidate) for _ in range(_ROUNDS))
        ):
            return candidate


def _passes(n: int) -> bool:
    """One round of Miller and Rabin."""
    d, r = n - 1, 0
    while d % 2 == 0:
        d, r = d // 2, r + 1
    x = pow(secrets.randbelow(n - 3) + 2, d, n)
    if x in (1, n - 1):
        return True
    for _ in range(r - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False


def _signed(key: _Key) -> bytes:
    now = datetime.now(UTC)
    name = _sequence(_tag(0x31, _sequence(_oid(_COMMON_NAME), _tag(0x0C, b"localhost"))))
    algorithm = _sequence(_oid(_SHA256_WITH_RSA), _tag(0x05, b""))
    to_sign = _sequence(
        _tag(0xA0, _integer(2)),
        _integer(secrets.randbits(64)),
        algorithm,
        name,
        _sequence(_moment(now - timedelta(days=1)), _moment(now + timedelta(days=1))),
        name,
        _sequence(_sequence(_oid(_RSA), _tag(0x05, b"")), _bits(key.public())),
        _tag(0xA3, _sequence(*_extensions(key))),
    )
    return _sequence(to_sign, algorithm, _bits(key.sign(to_sign)))


def _extensions(key: _Key) -> list[bytes]:
    names = _sequence(_tag(0x82, b"localhost"), _tag(0x87, bytes((127, 0, 0, 1))))
    may_sign_certificates = _tag(0x03, bytes((2, 0b1000_0100)))
    fingerprint = hashlib.sha1(key.public(), usedforsecurity=False).digest()
    yes = _tag(0x01, b"\xff")
    return [
        _sequence(_oid(_BASIC_CONSTRAINTS), yes, _tag(0x04, _sequence(yes))),
        _sequence(_oid(_KEY_USAGE), yes, _tag(0x04, may_sign_certificates)),
        _sequence(_oid(_SUBJECT_KEY_ID), _tag(0x04, _tag(0x04, fingerprint))),
        _sequence(_oid(_SUBJECT_ALT_NAME), _tag(0x04, names)),
    ]


# --- the encoding ---------------------------------------------------------------------------


def _tag(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tag(0x30, b"".join(parts))


def _integer(number: int) -> bytes:
    return _tag(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def _bits(content: bytes) -> bytes:
    return _tag(0x03, b"\0" + content)


def _moment(at: datetime) -> bytes:
    return _tag(0x17, at.strftime("%y%m%d%H%M%SZ").encode())


def _oid(parts: tuple[int, ...]) -> bytes:
    first, second, *rest = parts
    content = bytes((first * 40 + second,))
    for part in rest:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(part & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return _tag(0x06, content)


def _pem(label: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
