"""Keys of NATS's users and accounts, as NATS's own library (nkeys 0.2.1) writes them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.adapters.nkey import Kind, Nkey

PRIVATE = bytes(range(32))
BODY = "AAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H"
"""What ``PRIVATE`` is in the letters of a seed, with neither its beginning nor its checksum."""
WRITTEN: dict[Kind, tuple[str, str]] = {
    "user": (f"SU{BODY}776Y", "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"),
    "account": (f"SA{BODY}YMHI", "AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV"),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_keys_are_written_as_nats_does(kind: Kind) -> None:
    key = Nkey(kind, PRIVATE)
    assert (key.seed, key.public) == WRITTEN[kind]


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_key_is_the_same_after_reading(kind: Kind) -> None:
    key = Nkey.new(kind)
    read = Nkey.from_seed(f" {key.seed}\n".encode())
    assert (read.kind, read.public, read.seed) == (kind, key.public, key.seed)
    assert read.sign(b"nonce") == key.sign(b"nonce")


def test_a_signature_is_one_of_ed25519() -> None:
    public = Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key()
    public.verify(Nkey("user", PRIVATE).sign(b"nonce"), b"nonce")


def test_no_two_new_keys_are_the_same() -> None:
    assert Nkey.new("user").seed != Nkey.new("user").seed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no nkey"),
        (b"hello", "no nkey"),
        (b"\xff\xfe", "no nkey"),
        (WRITTEN["user"][0].encode()[:-1], "no nkey"),
        (WRITTEN["user"][0].replace("A", "B", 1).encode(), "no nkey"),
        (WRITTEN["user"][1].encode(), "the seed of an nkey is expected"),
    ],
)
def test_what_is_no_seed_is_refused_without_quoting_it(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        Nkey.from_seed(text)
    assert not text or text.decode("latin-1") not in str(refused.value)
