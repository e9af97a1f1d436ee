"""What a query's subject, body and headers become."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.routing.commands import Refused
from shared.routing.events import Actor
from shared.routing.ids import GroupId, Position, UnixMs, WorkspaceId
from shared.routing.questions import EVERY_QUERY, AskInbox, AskMe, AskRoster
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.subjects import Call
from tests.wire import hostile
from tests.wire.shapes import bodies, sample


def call(name: str, kind: str = "operator") -> Call:
    return Call("ask", WorkspaceId("w-1"), kind, "ana", name)  # type: ignore[arg-type]


def test_a_query_with_everything_beside_it() -> None:
    headers = {"Fernamt-Min-Position": "1234", "Fernamt-Expires": "99", "traceparent": "nonsense"}
    assert decode_query(call("roster"), b'{"group_id":"sales"}', headers) == QueryRequest(
        workspace_id=WorkspaceId("w-1"),
        question=AskRoster(group_id=GroupId("sales")),
        by=Actor("operator", "ana"),
        min_position=Position(1234),
        expires_at=UnixMs(99),
        trace=None,
    )


def test_a_query_without_fields_needs_no_body() -> None:
    request = decode_query(call("me"), b"", {})
    assert isinstance(request, QueryRequest)
    assert request.question == AskMe()
    assert request.min_position == 0


def test_a_back_end_asks_for_somebody() -> None:
    request = decode_query(call("me", "service"), b'{"as":{"operator":"ben"}}', {})
    assert isinstance(request, QueryRequest)
    assert request.by == Actor("operator", "ben", "ana")


@pytest.mark.parametrize("name", EVERY_QUERY)
@settings(max_examples=30)
@given(data=st.data())
def test_every_valid_body_is_taken_as_it_is(name: str, data: st.DataObject) -> None:
    body = json.dumps(data.draw(bodies(EVERY_QUERY[name]))).encode()
    request = decode_query(call(name), body, {})
    assert isinstance(request, QueryRequest)
    assert type(request.question) is EVERY_QUERY[name]


@pytest.mark.parametrize("limit", [0, 1_001, "10", 1.0, None])
def test_a_page_has_a_size(limit: object) -> None:
    refusal = decode_query(call("inbox"), json.dumps({"view": "all", "limit": limit}).encode(), {})
    assert isinstance(refusal, Refused)
    assert refusal.detail == {"path": "limit"}


def test_a_page_has_a_size_by_default() -> None:
    request = decode_query(call("inbox"), b'{"view":"mine"}', {})
    assert isinstance(request, QueryRequest)
    assert request.question == AskInbox(view="mine", limit=100)


@pytest.mark.parametrize("name", ["claim", "nothing"])
def test_what_nobody_answers_is_unknown(name: str) -> None:
    refusal = decode_query(call(name), b"{}", {})
    assert isinstance(refusal, Refused)
    assert refusal.code == "malformed"


@pytest.mark.parametrize("headers", [headers for _, headers in hostile.HEADERS])
def test_hostile_headers_are_refused(headers: dict[str, str]) -> None:
    body = json.dumps(sample(AskRoster)).encode()
    assert isinstance(decode_query(call("roster"), body, headers), Refused)
