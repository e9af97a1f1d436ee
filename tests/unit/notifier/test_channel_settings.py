"""What the environment says about mails and webhooks, and what is wrong with it."""

import pytest

from services.notifier.channel_settings import ChannelSettings, Pace, channel_settings, is_loopback

SENDER = {"FERNAMT_MAIL_FROM": "Fernamt <chat@example.org>"}


def test_nothing_said_means_no_mails_and_no_private_addresses() -> None:
    assert channel_settings({}) == ChannelSettings(
        None, private_webhooks=False, pace=Pace(8, 16_000)
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 587, "starttls")),
        ("smtp://mail.example.org:25", ("mail.example.org", 25, "starttls")),
        ("smtp://mail.example.org?starttls=off", ("mail.example.org", 587, "none")),
        ("smtps://mail.example.org", ("mail.example.org", 465, "tls")),
        ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, "none")),
        ("smtp://localhost:1025?starttls=on", ("localhost", 1025, "starttls")),
        ("smtp://[::1]:1025", ("::1", 1025, "none")),
    ],
)
def test_the_way_to_a_server_is_encrypted_unless_it_is_this_machine(
    url: str, expected: tuple[str, int, str]
) -> None:
    mail = channel_settings({"FERNAMT_SMTP_URL": url, **SENDER}).mail
    assert mail is not None
    assert (mail.host, mail.port, mail.security) == expected
    assert (mail.username, mail.password) == (None, None)


def test_name_and_password_may_hold_anything_and_are_not_shown() -> None:
    login = "chat%40example.org:p%3Aa%2Fss%20word"
    url = f"smtp://{login}@mail.example.org"
    mail = channel_settings({"FERNAMT_SMTP_URL": url, **SENDER}).mail
    assert mail is not None
    assert (mail.username, mail.password) == ("chat@example.org", "p:a/ss word")
    assert "ss word" not in repr(mail)


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("chat@example.org", "", "chat@example.org"),
        ("Fernamt <chat@example.org>", "Fernamt", "chat@example.org"),
        ('"Fernamt, Chat" <chat@example.org>', "Fernamt, Chat", "chat@example.org"),
    ],
)
def test_the_sender_has_an_address_and_perhaps_a_name(sender: str, name: str, address: str) -> None:
    said = {"FERNAMT_SMTP_URL": "smtp://mail.example.org", "FERNAMT_MAIL_FROM": sender}
    mail = channel_settings(said).mail
    assert mail is not None
    assert (mail.sender.display_name, mail.sender.addr_spec) == (name, address)


@pytest.mark.parametrize(
    ("said", "variable"),
    [
        ({"FERNAMT_SMTP_URL": "http://mail.example.org", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "mail.example.org:25", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "smtp://", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "smtp://u:sesame@h:port", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "smtp://u:sesame@[::1", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "smtp://u:sesame@h/path", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "smtp://h?starttls=maybe", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "smtp://h?tls=off", **SENDER}, "FERNAMT_SMTP_URL"),
        ({"FERNAMT_SMTP_URL": "smtp://h"}, "FERNAMT_MAIL_FROM"),
        ({"FERNAMT_SMTP_URL": "smtp://h", "FERNAMT_MAIL_FROM": "nobody"}, "FERNAMT_MAIL_FROM"),
        ({"FERNAMT_SMTP_URL": "smtp://h", "FERNAMT_MAIL_FROM": "a@b, c@d"}, "FERNAMT_MAIL_FROM"),
        ({"FERNAMT_SMTP_URL": "smtp://h", "FERNAMT_MAIL_FROM": "a@b\r\nX: y"}, "FERNAMT_MAIL_FROM"),
        ({"FERNAMT_WEBHOOKS_PRIVATE": "yes"}, "FERNAMT_WEBHOOKS_PRIVATE"),
        ({"FERNAMT_SEND_ATTEMPTS_MAX": "0"}, "FERNAMT_SEND_ATTEMPTS_MAX"),
        ({"FERNAMT_SEND_RETRY_MS": "1.5"}, "FERNAMT_SEND_RETRY_MS"),
    ],
)
def test_what_is_wrong_is_named_without_the_password(said: dict[str, str], variable: str) -> None:
    with pytest.raises(ValueError, match=variable) as error:
        channel_settings(said)
    assert "sesame" not in str(error.value)


def test_how_often_and_when_may_be_said() -> None:
    said = {"FERNAMT_SEND_ATTEMPTS_MAX": "3", "FERNAMT_SEND_RETRY_MS": "500"}
    settings = channel_settings({**said, "FERNAMT_WEBHOOKS_PRIVATE": "allow"})
    assert settings == ChannelSettings(None, private_webhooks=True, pace=Pace(3, 500))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
