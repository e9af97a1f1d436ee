"""What the environment says about e-mail and webhooks; it is read once, when the service starts."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

SMTP_URL = "FERNAMT_SMTP_URL"
MAIL_FROM = "FERNAMT_MAIL_FROM"
WEBHOOKS_PRIVATE = "FERNAMT_WEBHOOKS_PRIVATE"
ATTEMPTS_MAX = "FERNAMT_SEND_ATTEMPTS_MAX"
RETRY_MS = "FERNAMT_SEND_RETRY_MS"

Security = Literal["tls", "starttls", "none"]

_PORTS: Mapping[str, int] = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class MailSettings:
    """A server that takes mails, and who sends them."""

    host: str
    port: int
    security: Security
    sender: Address
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Pace:
    """How often something is tried, and when again: 16 s, 64 s, 4 min ... 18 h; a day in all."""

    attempts_max: int = 8
    first_retry_ms: int = 16_000


@dataclass(frozen=True)
class ChannelSettings:
    """``mail`` is null where no server is named: then no mails are made."""

    mail: MailSettings | None = None
    private_webhooks: bool = False
    """Whether webhooks may lead into private networks and to this machine."""
    pace: Pace = Pace()


def channel_settings(environment: Mapping[str, str]) -> ChannelSettings:
    """Read the settings. Raises ``ValueError`` that names the variable, never a password."""
    return ChannelSettings(
        _mail(environment.get(SMTP_URL, ""), environment.get(MAIL_FROM, "")),
        _private(environment.get(WEBHOOKS_PRIVATE, "")),
        Pace(
            _number(environment, ATTEMPTS_MAX, Pace.attempts_max, 100),
            _number(environment, RETRY_MS, Pace.first_retry_ms, 3_600_000),
        ),
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by what it is called, without looking it up."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _mail(url: str, sender: str) -> MailSettings | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{SMTP_URL} cannot be taken apart") from None
    if parts.scheme not in _PORTS or not host or parts.path.strip("/"):
        raise ValueError(f"{SMTP_URL}: smtp://HOST:587 or smtps://HOST:465 is expected")
    return MailSettings(
        host,
        port or _PORTS[parts.scheme],
        _security(parts.scheme, host, parts.query),
        _sender(sender),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


def _security(scheme: str, host: str, query: str) -> Security:
    options = parse_qs(query, keep_blank_values=True)
    wished = options.pop("starttls", [""])[-1]
    if options or wished not in ("", "on", "off"):
        raise ValueError(f"{SMTP_URL}: the only option is starttls=on or starttls=off")
    if scheme == "smtps":
        return "tls"
    if wished == "off" or (wished == "" and is_loopback(host)):
        return "none"
    return "starttls"


def _sender(text: str) -> Address:
    if not text:
        raise ValueError(f"{MAIL_FROM} is needed beside {SMTP_URL}: who sends the mails")
    name, bracket, rest = text.rpartition("<")
    try:
        address = Address(name.strip().strip('"'), addr_spec=rest.rstrip("> ") if bracket else text)
    except (ValueError, IndexError):
        address = Address()
    if not address.username or not address.domain or not address.domain.isascii():
        raise ValueError(f"{MAIL_FROM}: an address is expected, as Fernamt <chat@example.org>")
    return address


def _private(text: str) -> bool:
    if text not in ("", "allow", "deny"):
        raise ValueError(f"{WEBHOOKS_PRIVATE}: allow or deny is expected")
    return text == "allow"


def _number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ValueError(f"{name}: a whole number from 1 to {most} is expected")
    return int(text)
