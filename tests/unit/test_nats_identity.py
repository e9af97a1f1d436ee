"""Who a process is to the broker: one way to say so, faults that name their variable."""

from pathlib import Path

import pytest

from shared.adapters.nats_identity import broker_settings
from tests.servers.certificate import self_signed

URL = "nats://127.0.0.1:4222"


def test_without_a_word_a_process_is_nobody() -> None:
    settings = broker_settings(URL, "router", {})
    assert (settings.user, settings.token, settings.nkey_file, settings.tls) == ("", "", "", None)
    assert settings.inbox_prefix == "_INBOX"


def test_what_the_environment_says_is_taken(tmp_path: Path) -> None:
    key = tmp_path / "router.nk"
    key.write_text("seed")
    settings = broker_settings(
        URL,
        "router",
        {
            "FERNAMT_NATS_NKEY_FILE": str(key),
            "FERNAMT_NATS_INBOX": "_INBOX.router",
            "FERNAMT_NATS_CA_FILE": str(self_signed(tmp_path).certificate),
        },
    )
    assert (settings.nkey_file, settings.inbox_prefix) == (str(key), "_INBOX.router")
    assert settings.tls is not None
    assert settings.tls.check_hostname
    named = {"FERNAMT_NATS_USER": "a", "FERNAMT_NATS_PASSWORD": "b"}
    settings = broker_settings(URL, "router", named)
    assert (settings.user, settings.password) == ("a", "b")
    assert broker_settings(URL, "router", {"FERNAMT_NATS_TOKEN": "t"}).token == "t"


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"FERNAMT_NATS_NKEY_FILE": "/no/such"}, "FERNAMT_NATS_NKEY_FILE: /no/such: No such file"),
        ({"FERNAMT_NATS_CREDS_FILE": "/no/such"}, "FERNAMT_NATS_CREDS_FILE"),
        ({"FERNAMT_NATS_CA_FILE": "/no/such"}, "FERNAMT_NATS_CA_FILE"),
        ({"FERNAMT_NATS_CA_FILE": __file__}, "holds no certificate"),
        ({"FERNAMT_NATS_INBOX": "fernamt.v1"}, "FERNAMT_NATS_INBOX"),
        ({"FERNAMT_NATS_INBOX": "_INBOX.>"}, "FERNAMT_NATS_INBOX"),
        (
            {"FERNAMT_NATS_USER": "a", "FERNAMT_NATS_TOKEN": "secret"},
            "FERNAMT_NATS_USER and FERNAMT_NATS_TOKEN are set",
        ),
    ],
)
def test_what_cannot_be_used_is_named(environment: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        broker_settings(URL, "router", environment)
    assert "secret" not in str(caught.value)
