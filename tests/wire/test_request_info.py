"""What the broker says of the sender has to be what the subject says, or nothing is believed."""

from collections.abc import Callable, Mapping

import pytest

from shared.routing.commands import Refused
from shared.wire.audit import decode_audit
from shared.wire.queries import decode_query
from shared.wire.requests import decode_command
from shared.wire.subjects import Call, parse_call

Decode = Callable[[Call, bytes, Mapping[str, str]], object]

CALLS: Mapping[str, tuple[Decode, bytes]] = {
    "fernamt.v1.cmd.shop.operator.ana.log_out": (decode_command, b'{"session_id": "desk"}'),
    "fernamt.v1.ask.shop.operator.ana.inbox": (decode_query, b'{"view": "mine"}'),
    "fernamt.v1.audit.shop.operator.ana.explain": (decode_audit, b'{"conversation_id": "c1"}'),
}


def refused(subject: str, info: str | None) -> Refused | None:
    """What becomes of a request whose sender the broker knows like this."""
    call = parse_call(subject)
    assert isinstance(call, Call)
    decode, body = CALLS[subject]
    headers = {} if info is None else {"Nats-Request-Info": info}
    read = decode(call, body, headers)
    return read if isinstance(read, Refused) else None


@pytest.mark.parametrize("subject", CALLS)
@pytest.mark.parametrize(
    "info",
    [
        None,
        '{"user": "shop.operator.ana", "acc": "FRONT", "host": "192.0.2.7", "id": 12}',
        '{"acc": "APP", "rtt": 512548}',
        '{"user": "desks", "acc": "FRONT"}',
        '{"user": "shop.desk.ana", "acc": "FRONT"}',
    ],
)
def test_the_same_or_a_name_of_another_sort_is_believed(subject: str, info: str | None) -> None:
    assert refused(subject, info) is None


@pytest.mark.parametrize("subject", CALLS)
@pytest.mark.parametrize(
    "user", ["shop.operator.ben", "shop.admin.ana", "depot.operator.ana", "shop.visitor.ana"]
)
def test_another_is_refused(subject: str, user: str) -> None:
    refusal = refused(subject, f'{{"user": "{user}", "acc": "FRONT"}}')
    assert refusal is not None
    assert refusal.code == "not_allowed"
    assert user in refusal.message


@pytest.mark.parametrize("subject", CALLS)
@pytest.mark.parametrize("info", ["", "{", "[]", '{"user": 7}', '{"user": null}'])
def test_what_cannot_be_read_is_refused(subject: str, info: str) -> None:
    refusal = refused(subject, info)
    assert refusal is not None
    assert refusal.code == "malformed"
