"""What is looked at before strangers may reach an engine, and what is to be done about each thing.

The judgements are here; what they judge is looked up by ``shared.adapters``.
"""

import ipaddress
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from services.archivist.sealing import KEY_FILE as SEAL_KEY_FILE
from services.auth.settings import ISSUER_FILE
from shared.adapters.nats_greeting import Greeting
from shared.adapters.nats_identity import CREDS_FILE, NKEY_FILE, PASSWORD, TOKEN, USER
from shared.adapters.postgres_state import PostgresState

MONITORING_PORT = 8222
PASSWORD_LENGTH_MIN = 16


class Finding(NamedTuple):
    """Something that is not as it should be. ``grave``: strangers, or a power cut, could harm."""

    grave: bool
    what: str
    remedy: str


def is_near(host: str) -> bool:
    """Whether a host is this machine, so that nobody is in between."""
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("/")[0]).is_loopback
    except ValueError:
        return False


def of_postgres(state: PostgresState) -> Iterator[Finding]:
    """The server that has the log, and the role that services have there."""
    for setting in state.off:
        yield Finding(
            grave=True,
            what=f"PostgreSQL has {setting} off: what was answered may be lost with the power",
            remedy=f"set {setting} = on",
        )
    if state.superuser:
        yield Finding(
            grave=True,
            what=f"the services' role {state.role} is a superuser, who may change the log",
            remedy="connect as a role of their own: fernamt migrate --service-role",
        )
    elif state.changes_log:
        yield Finding(
            grave=True,
            what=f"the role {state.role} may {', '.join(state.changes_log)} on the log",
            remedy=f"fernamt migrate --service-role {state.role}, connected as the tables' owner",
        )
    if not state.guarded:
        yield Finding(
            grave=True,
            what="the trigger is off that keeps the log from being changed",
            remedy="alter table stored_events enable trigger only_added_to",
        )
    if state.asks_no_proof:
        yield Finding(
            grave=True,
            what=f"PostgreSQL lets {state.role} in whatever the password is",
            remedy="scram-sha-256 in place of trust in pg_hba.conf",
        )
    if not (state.encrypted or is_near(state.address)):
        yield Finding(
            grave=True,
            what="the connection to PostgreSQL is not encrypted",
            remedy="sslmode=verify-full in the store's address",
        )


def of_broker(host: str, port: int, greeting: Greeting) -> Iterator[Finding]:
    """What the broker asks of those who connect."""
    if not greeting.auth_required:
        yield Finding(
            grave=True,
            what=f"the broker {host}:{port} asks nobody who he is",
            remedy="deploy/nats has a configuration that does",
        )
    if not (greeting.tls_required or is_near(host)):
        yield Finding(
            grave=True,
            what=f"the broker {host}:{port} speaks without TLS: tokens can be read on the way",
            remedy="tls { cert_file, key_file } in its configuration",
        )


def of_monitoring(host: str) -> Finding:
    """The broker's own web server answers from elsewhere."""
    return Finding(
        grave=True,
        what=f"{host}:{MONITORING_PORT} tells everybody who is connected, and asks for no password",
        remedy='http: "127.0.0.1:8222" in the configuration of the broker',
    )


def of_environment(environment: Mapping[str, str], store: str, user: int) -> Iterator[Finding]:
    """Passwords that can be guessed, files that others can read, and a key beside its lock.

    ``user`` is the number of the one as whom the services run.
    """
    if not any(environment.get(name) for name in (USER, TOKEN, NKEY_FILE, CREDS_FILE)):
        yield Finding(
            grave=True,
            what="this process says to the broker nothing about who it is",
            remedy=f"{NKEY_FILE}, with a key of `fernamt nats-keys`",
        )
    passwords = {PASSWORD: environment.get(PASSWORD, "")}
    passwords["the password in the store's address"] = unquote(urlsplit(store).password or "")
    for where, password in passwords.items():
        if password and len(password) < PASSWORD_LENGTH_MIN:
            yield Finding(
                grave=True,
                what=f"{where} has fewer than {PASSWORD_LENGTH_MIN} characters and may be guessed",
                remedy="openssl rand -hex 24",
            )
    for variable in (NKEY_FILE, CREDS_FILE, ISSUER_FILE, SEAL_KEY_FILE):
        file = Path(environment.get(variable) or "/")
        if file.is_file() and _is_open(file, user):
            yield Finding(
                grave=True,
                what=f"{variable}: others on this machine may read {file}",
                remedy=f"chmod 600 {file}",
            )
    if not environment.get(SEAL_KEY_FILE):
        yield Finding(
            grave=False,
            what="the key of the seals lies beside the log: whoever writes there can sign, too",
            remedy=f"{SEAL_KEY_FILE} for the archivist, elsewhere",
        )


def _is_open(file: Path, user: int) -> bool:
    """Whether others may read it. Who does not own it reads it by its group, as a pod does."""
    status = file.stat()
    needed = 0 if status.st_uid == user else stat.S_IRGRP
    return bool(stat.S_IMODE(status.st_mode) & 0o077 & ~needed)


def of_directory(directory: Path) -> Iterator[Finding]:
    """A log in a directory."""
    yield Finding(
        grave=False,
        what="a log in a directory lives and dies with this machine",
        remedy="PostgreSQL, with a copy elsewhere",
    )
    if directory.is_dir() and stat.S_IMODE(directory.stat().st_mode) & 0o077:
        yield Finding(
            grave=True,
            what=f"others on this machine may look into {directory}",
            remedy=f"chmod 700 {directory}",
        )
