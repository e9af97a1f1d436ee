"""Who may look: hosts, forms from elsewhere, sessions, and settings that would let all in."""

import time

import pytest
from starlette.datastructures import Headers

from services.console import guarding
from services.console.guarding import Sessions, comes_from_here, cookies
from services.console.settings import Settings, checked, is_loopback, settings_from

TOKEN = "correct-horse-battery-staple-0042"


def test_au08_where_others_can_reach_it_a_token_is_needed() -> None:
    with pytest.raises(ValueError, match="FERNAMT_CONSOLE_TOKEN"):
        checked(Settings(host="0.0.0.0"))  # noqa: S104 - refused is what it is
    with pytest.raises(ValueError, match="at least 32"):
        checked(Settings(host="192.0.2.1", token="short"))
    with pytest.raises(ValueError, match="at least 32"):
        settings_from({"FERNAMT_CONSOLE_TOKEN": "short"})
    assert checked(Settings(host="192.0.2.1", token=TOKEN)).token == TOKEN


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("0.0.0.0", False),  # noqa: S104 - told apart is what it is
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_au08_loopback_is_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_au08_settings_come_from_the_environment() -> None:
    settings = settings_from(
        {
            "FERNAMT_CONSOLE_PORT": "0",
            "FERNAMT_CONSOLE_HOSTS": "Ops.example, other.example",
            "FERNAMT_CONSOLE_WORKSPACES": "shop,spare",
        }
    )
    assert settings.hosts == ("ops.example", "other.example")
    assert settings.workspaces == ("shop", "spare")
    assert settings.port == 0
    for bad in ({"FERNAMT_CONSOLE_PORT": "70000"}, {"FERNAMT_CONSOLE_WORKSPACES": "a b"}):
        with pytest.raises(ValueError, match="FERNAMT_CONSOLE"):
            settings_from(bad)


def test_au08_a_session_ends_and_cannot_be_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(TOKEN)
    cookie = sessions.begin()
    assert sessions.holds(cookie)
    assert not Sessions(TOKEN[::-1]).holds(cookie), "the token was changed"
    until, _, signature = cookie.partition(".")
    for forged in ("", ".", until, f"{int(until) + 1}.{signature}", f"{until}.{signature[:-1]}é"):
        assert not sessions.holds(forged)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + guarding.SESSION_S + 1)
    assert not sessions.holds(cookie)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:1", "host": "x"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://127.0.0.1:8470", "host": "127.0.0.1:8470"}, True),
        ({"origin": "http://evil.example", "host": "127.0.0.1:8470"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"host": "127.0.0.1:8470"}, False),
    ],
)
def test_au08_forms_from_other_pages_are_told_apart(headers: dict[str, str], ours: bool) -> None:
    assert comes_from_here(Headers(headers)) is ours


def test_au08_cookies_that_cannot_be_read_are_none() -> None:
    assert cookies(Headers({"cookie": "a=1; b=2"})) == {"a": "1", "b": "2"}
    assert cookies(Headers({})) == {}
