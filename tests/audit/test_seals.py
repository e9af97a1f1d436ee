"""Seals over a sound log hold, whoever signs, and say nothing about another."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from shared.audit.seals import SealKey, digest_of, is_signed, public_key, sealed
from shared.ports import StoredRow
from shared.routing.ids import Position, WorkspaceId
from tests.audit.sealed_log import ACME, KEY, OTHER_KEY, seals_over, story_rows

ROW = StoredRow(Position(7), "a.v1", b"{}")


def test_a_digest_stands_for_one_row_alone() -> None:
    others = [
        ROW._replace(position=Position(8)),
        ROW._replace(topic="a.v2"),
        ROW._replace(state=b"[]"),
        StoredRow(Position(7), "a.v1{", b"}"),
        StoredRow(Position(7), "", b"a.v1{}"),
    ]
    assert len({digest_of(row) for row in (ROW, *others)}) == 1 + len(others)
    assert len(digest_of(ROW)) == 16
    assert digest_of(StoredRow(*ROW)) == digest_of(ROW)


@pytest.mark.parametrize("stored", [("a.v1", "{}"), (None, b"{}"), ("a.v1", None)])
def test_what_is_of_another_type_matches_no_digest(stored: tuple[Any, Any]) -> None:
    assert digest_of(StoredRow(Position(7), *stored)) == b""


def test_a_seal_is_signed_for_one_workspace_and_place() -> None:
    (seal,) = seals_over(story_rows()[:10])
    assert is_signed(ACME, seal)
    assert not is_signed(WorkspaceId("other"), seal)
    assert not is_signed(ACME, seal._replace(upto=Position(9)))
    assert not is_signed(ACME, seal._replace(hash=bytes(32)))
    assert not is_signed(ACME, seal._replace(key=OTHER_KEY.public))
    assert not is_signed(ACME, seal._replace(key=b"short"))
    assert not is_signed(ACME, seal._replace(signature=b""))


def test_the_same_rows_give_the_same_seal() -> None:
    rows = story_rows()
    assert seals_over(rows) == seals_over(story_rows())
    first, second = seals_over(rows[:100])
    assert second == sealed(ACME, first, rows[50:100], KEY)
    assert second.hash != sealed(ACME, None, rows[50:100], KEY).hash


def test_a_key_is_read_as_hexadecimal_or_pem() -> None:
    private = Ed25519PrivateKey.generate()
    seed = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = SealKey.from_seed(seed).public
    assert SealKey.from_text(seed.hex() + "\n").public == public
    assert SealKey.from_text(pem.decode()).public == public
    assert public_key(public.hex()) == public


def test_what_is_no_key_is_refused_without_quoting_it() -> None:
    other = X25519PrivateKey.generate()
    wrong = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    private = Ed25519PrivateKey.generate()
    locked = private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    ).decode()
    for text in ("", "ab", "zz" * 32, wrong, locked, "-----BEGIN nothing"):
        with pytest.raises(ValueError, match="the key for seals is") as refusal:
            SealKey.from_text(text)
        assert not text or text not in str(refusal.value)
    with pytest.raises(ValueError, match="is no public key"):
        public_key("ab")
