"""What headers say, and that hostile ones are refused, or dropped where they only trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.routing.commands import Refused
from shared.routing.ids import CommandId, Position, UnixMs, WorkspaceId
from shared.wire.headers import (
    COMMAND_ID,
    EXPIRES,
    MIN_POSITION,
    TRACE,
    RequestHeaders,
    event_headers,
    read_headers,
)
from tests.wire import hostile

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_headers_are_read() -> None:
    headers = {COMMAND_ID: "k_1-A", EXPIRES: "9007199254740992", MIN_POSITION: "0", TRACE: PARENT}
    assert read_headers(headers) == RequestHeaders(
        CommandId("k_1-A"), UnixMs(2**53), Position(0), PARENT
    )
    assert read_headers({}) == RequestHeaders()
    assert read_headers({"X": "y" * 1_000_000, "fernamt-expires": "x"}) == RequestHeaders()


@pytest.mark.parametrize("headers", [headers for _, headers in hostile.HEADERS])
def test_hostile_headers_are_refused(headers: dict[str, str]) -> None:
    refusal = read_headers(headers)
    assert isinstance(refusal, Refused)
    assert refusal.code == "malformed"
    assert refusal.detail == {"header": next(iter(headers))}
    assert len(refusal.message) < 200


@pytest.mark.parametrize("text", [text for _, text in hostile.TRACES])
def test_a_hostile_trace_parent_is_dropped(text: str) -> None:
    assert read_headers({TRACE: text, MIN_POSITION: "7"}) == RequestHeaders(
        min_position=Position(7)
    )


def test_a_trace_parent_of_a_later_version_is_cut_to_what_is_known() -> None:
    later = "01" + PARENT[2:]
    assert read_headers({TRACE: f"{later}-more"}) == RequestHeaders(trace=later)


@given(st.dictionaries(st.sampled_from([COMMAND_ID, EXPIRES, MIN_POSITION, TRACE]), st.text()))
def test_any_headers_are_read_or_refused(headers: dict[str, str]) -> None:
    assert isinstance(read_headers(headers), RequestHeaders | Refused)


def test_a_published_event_carries_its_name_and_place() -> None:
    assert event_headers(WorkspaceId("w-1"), Position(7), "group_joined.v1") == {
        "Fernamt-Event": "group_joined.v1",
        "Nats-Msg-Id": "w-1:7",
    }
