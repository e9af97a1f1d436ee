"""What a command's subject, body and headers become, and what is said where they are wrong."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.routing.commands import COMMANDS, Claim, Close, Forward, Open, Refused, UpdateOperator
from shared.routing.events import Actor, Request
from shared.routing.ids import CommandId, ConversationId, GroupId, UnixMs, WorkspaceId
from shared.routing.scope import Scope
from shared.routing.vocabulary import ActorKind
from shared.wire.refusals import BODY_BYTES_MAX
from shared.wire.requests import CommandRequest, body_hash, decode_command
from shared.wire.subjects import Call
from tests.wire.shapes import bodies, sample

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def call(name: str, kind: ActorKind = "operator", actor_id: str = "ana") -> Call:
    return Call("cmd", WorkspaceId("w-1"), kind, actor_id, name)


def read(
    name: str, body: object, kind: ActorKind = "operator", **headers: str
) -> CommandRequest | Refused:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return decode_command(call(name, kind), raw, names)


def accepted(result: CommandRequest | Refused) -> CommandRequest:
    assert isinstance(result, CommandRequest), result
    return result


def refused(result: CommandRequest | Refused) -> Refused:
    assert isinstance(result, Refused), result
    return result


def test_a_command_with_everything_beside_it() -> None:
    body = b'{"conversation_id": "c-1"}'
    headers = {
        "Fernamt-Command-Id": "k-1",
        "Fernamt-Expires": "1763650000000",
        "traceparent": TRACE,
        "X-Other": "does not matter",
    }
    assert decode_command(call("claim"), body, headers) == CommandRequest(
        workspace_id=WorkspaceId("w-1"),
        command=Claim(conversation_id=ConversationId("c-1")),
        by=Actor("operator", "ana"),
        request=Request("claim", body_hash(body)),
        command_id=CommandId("k-1"),
        expires_at=UnixMs(1_763_650_000_000),
        trace=TRACE,
    )


def test_a_command_with_nothing_beside_it() -> None:
    request = accepted(read("claim", {"conversation_id": "c-1"}))
    assert (request.command_id, request.expires_at, request.trace) == (None, None, None)


@pytest.mark.parametrize("name", COMMANDS)
@settings(max_examples=30)
@given(data=st.data())
def test_every_valid_body_is_taken_as_it_is(name: str, data: st.DataObject) -> None:
    body = data.draw(bodies(COMMANDS[name]))
    assume(len(json.dumps(body)) <= BODY_BYTES_MAX)  # four long texts under four long names
    assert type(accepted(read(name, body)).command) is COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_body_is_taken_however_it_is_written(name: str) -> None:
    body = sample(COMMANDS[name])
    plain = accepted(read(name, body)).command
    for written in (
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        json.dumps(body, separators=("\t,\n", " \r\n:  ")).encode(),
        json.dumps(dict(reversed(body.items()))).encode() + b" \n",
    ):
        assert accepted(read(name, written)).command == plain


# --- who speaks -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["operator", "visitor", "admin"])
def test_a_back_end_speaks_for_somebody(kind: ActorKind) -> None:
    body = {"conversation_id": "c-1", "as": {kind: "x-9"}, "to": {"group": "sales"}}
    request = accepted(decode_command(call("forward", "service", "shop"), _json(body), {}))
    assert request.by == Actor(kind, "x-9", "shop")
    assert request.command == Forward(
        conversation_id=ConversationId("c-1"), to=Scope(group=GroupId("sales"))
    )


def test_a_back_end_speaks_for_itself() -> None:
    request = accepted(decode_command(call("claim", "service", "shop"), _sample("claim"), {}))
    assert request.by == Actor("service", "shop")


@pytest.mark.parametrize("kind", ["operator", "visitor", "admin"])
def test_nobody_else_speaks_for_anybody(kind: ActorKind) -> None:
    body = {"conversation_id": "c-1", "as": {"admin": "root"}}
    refusal = refused(read("claim", body, kind))
    assert refusal.code == "unknown_field"
    assert refusal.detail == {"field": "as", "path": "as"}


@pytest.mark.parametrize(
    ("behalf", "code", "path"),
    [
        ({}, "malformed", "as"),
        (None, "malformed", "as"),
        ("ana", "malformed", "as"),
        ([{"operator": "ana"}], "malformed", "as"),
        ({"operator": "ana", "visitor": "v"}, "malformed", "as"),
        ({"operator": None}, "malformed", "as"),
        ({"operator": "a.b"}, "malformed", "as.operator"),
        ({"operator": 1}, "malformed", "as.operator"),
        ({"service": "shop"}, "unknown_field", "as.service"),
        ({"operator": "ana", "role": "manager"}, "unknown_field", "as.role"),
    ],
)
def test_a_back_end_names_exactly_one(behalf: object, code: str, path: str) -> None:
    refusal = refused(read("claim", {"conversation_id": "c-1", "as": behalf}, "service"))
    assert refusal.code == code
    assert refusal.detail["path"] == path


@pytest.mark.parametrize(
    "body",
    [
        b'{"as":{"operator":"ana"},"conversation_id":"c-1","as":{"admin":"root"}}',
        b'{"as":{"operator":"ana"},"conversation_id":"c-1","\\u0061s":{"admin":"root"}}',
        b'{"as":{"operator":"ana","operator":"ben"},"conversation_id":"c-1"}',
        b'{"as":{"operator":"ana"},"conversation_id":"c-1","conversation_id":"c-2"}',
    ],
)
def test_a_back_end_says_nothing_twice(body: bytes) -> None:
    refusal = refused(read("claim", body, "service"))
    assert (refusal.code, "twice" in refusal.message) == ("malformed", True)


# --- the hash by which a retry is recognised ------------------------------------------------


def test_equal_bytes_have_equal_hashes_and_only_they() -> None:
    written = [b'{"conversation_id":"c"}', b'{"conversation_id": "c"}', b'{"conversation_id":"d"}']
    hashes = [accepted(read("claim", body)).request.body_hash for body in written]
    assert hashes == [accepted(read("claim", body)).request.body_hash for body in written]
    assert len(set(hashes)) == 3
    assert {len(each) for each in hashes} == {32}


def test_for_whom_a_back_end_speaks_is_part_of_the_hash() -> None:
    hashes = [
        accepted(read("claim", {"conversation_id": "c", "as": {"operator": who}}, "service"))
        for who in ("ana", "ben")
    ]
    assert hashes[0].request.body_hash != hashes[1].request.body_hash


def test_without_the_key_a_guess_cannot_be_tested() -> None:
    body = _json({"operator_id": "ana", "email": "ana@example.org"})
    request = accepted(decode_command(call("update_operator", "admin"), body, {}, hash_key=b"k"))
    assert request.request.body_hash == body_hash(body, b"k") != body_hash(body)


# --- what is taken and what is not -----------------------------------------------------------


def test_an_unknown_command_is_malformed() -> None:
    assert refused(read("escalate", {})).code == "malformed"


def test_a_body_may_be_as_large_as_the_limit() -> None:
    body = _sample("claim")
    full = body + b" " * (BODY_BYTES_MAX - len(body))
    accepted(read("claim", full))
    assert read("claim", full + b" ") == Refused(
        "too_large",
        "the body has 65537 bytes, 65536 at most",
        {"bytes": 65_537, "bytes_max": 65_536},
    )


def test_an_empty_body_is_an_empty_object() -> None:
    assert read("claim", b"") == read("claim", b"{}")


def test_null_unsets_where_there_is_something_to_unset() -> None:
    request = accepted(read("update_operator", {"operator_id": "ana", "email": None}))
    assert isinstance(request.command, UpdateOperator)
    assert request.command.email is None
    refused(read("update_operator", {"operator_id": "ana", "capacity": None}))


def test_texts_are_counted_in_characters_and_kept_as_they_are() -> None:
    text = "😀" * 4_000
    close = {"conversation_id": "c", "text": text}
    command = accepted(read("close", close)).command
    assert isinstance(command, Close)
    assert command.text == text
    refused(read("close", {**close, "text": text + "x"}))


def test_what_only_looks_hostile_is_taken() -> None:
    attributes = {
        "backslash": "\\u0000",
        "pair": "\U0001f600",
        "colons": '"a":"b", ":',
        "brackets": "[[[[{{{{" * 20,
        "largest": 2**53,
        "fraction": 1e300,
        "a.b[0]": None,
    }
    body = {"conversation_id": "c", "entry_point_id": "e", "attributes": attributes}
    request = accepted(read("open", body, "visitor"))
    assert isinstance(request.command, Open)
    assert request.command.attributes == attributes


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def _sample(name: str) -> bytes:
    return _json(sample(COMMANDS[name]))
