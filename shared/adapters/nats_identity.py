"""Who a process is to the broker, and how it knows the broker, by its environment."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

from shared.adapters.nats_connection import NatsSettings

USER = "FERNAMT_NATS_USER"
PASSWORD = "FERNAMT_NATS_PASSWORD"  # noqa: S105 - the name of it
TOKEN = "FERNAMT_NATS_TOKEN"  # noqa: S105 - the same
NKEY_FILE = "FERNAMT_NATS_NKEY_FILE"
CREDS_FILE = "FERNAMT_NATS_CREDS_FILE"
CA_FILE = "FERNAMT_NATS_CA_FILE"
INBOX = "FERNAMT_NATS_INBOX"

DEFAULT_INBOX = "_INBOX"
_INBOX = re.compile(r"_INBOX(\.[A-Za-z0-9_-]+)*")


def broker_settings(
    url: str, name: str, environment: Mapping[str, str] = os.environ
) -> NatsSettings:
    """How to connect to a broker. Raises ``ValueError`` that names the variable, no secret."""
    ways = [way for way in (USER, TOKEN, NKEY_FILE, CREDS_FILE) if environment.get(way)]
    if len(ways) > 1:
        raise ValueError(f"{' and '.join(ways)} are set: one way to say who this is, not several")
    inbox = environment.get(INBOX, "") or DEFAULT_INBOX
    if not _INBOX.fullmatch(inbox):
        raise ValueError(f"{INBOX}: _INBOX, or what follows it after a dot: {inbox[:80]}")
    return NatsSettings(
        url=url,
        name=name,
        inbox_prefix=inbox,
        user=environment.get(USER, ""),
        password=environment.get(PASSWORD, ""),
        token=environment.get(TOKEN, ""),
        nkey_file=_readable(environment, NKEY_FILE),
        credentials_file=_readable(environment, CREDS_FILE),
        tls=_trusting(_readable(environment, CA_FILE)),
    )


def _readable(environment: Mapping[str, str], variable: str) -> str:
    """The file it names, empty for none. It is read here once, so that the fault has a name."""
    file = environment.get(variable, "")
    if file:
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise ValueError(f"{variable}: {file}: {error.strerror}") from error
    return file


def _trusting(file: str) -> ssl.SSLContext | None:
    """Trust whom this file names and nobody else; none leaves it to the address and the system."""
    if not file:
        return None
    try:
        return ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        raise ValueError(f"{CA_FILE}: {file} holds no certificate: {error.reason}") from error
