"""What callers get back, byte for byte, and that every code has its number."""

import ast
import json
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.routing.commands import Refused
from shared.routing.ids import Position, UnixMs
from shared.wire.replies import STATUS, Answered, answered, read_reply, refused
from tests.tidy.sources import Module, dotted, modules


def test_an_answer() -> None:
    reply = answered(Position(12), UnixMs(1_763_650_000_000), {"conversation": {"owner": None}})
    assert reply.headers == {}
    assert reply.body == (
        b'{"ok":true,"position":12,"at":1763650000000,"result":{"conversation":{"owner":null}}}'
    )


def test_an_answer_to_a_retry() -> None:
    reply = answered(Position(12), UnixMs(5), {}, repeated=True)
    assert reply.body == b'{"ok":true,"position":12,"at":5,"repeated":true,"result":{}}'
    assert read_reply(reply.body) == Answered(
        position=Position(12), at=UnixMs(5), repeated=True, result=msgspec.Raw(b"{}")
    )


def test_a_refusal() -> None:
    reply = refused(Refused("in_use", "a group needs it", {"group_id": "sales"}))
    assert json.loads(reply.body) == {
        "ok": False,
        "error": {
            "code": "in_use",
            "message": "a group needs it",
            "detail": {"group_id": "sales"},
        },
    }
    assert reply.headers == {"Nats-Service-Error": "in_use", "Nats-Service-Error-Code": "409"}


def test_a_refusal_without_detail_says_so() -> None:
    assert json.loads(refused(Refused("too_many", "wait")).body)["error"]["detail"] == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.sampled_from(sorted(STATUS)), st.text(), st.dictionaries(st.text(), json_values))
def test_what_is_refused_is_read_as_refused(
    code: str, message: str, detail: dict[str, object]
) -> None:
    refusal = Refused(code, message, detail)
    assert read_reply(refused(refusal).body) == refusal


@given(st.integers(0, 2**53), st.dictionaries(st.text(), json_values), st.booleans())
def test_what_is_answered_is_read_as_answered(
    position: int, result: dict[str, object], repeated: bool
) -> None:
    reply = read_reply(answered(Position(position), UnixMs(1), result, repeated=repeated).body)
    assert isinstance(reply, Answered)
    assert (reply.position, reply.repeated is True) == (position, repeated)
    assert isinstance(reply.result, msgspec.Raw)
    assert msgspec.json.decode(reply.result) == result


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ok":false}', b"[]", b'{"ok":1}'])
def test_what_is_no_reply_of_ours_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_reply(body)


# --- codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("malformed", 400),
        ("unknown_field", 400),
        ("no_permission", 403),
        ("unknown_group", 404),
        ("expired", 409),
        ("too_large", 413),
        ("too_many", 429),
        ("overloaded", 503),
    ],
)
def test_codes_have_the_numbers_of_http(code: str, status: int) -> None:
    assert refused(Refused(code, "")).headers["Nats-Service-Error-Code"] == str(status)


def test_what_is_unknown_was_not_found() -> None:
    unknown = {code for code in STATUS if code.startswith("unknown_")} - {"unknown_field"}
    assert {STATUS[code] for code in unknown} == {404}


def codes_used(module: Module) -> Iterator[str]:
    """Yield every code that ``module`` refuses with, as far as it is written there."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=func, args=[first, *_]) if dotted(func).endswith("Refused"):
                yield from _codes(first)
            case ast.Call(func=func, args=[ast.Constant(value=str(what)), *_]):
                if dotted(func).endswith("unknown"):
                    yield f"unknown_{what}"
            case ast.Assign(targets=[ast.Name(id="code")], value=value):
                yield from _codes(value)
            case _:
                continue


def _codes(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=body, orelse=orelse):
            yield from _codes(body)
            yield from _codes(orelse)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _codes(value)
        case _:
            return


def test_codes_are_found_in_the_code() -> None:
    source = (
        "Refused('a', '')\nc.Refused('b' if x else 'c', '')\nunknown('d', i)\n"
        "code = 'e' if x else 'f'\nRefused(code or 'g', '')\n"
    )
    found = set(codes_used(Module("x.py", source, ast.parse(source))))
    assert found == {"a", "b", "c", "unknown_d", "e", "f", "g"}


def test_every_code_in_use_is_in_the_table() -> None:
    refusing = (module for module in modules("shared", "services") if "Refused" in module.text)
    found = {code for module in refusing for code in codes_used(module)}
    assert len(found) > 20
    assert found - STATUS.keys() == set()
