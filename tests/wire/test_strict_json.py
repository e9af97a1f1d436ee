"""What msgspec lets through is found, and nothing else: held against Python's own parser."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.wire.refusals import DEPTH_MAX
from shared.wire.strict_json import breach

spaces = st.sampled_from(["", "", "", " ", "\t", "\r\n", "  "])
texts = st.text('ab:"\\{}[]\n\0ü', max_size=6)


@st.composite
def strings(draw: st.DrawFn) -> str:
    """A JSON text, written in one of the ways in which one can write it."""
    text = json.dumps(draw(texts), ensure_ascii=draw(st.booleans()))
    return text.replace("a", "\\u0061") if draw(st.booleans()) else text


def containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return objects(inner) | st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """An object as somebody might write it, with keys that may well stand twice."""
    members = draw(st.lists(st.tuples(strings(), spaces, spaces, inner), max_size=4))
    return "{" + ",".join(f"{key}{a}:{b}{value}" for key, a, b, value in members) + "}"


scalars = strings() | st.sampled_from(["1", "null", "true", "1.5e3", '"::"', '"\\":"'])
bodies = objects(st.recursive(scalars, containers, max_leaves=8))


def faults(body: bytes) -> set[str]:
    """What is wrong with ``body``, found the slow and obvious way."""
    found = set()

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            found.add("twice")
        if any("\0" in name for name, _ in pairs):
            found.add("zero")
        return {str(number): value for number, (_, value) in enumerate(pairs)}

    def walk(value: object, depth: int) -> None:
        if isinstance(value, str) and "\0" in value:
            found.add("zero")
        if isinstance(value, dict | list):
            if depth > DEPTH_MAX:
                found.add("deep")
            for item in value.values() if isinstance(value, dict) else value:
                walk(item, depth + 1)

    walk(json.loads(body, object_pairs_hook=members), 1)
    return found


def told(body: bytes) -> str:
    refusal = breach(body)
    if refusal is None:
        return ""
    assert refusal.code == "malformed"
    words = {"twice": "twice", "U+0000": "zero", "deeper": "deep"}
    return next(what for word, what in words.items() if word in refusal.message)


@given(bodies)
@example('{"a":"b","a" :"c"}')
@example('{"a":1,"\\u0061":2}')
@example('{"x":{"a":1,"a":2},":":1}')
@example('{"x":"\\\\u0000"}')
@example('{"x":"\\\\\\u0000"}')
@example('{"x":[{"\\u0000":1}]}')
@example('{"":{"":{"":1}},"" :2}')
@example('{"\\"":":","\\\\":"\\":"}')
def test_it_finds_what_the_obvious_way_finds(text: str) -> None:
    body = text.encode()
    expected = faults(body)
    assert told(body) in expected or (told(body) == "" and not expected)


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("depth", [DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1, DEPTH_MAX + 100])
def test_depth_is_counted_from_the_outermost_brace(opening: str, depth: int) -> None:
    closing = "}" if opening.startswith("{") else "]"
    body = b'{"x":' + (opening * (depth - 1) + "1" + closing * (depth - 1)).encode() + b"}"
    assert told(body) == ("deep" if depth > DEPTH_MAX else "")


def test_brackets_in_texts_and_side_by_side_are_no_depth() -> None:
    assert breach(b'{"x":"' + b"[{" * 500 + b'"}') is None
    assert breach(b'{"x":[' + b",".join([b"[{}]"] * 500) + b"]}") is None


def test_it_says_where() -> None:
    said = breach(b'{"a":{"b":[1,"x\\u0000"]}}')
    assert said is not None
    assert said.detail == {"path": "a.b[1]"}
    said = breach(b'{"a":{"b":1,"c":2,"b":3}}')
    assert said is not None
    assert said.detail == {"field": "b"}


@pytest.mark.parametrize(
    "body",
    [b'{"a":1,"a":2}', b'{"a":"\\u0000"}', b'{"a":' + b"[" * 50 + b"]" * 50 + b"}"],
)
def test_without_it_all_of_this_would_pass(body: bytes) -> None:
    assert msgspec.json.decode(body)
    assert breach(body) is not None
