"""A token makes a session if the platform signed it for us, and its ids are ids."""

import time
from pathlib import Path
from typing import Any

import pytest

from services.auth.keys import Key, keys_at
from services.auth.permissions import permissions_of
from services.auth.sessions import Expected, NotTrusted, Session, session_of
from tests.servers.guarded import Platform
from tests.unit.auth.forging import signed_with_public_key, unsigned

OURS = Expected("fernamt")
HOUR_S = 3_600


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


@pytest.fixture
async def keys(platform: Platform) -> list[Key]:
    return list(await keys_at(str(platform.keys_file)))


def claims(**others: Any) -> dict[str, Any]:
    who = {"workspace": "shop", "kind": "operator"}
    return {
        "sub": "ana",
        "aud": "fernamt",
        "exp": int(time.time()) + HOUR_S,
        "fernamt": who,
    } | others


def test_a_good_token_says_who_it_is(platform: Platform, keys: list[Key]) -> None:
    until = int(time.time()) + HOUR_S
    token = platform.token("shop", "operator", "ana", iat=7, exp=until)
    expected = Session("shop", "operator", "ana", 7, until, audits=False)
    assert session_of(token, keys, OURS) == expected


@pytest.mark.parametrize("iat", [None, -1, "7", [], 2**60])
def test_what_was_issued_nobody_knows_when_is_as_old_as_can_be(
    platform: Platform, keys: list[Key], iat: object
) -> None:
    assert session_of(platform.token("shop", "operator", "ana", iat=iat), keys, OURS).issued_at == 0


@pytest.mark.parametrize("others", [{"iat": int(time.time()) + 30}, {"jti": "7"}, {"name": "Ana"}])
def test_what_else_a_token_says_does_not_matter(
    platform: Platform, keys: list[Key], others: dict[str, Any]
) -> None:
    assert session_of(platform.token("shop", "visitor", "v-17", **others), keys, OURS)


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ({"exp": None}, "exp"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"nbf": int(time.time()) + HOUR_S}, "not yet valid"),
        ({"aud": None}, "aud"),
        ({"aud": "other"}, "[Aa]udience"),
        ({"sub": None}, "sub"),
        ({"sub": 17}, "[Ss]ubject"),
        ({"sub": ""}, "sub is no id"),
        ({"sub": "ana.ben"}, "sub is no id"),
        ({"sub": "ana.>"}, "sub is no id"),
        ({"sub": "*"}, "sub is no id"),
        ({"sub": "ana\n"}, "sub is no id"),
        ({"sub": "a" * 65}, "sub is no id"),
        ({"fernamt": None}, "the claim fernamt"),
        ({"fernamt": "shop"}, "the claim fernamt"),
        ({"fernamt": {"workspace": "shop"}}, "kind"),
        ({"fernamt": {"workspace": "shop", "kind": "router"}}, "router"),
        ({"fernamt": {"workspace": "*", "kind": "operator"}}, "workspace is no id"),
        ({"fernamt": {"workspace": "shop.>", "kind": "operator"}}, "workspace is no id"),
        ({"fernamt": {"workspace": "shop", "kind": "operator", "audt": True}}, "audt"),
        ({"fernamt": {"workspace": "shop", "kind": "operator", "audit": "yes"}}, "audit"),
    ],
)
def test_a_signed_token_that_says_too_little_or_too_much(
    platform: Platform, keys: list[Key], others: dict[str, Any], why: str
) -> None:
    with pytest.raises(NotTrusted, match=why):
        session_of(platform.token("shop", "operator", "ana", **others), keys, OURS)


@pytest.mark.parametrize("reserved", ["presence", "rules"])
def test_nobody_is_a_service_of_ours(platform: Platform, keys: list[Key], reserved: str) -> None:
    with pytest.raises(NotTrusted, match="Fernamt's own"):
        session_of(platform.token("shop", "service", reserved), keys, OURS)
    assert session_of(platform.token("shop", "operator", reserved), keys, OURS)


def test_a_token_that_nobody_signed(platform: Platform, keys: list[Key], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    good = platform.token("shop", "operator", "ana")
    head, body, signature = good.split(".")
    other_body = platform.token("shop", "operator", "ben").split(".")[1]
    for token in (
        *("", ".", "..", "no token", "é" * 20, "a" * 10_000),
        *(f"{head}.{body}.", f"{head}.{other_body}.{signature}", f"{head}.{body}"),
        unsigned(claims()),
        signed_with_public_key(platform.public, claims()),
        signed_with_public_key(platform.public.strip(), claims()),
        Platform(tmp_path / "other").token("shop", "operator", "ana"),
    ):
        with pytest.raises(NotTrusted):
            session_of(token, keys, OURS)


def test_an_issuer_is_asked_for_where_one_is_set(platform: Platform, keys: list[Key]) -> None:
    from_chat = Expected("fernamt", "https://chat.example")
    for issuer in (None, "https://other.example"):
        with pytest.raises(NotTrusted, match=r"[Ii]ssuer|iss"):
            session_of(platform.token("shop", "operator", "ana", iss=issuer), keys, from_chat)
    token = platform.token("shop", "operator", "ana", iss="https://chat.example")
    assert session_of(token, keys, from_chat)


@pytest.mark.parametrize(
    ("kind", "says", "audits"),
    [
        ("visitor", True, False),
        ("operator", False, False),
        ("operator", True, True),
        ("admin", False, True),
        ("service", False, True),
    ],
)
def test_who_may_ask_about_the_past(
    platform: Platform, keys: list[Key], kind: str, says: bool, audits: bool
) -> None:
    claim = {"workspace": "shop", "kind": kind, "audit": says}
    session = session_of(platform.token("shop", kind, "ana", fernamt=claim), keys, OURS)
    assert session.audits is audits
    assert any(".audit." in subject for subject in permissions_of(session).publish) is audits


@pytest.mark.parametrize("its_id", ["*", ">", "a.b", "", "a b", "ana\n"])
def test_no_permission_is_ever_built_from_what_is_no_id(its_id: str) -> None:
    """Even where the check of the token were gone."""
    for session in (
        Session("shop", "operator", its_id, 0, 0, audits=False),
        Session(its_id, "operator", "ana", 0, 0, audits=False),
    ):
        with pytest.raises(ValueError, match="checked tokens only"):
            permissions_of(session)
