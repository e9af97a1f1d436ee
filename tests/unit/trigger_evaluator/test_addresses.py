"""The normal form of addresses: what is the same, what stays apart, and that nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trigger_evaluator.addresses import address_of, address_wanted, host_of, text_of


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("HTTPS://Example.ORG", "https://example.org/"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:80/a", "https://example.org:80/a"),
        ("https://ana:secret@example.org/", "https://example.org/"),
        ("https://example.org/%7euser/%e9", "https://example.org/~user/%E9"),
        ("https://example.org/caf%C3%A9", "https://example.org/café"),
        ("https://example.org/cafe\u0301", "https://example.org/café"),
        ("https://example.org/a%2fb", "https://example.org/a%2Fb"),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://example.org/a/./b/../c", "https://example.org/a/c"),
        ("https://example.org/../../x", "https://example.org/x"),
        ("https://example.org/a/..", "https://example.org/"),
        ("https://example.org/%2e%2e/x", "https://example.org/x"),
        ("https://example.org/?", "https://example.org/"),
        ("https://example.org/?a=%41", "https://example.org/?a=A"),
        ("https://example.org/x#top", "https://example.org/x"),
        ("https://example.org/#/cart", "https://example.org/#/cart"),
        ("https://example.org/#!cart", "https://example.org/#!cart"),
        ("http://xn--mnchen-3ya.de/", "http://münchen.de/"),
        ("http://MÜNCHEN.de/", "http://münchen.de/"),
        ("https://example.org./", "https://example.org/"),
        ("https://[::1]:8080/x", "https://[::1]:8080/x"),
        ("  https://example.org/\n", "https://example.org/"),
        ("https:\\\\example.org\\a", "https://example.org/a"),
        ("mailto:ana@example.org", "mailto:ana@example.org"),
        ("/only/a/path", "/only/a/path"),
        ("https://", "https://"),
        ("", ""),
    ],
)
def test_tr03_an_address_in_normal_form(url: str, text: str) -> None:
    assert address_of(url).text == text


def test_tr02_host_path_and_parameters_of_an_address() -> None:
    address = address_of("https://Shop.Example.org:8443/a/%C3%A9?q=a+b%26c&q=2&empty=&=x&flag")
    assert address.host == "shop.example.org"
    assert address.path == "/a/é"
    assert address.parameters() == {"q": "a b&c", "empty": "", "flag": ""}


@pytest.mark.parametrize(
    ("written", "beginning"),
    [
        ("https://example.org", "https://example.org/"),
        ("https://example.org/fr", "https://example.org/fr"),
        ("https://fr.", "https://fr."),
        ("http://local", "http://local"),
        ("example.org/fr/", "example.org/fr/"),
        ("Example.org", "example.org/"),
        ("https://example.org/?", "https://example.org/?"),
        ("http", "http"),
        ("/fr/", "/fr/"),
    ],
)
def test_tr03_how_an_address_is_taken_that_a_rule_begins_with(written: str, beginning: str) -> None:
    assert address_wanted(written, "beginning") == beginning


@given(st.text())
def test_tr03_any_text_has_a_normal_form_and_it_is_its_own(text: str) -> None:
    once = address_of(text)
    assert address_of(once.text).text == once.text
    assert text_of(text_of(text)) == text_of(text)
    host_of(text)
    once.parameters()
    for extent in ("whole", "beginning", "pattern"):
        address_wanted(text, extent)


@given(st.text(alphabet="htps:/?#@[].%\\ab0Ff \n\ud800é\u3002xn-", max_size=40))
def test_tr03_nor_does_anything_that_looks_like_an_address_raise(text: str) -> None:
    once = address_of(text)
    assert address_of(once.text).text == once.text
    once.parameters()
