"""Zones, addresses and secrets: what is refused at the edge, with its place and never its value."""

import base64
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.wire.requests import CommandRequest, decode_command
from shared.wire.scrutiny import webhook_types, zones
from shared.wire.subjects import Call

SECRET = base64.b64encode(bytes(range(32))).decode()


def decoded(command: str, **fields: Any) -> CommandRequest | Refused:
    call = Call("cmd", WorkspaceId("shop"), "admin", "root", command)
    return decode_command(call, json.dumps(fields).encode(), {})


def refused_at(result: CommandRequest | Refused) -> object:
    if isinstance(result, CommandRequest):
        return None
    assert result.code == "malformed"
    return result.detail["path"]


def webhook(**fields: Any) -> CommandRequest | Refused:
    good = {"url": "https://example.org/in", "types": ["*"], "secret": SECRET}
    return decoded("define_webhook", webhook_id="crm", **(good | fields))


# --- zones ----------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_st07_zones_that_exist_are_taken(zone: str) -> None:
    assert refused_at(decoded("create_workspace", name="Shop", timezone=zone)) is None
    assert refused_at(decoded("set_schedule", weekly={}, timezone=zone)) is None


@pytest.mark.parametrize(
    "zone",
    ["Europe/Atlantis", "europe/berlin", "America", "/etc/localtime", "../UTC", "CET+1", " UTC"],
)
def test_st07_zones_that_do_not_are_refused(zone: str) -> None:
    for result in (
        decoded("create_workspace", name="Shop", timezone=zone),
        decoded("set_schedule", weekly={}, timezone=zone),
    ):
        assert refused_at(result) == "timezone"
        assert isinstance(result, Refused)
        assert zone.strip() not in result.message.replace("Europe/Berlin", "")


def test_st07_every_zone_that_is_taken_can_be_reckoned_with() -> None:
    assert len(zones()) > 400
    for zone in zones():
        assert ZoneInfo(zone).key == zone


# --- webhooks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org:8443/in?of=shop",
        "https://[2001:db8::1]/in",
        "http://127.0.0.1:9000/in",
        "http://localhost/in",
        "http://[::1]:9000/",
    ],
)
def test_no03_addresses_that_can_be_called(url: str) -> None:
    assert refused_at(webhook(url=url)) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/in",
        "http://127.0.0.1.example.org/in",
        "http://localhost.example.org/",
        "ftp://example.org/in",
        "example.org/in",
        "https://",
        "https:///in",
        "https://ana@example.org/in",
        "https://ana:word@example.org/in",
        "https://:word@example.org/in",
        "https://exa mple.org/in",
        "https://example.org/in\n",
        "https://example.org:99999/in",
        "https://example.org:port/in",
        "https://[::1/in",
        "https://münchen.example/in",
        "javascript:alert(1)",
    ],
)
def test_no03_addresses_that_cannot_or_may_not(url: str) -> None:
    result = webhook(url=url)
    assert refused_at(result) == "url"
    assert isinstance(result, Refused)
    assert "word" not in result.message.replace("password", "")


@pytest.mark.parametrize("length", [24, 32, 64])
@pytest.mark.parametrize("prefix", ["", "whsec_"])
def test_no03_secrets_that_can_sign(prefix: str, length: int) -> None:
    secret = prefix + base64.b64encode(bytes(length)).decode()
    assert refused_at(webhook(secret=secret)) is None


@pytest.mark.parametrize(
    "secret",
    [
        base64.b64encode(bytes(23)).decode(),
        base64.b64encode(bytes(65)).decode(),
        "whsec_",
        "whsec_whsec_" + SECRET,
        SECRET.rstrip("="),
        SECRET.replace("A", "*"),
        SECRET[:20] + "\n" + SECRET[20:],
        "ü" * 40,
    ],
)
def test_no03_secrets_that_cannot(secret: str) -> None:
    result = webhook(secret=secret)
    assert refused_at(result) == "secret"
    assert isinstance(result, Refused)
    assert SECRET[4:16] not in result.message


def test_no03_types_are_those_of_events_and_messages() -> None:
    assert {"*", "conversation_assigned", "subject_erased", "missed", "closed"} <= webhook_types()
    assert refused_at(webhook(types=["conversation_assigned", "missed"])) is None
    for wrong in ("conversation_assigned.v1", "everything", "Missed"):
        assert refused_at(webhook(types=["missed", wrong])) == "types[1]"


def test_no03_what_is_not_named_is_not_judged() -> None:
    assert refused_at(decoded("define_webhook", webhook_id="crm", types=["missed"])) is None
    assert refused_at(decoded("define_webhook", webhook_id="crm")) is None
