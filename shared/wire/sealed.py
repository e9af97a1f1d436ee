"""The form in which the vault keeps a personal text: with a salt, so that its hash proves nothing.

The reference in the log holds the hash of this form. Without the salt, whoever reads the log could
test guesses at a text that was erased.
"""

import msgspec


class Sealed(msgspec.Struct, frozen=True):
    """What the vault keeps of one text."""

    salt: str
    text: object


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Sealed).decode


def sealed(salt: str, text: object) -> bytes:
    return _encode(Sealed(salt, text))


def unseal(body: bytes) -> object:
    """The text that a row of the vault holds."""
    return _decode(body).text
