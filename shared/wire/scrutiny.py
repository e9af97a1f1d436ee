"""What no type can say about a command's fields and no state need be asked for.

Zones that exist, addresses that can be called, secrets that can sign, patterns that can be matched:
what is right depends on tables and libraries that change, so it is judged once, at the edge, and
never again when the log is read.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import tzdata
from msgspec import UNSET

from shared.routing.commands import (
    Command,
    CreateWorkspace,
    DefineWebhook,
    Refused,
    SaveRule,
    SetSchedule,
)
from shared.routing.events import EVENT_TYPES
from shared.wire.feeds import FEEDS
from shared.wire.rule_patterns import bad_pattern_in

SECRET_PREFIX = "whsec_"  # noqa: S105 - that a secret follows is no secret
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64
EVERY_TYPE = "*"

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def refuse_senseless(command: Command) -> Refused | None:
    """Refuse a command that is well formed and means nothing; never raises."""
    judge = _JUDGES.get(type(command))
    return judge(command) if judge is not None else None


def _malformed(path: str, reason: str, **detail: object) -> Refused:
    return Refused("malformed", f"{path}: {reason}", {"path": path, **detail})


# --- zones ----------------------------------------------------------------------------------


@cache
def zones() -> frozenset[str]:
    """Every IANA zone that this release knows, wherever it runs."""
    return frozenset(resources.files(tzdata).joinpath("zones").read_text("ascii").split())


def _judge_zone(command: CreateWorkspace | SetSchedule) -> Refused | None:
    if command.timezone is None or command.timezone in zones():
        return None
    return _malformed("timezone", "an IANA time zone is expected, such as Europe/Berlin")


# --- webhooks -------------------------------------------------------------------------------


@cache
def webhook_types() -> frozenset[str]:
    """What a webhook can be sent: events by name, messages of feeds by type, or all of both."""
    events = {topic.partition(".")[0] for topic in EVENT_TYPES}
    messages = {
        str(message.__struct_config__.tag) for messages in FEEDS.values() for message in messages
    }
    return frozenset({EVERY_TYPE, *events, *messages})


def _judge_webhook(command: DefineWebhook) -> Refused | None:
    fault = None if command.url is UNSET else _fault_of_address(command.url)
    if fault is not None:
        return _malformed("url", fault)
    for number, wanted in enumerate(() if command.types is UNSET else command.types):
        if wanted not in webhook_types():
            text = 'the name of an event, the type of a feed message, or "*" is expected'
            return _malformed(f"types[{number}]", text)
    if command.secret is not UNSET and not _can_sign(command.secret):
        return _malformed(
            "secret",
            f"{SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes in base64 are expected, "
            f"with or without {SECRET_PREFIX} before them",
        )
    return None


def _fault_of_address(url: str) -> str | None:
    if not (url.isascii() and url.isprintable()) or " " in url:
        return "an address has no spaces, and letters beyond ASCII are escaped"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "this is no address"
    if parts.username is not None or parts.password is not None:
        return "an address with a user or a password in it would be in the log for ever"
    if not host or parts.scheme not in ("https", "http"):
        return "an address such as https://example.org/hook is expected"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "https is needed, but for this machine itself"
    return None


def _can_sign(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX


# --- rules ----------------------------------------------------------------------------------


def _judge_rule(command: SaveRule) -> Refused | None:
    fault = None if command.when is UNSET else bad_pattern_in(command.when)
    if fault is None:
        return None
    return Refused("invalid_rule", f"{fault.path}: {fault.reason}", {"path": fault.path})


_JUDGES: Mapping[type[Command], Callable[[Any], Refused | None]] = {
    CreateWorkspace: _judge_zone,
    SetSchedule: _judge_zone,
    DefineWebhook: _judge_webhook,
    SaveRule: _judge_rule,
}
