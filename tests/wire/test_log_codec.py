"""Events survive the log byte for byte; what cannot be read is named, never guessed at."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.routing.events import (
    EVENT_TYPES,
    Actor,
    Envelope,
    GroupDeleted,
    GroupJoined,
    Request,
)
from shared.routing.ids import CommandId, GroupId, OperatorId, Position, UnixMs
from shared.wire.log_codec import Stored, UndecodableEvent, decode_event, encode_event, topic_of
from shared.wire.upcasting import UPCASTS, Upcast
from tests.wire.shapes import bodies

ENVELOPE = Envelope(
    at=UnixMs(1_763_650_000_000),
    first=Position(7),
    rev=1,
    epoch=3,
    data=GroupJoined(operator_id=OperatorId("ana"), group_id=GroupId("sales")),
    by=Actor("admin", "root", "shop"),
    cmd=CommandId("k-1"),
    request=Request("join_group", "00"),
)
STATE = (
    b'{"at":1763650000000,"first":7,"rev":1,"epoch":3,'
    b'"data":{"type":"group_joined.v1","operator_id":"ana","group_id":"sales"},'
    b'"by":{"kind":"admin","id":"root","service":"shop"},'
    b'"cmd":"k-1","request":{"name":"join_group","body_hash":"00"}}'
)


def test_an_event_is_stored_as_published() -> None:
    assert encode_event(ENVELOPE) == Stored("group_joined.v1", STATE)
    assert decode_event("group_joined.v1", STATE) == ENVELOPE


@st.composite
def envelopes(draw: st.DrawFn, topic: str) -> Envelope:
    beside = draw(bodies(_Beside))
    event = draw(bodies(EVENT_TYPES[topic]))
    return msgspec.convert({**beside, "data": event}, Envelope)


class _Beside(msgspec.Struct, omit_defaults=True):
    """The fields of an envelope beside the event."""

    at: int
    first: int
    rev: int
    epoch: int
    by: Actor | None = None
    cmd: str | None = None
    request: Request | None = None
    trace: str | None = None


@pytest.mark.parametrize("topic", EVENT_TYPES)
@settings(max_examples=30)
@given(data=st.data())
def test_every_event_comes_back_and_its_bytes_stay(topic: str, data: st.DataObject) -> None:
    envelope = data.draw(envelopes(topic))
    stored = encode_event(envelope)
    assert stored.topic == topic_of(envelope) == topic
    read = decode_event(*stored)
    assert read == envelope
    assert encode_event(read) == stored


# --- what cannot be read --------------------------------------------------------------------


def refusal(topic: str, state: bytes, upcasts: Mapping[str, Upcast] = UPCASTS) -> str:
    with pytest.raises(UndecodableEvent) as raised:
        decode_event(topic, state, upcasts)
    assert raised.value.topic == topic
    assert str(raised.value) == f"{topic}: {raised.value.reason}"
    return raised.value.reason


def test_an_unknown_event_is_named() -> None:
    assert refusal("group_renamed.v1", STATE) == "there is no such event in this release"


@pytest.mark.parametrize(
    "topic", ["group_joined.v2", "group_joined.v0", "group_joined.", "group_joined"]
)
def test_an_unknown_version_is_named_with_those_that_are_known(topic: str) -> None:
    assert refusal(topic, STATE) == "this release knows group_joined.v1 only"


def test_a_topic_that_is_not_the_events_own_is_named() -> None:
    assert refusal("group_left.v1", STATE) == "the event in it is group_joined.v1"


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        STATE[:-1],
        STATE + b"x",
        STATE.replace(b"sales", b"\xff"),
        STATE.replace(b'"ana"', b"1"),
        STATE.replace(b"group_joined.v1", b"group_joined.v9"),
        STATE.replace(b'"type":"group_joined.v1",', b""),
        STATE.replace(b'"first":7,', b""),
        STATE.replace(b'"sales"', b"[" * 100_000),
    ],
)
def test_damaged_bytes_are_named(state: bytes) -> None:
    assert refusal("group_joined.v1", state)
    assert refusal("group_joined.v1", state, {"group_joined.v1": joined_today})


# --- old versions ---------------------------------------------------------------------------

OLD = STATE.replace(b"group_joined.v1", b"member_added.v1").replace(b"operator_id", b"member")


def joined_today(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "group_joined.v1",
        "operator_id": event["member"],
        "group_id": event["group_id"],
    }


def member_added_v2(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "type": "member_added.v2"}


def test_an_old_event_is_read_as_one_of_today() -> None:
    assert decode_event("member_added.v1", OLD, {"member_added.v1": joined_today}) == ENVELOPE


def test_an_older_event_takes_every_step() -> None:
    steps = {"member_added.v1": member_added_v2, "member_added.v2": joined_today}
    assert decode_event("member_added.v1", OLD, steps) == ENVELOPE


def test_an_event_of_today_takes_no_step() -> None:
    assert decode_event("group_joined.v1", STATE, {"member_added.v1": joined_today}) == ENVELOPE


def test_an_old_event_under_another_topic_is_named() -> None:
    steps = {"member_added.v1": joined_today}
    assert refusal("member_added.v1", STATE, steps) == "the event in it is another"


def test_steps_that_lead_in_a_circle_are_named() -> None:
    steps = {
        "member_added.v1": member_added_v2,
        "member_added.v2": lambda event: {**event, "type": "member_added.v1"},
    }
    assert "leads back to member_added.v1" in refusal("member_added.v1", OLD, steps)


def test_a_step_that_leads_nowhere_is_named() -> None:
    assert "member_added.v2" in refusal(
        "member_added.v1", OLD, {"member_added.v1": member_added_v2}
    )


def test_no_version_of_today_has_a_step() -> None:
    assert UPCASTS.keys() & EVENT_TYPES.keys() == set()


def test_a_deleted_group_and_a_joined_one_differ_in_topic_only_by_their_class() -> None:
    deleted = msgspec.structs.replace(ENVELOPE, data=GroupDeleted(group_id=GroupId("sales")))
    assert encode_event(deleted).topic == "group_deleted.v1"
