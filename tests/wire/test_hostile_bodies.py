"""No body whatever makes a decoder raise, or gets past a limit, or comes back in a message."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.routing.commands import COMMANDS, Refused
from shared.routing.ids import WorkspaceId
from shared.routing.questions import EVERY_QUERY
from shared.routing.vocabulary import ActorKind
from shared.wire.bodies import OnBehalf
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.requests import CommandRequest, decode_command
from shared.wire.subjects import Call, Purpose
from tests.wire import hostile
from tests.wire.shapes import INTEGER_MAX, bodies, sample

REQUESTS: list[tuple[Purpose, str]] = [
    *(("cmd", name) for name in COMMANDS),
    *(("ask", name) for name in EVERY_QUERY),
]
KINDS = get_args(ActorKind)
CODES = {"malformed", "unknown_field", "too_large", "invalid_policy", "invalid_rule"}
CANARY = "ana.sincera@example.org"


def read(
    purpose: Purpose, name: str, kind: ActorKind, body: bytes
) -> CommandRequest | QueryRequest | Refused:
    call = Call(purpose, WorkspaceId("w-1"), kind, "ana", name)
    return decode_command(call, body, {}) if purpose == "cmd" else decode_query(call, body, {})


def shape_of(purpose: Purpose, name: str) -> type[Any]:
    return COMMANDS[name] if purpose == "cmd" else EVERY_QUERY[name]


def limits_broken(body: bytes) -> list[str]:
    """What ``body`` does that no request may do, found without our code."""
    broken: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            broken.append("a key twice")
        return dict(pairs)

    if len(body) > 65_536:
        broken.append("too large")
    if body:
        value = json.loads(body.decode(), object_pairs_hook=members, parse_constant=broken.append)
        broken += [] if isinstance(value, dict) else ["no object"]
        broken += _too_much(value, 1)
    return broken


def _too_much(value: object, depth: int) -> Iterator[str]:
    match value:
        case dict() | list():
            if depth > 32 or len(value) > 1_000:
                yield "too deep or too long"
            for item in (*value, *value.values()) if isinstance(value, dict) else value:
                yield from _too_much(item, depth + 1)
        case str():
            if len(value) > 4_000 or "\0" in value or not _encodable(value):
                yield "a text"
        case int() if not -INTEGER_MAX <= value <= INTEGER_MAX:
            yield "an integer"
        case _:
            return


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def held(result: CommandRequest | QueryRequest | Refused, body: bytes) -> None:
    """What must be true of every result, whatever came in."""
    if isinstance(result, Refused):
        assert result.code in CODES
        said = json.dumps([result.message, result.detail], ensure_ascii=False)
        assert len(said) < 1_000
        assert said.isprintable()
    else:
        assert limits_broken(body) == []


# --- the corpus -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "body"), hostile.BODIES, ids=[name for name, _ in hostile.BODIES])
def test_a_hostile_body_is_refused_by_all(name: str, body: bytes) -> None:
    for purpose, request in REQUESTS:
        for kind in KINDS:
            result = read(purpose, request, kind, body)
            assert isinstance(result, Refused), (request, kind, name)
            held(result, body)


@pytest.mark.parametrize(("purpose", "request_name"), REQUESTS)
def test_a_good_body_spoilt_in_any_way_is_refused(purpose: Purpose, request_name: str) -> None:
    good = sample(shape_of(purpose, request_name))
    assert not isinstance(read(purpose, request_name, "admin", json.dumps(good).encode()), Refused)
    for kind, body in (("admin", good), ("service", {**good, "as": {"operator": "ana"}})):
        for what, spoilt in hostile.variants(body):
            result = read(purpose, request_name, kind, spoilt)  # type: ignore[arg-type]
            assert isinstance(result, Refused), (kind, what)
            held(result, spoilt)


def test_the_corpus_says_what_it_means() -> None:
    names = [name for name, _ in hostile.BODIES]
    assert len(names) == len(set(names))
    assert len(list(hostile.variants({"a": 1}))) > len(hostile.VALUES)


# --- fuzzing --------------------------------------------------------------------------------

requests = st.sampled_from(REQUESTS)
kinds: st.SearchStrategy[ActorKind] = st.sampled_from(KINDS)


@given(requests, kinds, st.binary() | st.text().map(str.encode))
def test_any_bytes(request: tuple[Purpose, str], kind: ActorKind, body: bytes) -> None:
    held(read(*request, kind, body), body)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(requests, kinds, any_json)
def test_any_json(request: tuple[Purpose, str], kind: ActorKind, value: object) -> None:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    held(read(*request, kind, body), body)


@st.composite
def spliced(draw: st.DrawFn) -> tuple[tuple[Purpose, str], ActorKind, bytes]:
    """A good body in which a few bytes were cut out, repeated or replaced."""
    request, kind = draw(requests), draw(kinds)
    value = draw(bodies(shape_of(*request)))
    if kind == "service" and draw(st.booleans()):
        value["as"] = draw(bodies(OnBehalf))
    body = json.dumps(value, ensure_ascii=draw(st.booleans())).encode()
    for _ in range(draw(st.integers(1, 3))):
        a, b = sorted(draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        middle = draw(
            st.sampled_from([b"", body[a:b] * 2, b"\\u0000", b"\\ud800", b'"', b",", b"[", b"1e9"])
            | st.binary(max_size=3)
        )
        body = body[:a] + middle + body[b:]
    return request, kind, body


@settings(max_examples=500)
@given(spliced())
def test_good_bodies_that_were_tampered_with(
    case: tuple[tuple[Purpose, str], ActorKind, bytes],
) -> None:
    request, kind, body = case
    held(read(*request, kind, body), body)


@settings(max_examples=300)
@given(requests, st.data())
def test_no_value_comes_back(request: tuple[Purpose, str], data: st.DataObject) -> None:
    body = data.draw(bodies(shape_of(*request)))
    assume(body)
    field = data.draw(st.sampled_from(sorted(body)))
    value: Any = body[field]
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        body[field] = {**value, data.draw(st.sampled_from(sorted(value))): CANARY}
    else:
        body[field] = data.draw(st.sampled_from([CANARY, [CANARY], CANARY * 200, {"x": CANARY}]))
    result = read(*request, "admin", json.dumps(body).encode())
    if isinstance(result, Refused):
        assert "sincera" not in json.dumps([result.message, result.detail])
