"""Bodies of page views: what is taken, what is refused, and that nothing raises."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.routing.commands import Refused
from shared.routing.ids import Position, RuleId, VisitorId, WorkspaceId
from shared.wire.subjects import Seen
from shared.wire.views import decode_view, seen_answer

SEEN = Seen(WorkspaceId("w"), VisitorId("v-1"))
LEAST: dict[str, Any] = {"session_id": "s", "entry_point_id": "site", "url": "https://example.org/"}


def _read(**fields: Any) -> Any:
    return decode_view(SEEN, json.dumps(LEAST | fields).encode())


def test_a_view_needs_a_session_an_entry_point_and_an_address() -> None:
    view = _read()
    assert (view.session_id, view.entry_point_id, view.url) == tuple(LEAST.values())
    for name in LEAST:
        body = json.dumps({n: value for n, value in LEAST.items() if n != name}).encode()
        refusal = decode_view(SEEN, body)
        assert isinstance(refusal, Refused)
        assert refusal.detail == {"path": name}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"session_id": "a.b"}, "malformed"),
        ({"entry_point_id": ">"}, "malformed"),
        ({"url": ""}, "malformed"),
        ({"url": "x" * 4_001}, "malformed"),
        ({"view_id": ""}, "malformed"),
        ({"at": -1}, "malformed"),
        ({"at": 1.5}, "malformed"),
        ({"custom": {"a": [1]}}, "malformed"),
        ({"custom": {"a": "\0"}}, "malformed"),
        ({"as": {"visitor": "v-2"}}, "unknown_field"),
        ({"visit_count": 3}, "unknown_field"),
        ({"title": "x" * 70_000}, "too_large"),
    ],
)
def test_what_a_view_may_not_say(fields: dict[str, Any], code: str) -> None:
    refusal = _read(**fields)
    assert isinstance(refusal, Refused)
    assert refusal.code == code


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    decode_view(SEEN, body)


def test_the_answer_says_no_more_than_is_promised() -> None:
    reply = seen_answer(Position(7), (RuleId("french"),))
    assert json.loads(reply.body) == {"ok": True, "position": 7, "fired": ["french"]}
