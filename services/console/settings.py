"""Where the console listens, and who may look at it."""

import ipaddress
import os
import re
from collections.abc import Mapping

import msgspec

from shared.routing.ids import ID_PATTERN

HOST = "127.0.0.1"
PORT = 8470
TOKEN_LENGTH_MIN = 32

HOST_VARIABLE = "FERNAMT_CONSOLE_HOST"
PORT_VARIABLE = "FERNAMT_CONSOLE_PORT"
TOKEN_VARIABLE = "FERNAMT_CONSOLE_TOKEN"  # noqa: S105 - the name of it
HOSTS_VARIABLE = "FERNAMT_CONSOLE_HOSTS"
WORKSPACES_VARIABLE = "FERNAMT_CONSOLE_WORKSPACES"


class Settings(msgspec.Struct, frozen=True):
    """``port`` 0 is any free one. ``hosts`` are names it is called by beside those of loopback;
    ``workspaces`` are listed before anything is heard of them."""

    host: str = HOST
    port: int = PORT
    token: str = ""
    hosts: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host, without port and brackets, is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises ``ValueError``."""
    settings = Settings(
        host=environment.get(HOST_VARIABLE, "") or HOST,
        port=_port(environment.get(PORT_VARIABLE, "")),
        token=environment.get(TOKEN_VARIABLE, ""),
        hosts=_listed(environment.get(HOSTS_VARIABLE, "")),
        workspaces=_workspaces(environment.get(WORKSPACES_VARIABLE, "")),
    )
    return checked(settings)


def checked(settings: Settings) -> Settings:
    """The same. Raises ``ValueError`` where strangers could look at it."""
    if settings.token and len(settings.token) < TOKEN_LENGTH_MIN:
        raise ValueError(f"{TOKEN_VARIABLE}: at least {TOKEN_LENGTH_MIN} characters are expected")
    if not settings.loopback and not settings.token:
        raise ValueError(
            f"{HOST_VARIABLE} is {settings.host}, which others can reach: set {TOKEN_VARIABLE} "
            f"to at least {TOKEN_LENGTH_MIN} characters that nobody can guess"
        )
    return settings


def _port(text: str) -> int:
    if not text:
        return PORT
    if not (text.isdecimal() and int(text) <= 65_535):
        raise ValueError(f"{PORT_VARIABLE}: a number from 0 to 65535 is expected: {text[:20]}")
    return int(text)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _workspaces(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if re.match(ID_PATTERN, name) is None:
            raise ValueError(f"{WORKSPACES_VARIABLE}: {name[:80]} is no name of a workspace")
    return names
