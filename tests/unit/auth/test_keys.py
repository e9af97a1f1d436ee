"""Where keys are read from, which are taken, and which are none."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from services.auth.keys import KeysUnusable, fitting, keys_at
from services.auth.sessions import Expected, NotTrusted, session_of
from tests.unit.auth.forging import jwks_of

ED25519 = Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65_537, 2_048)
CLAIMS = {
    "sub": "ana",
    "aud": "fernamt",
    "exp": 4_000_000_000,
    "fernamt": {"workspace": "shop", "kind": "operator"},
}


def pem(key: Any) -> bytes:
    public: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public


def keep(file: Path, content: bytes) -> str:
    """Write the file; its name."""
    file.write_bytes(content)
    return str(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


async def test_a_file_may_hold_several_keys_each_with_its_algorithm(file: Path) -> None:
    keys = await keys_at(keep(file, b"# of the platform\n" + pem(ED25519) + pem(P256) + pem(RSA)))
    assert [key.algorithm for key in keys] == ["EdDSA", "ES256", "RS256"]
    private: Any
    for key, private in zip(keys, (ED25519, P256, RSA), strict=True):
        token = jwt.encode(CLAIMS, private, algorithm=key.algorithm)
        assert session_of(token, keys, Expected("fernamt")).actor_id == "ana"


async def test_a_key_is_for_its_own_algorithm_alone(file: Path) -> None:
    keys = await keys_at(keep(file, pem(RSA)))
    for algorithm in ("RS512", "PS256"):
        with pytest.raises(NotTrusted):
            session_of(jwt.encode(CLAIMS, RSA, algorithm=algorithm), keys, Expected("fernamt"))


async def test_of_a_key_set_only_what_is_for_signatures_is_taken(file: Path) -> None:
    described = json.loads(jwks_of(pem(ED25519), "k1"))["keys"]
    secret = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}
    for other in (secret, described[0] | {"use": "enc", "kid": "k2"}, {"kty": "new", "kid": "k3"}):
        described.append(other)
    keys = await keys_at(keep(file, json.dumps({"keys": described}).encode()))
    assert [key.key_id for key in keys] == ["k1"]


async def test_a_key_is_found_by_its_name(file: Path) -> None:
    named = [
        json.loads(jwks_of(pem(Ed25519PrivateKey.generate()), name))["keys"][0] for name in "ab"
    ]
    keys = await keys_at(keep(file, json.dumps({"keys": named}).encode()))
    assert [key.key_id for key in fitting(keys, "b")] == ["b"]
    assert [key.key_id for key in fitting(keys, "")] == ["a", "b"]
    assert fitting(keys, "c") == []


def _private() -> bytes:
    return ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing",
        b"{",
        b'{"keys": []}',
        b'{"keys": 7}',
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}',
        b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}',
        _private(),
        pem(Ed448PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65_537, 1_024)),  # noqa: S505 - that is the point
    ],
)
async def test_what_holds_no_usable_key_is_refused_as_a_whole(file: Path, content: bytes) -> None:
    with pytest.raises(KeysUnusable, match="keys of session tokens"):
        await keys_at(keep(file, content))


@pytest.mark.parametrize("place", ["http://keys.example/jwks.json", "/there/is/no/such/file"])
async def test_keys_are_not_taken_from_just_anywhere(place: str) -> None:
    with pytest.raises(KeysUnusable, match=r"https is expected|No such file"):
        await keys_at(place)
