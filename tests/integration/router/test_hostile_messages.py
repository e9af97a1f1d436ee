"""The whole hostile corpus on every subject of a living engine: typed errors, and nothing else."""

import asyncio
import itertools
from collections.abc import Iterable, Mapping

import msgspec
import pytest

from shared.adapters.nats_bus import NatsBus
from shared.ports import NoResponders
from shared.routing.commands import COMMANDS
from shared.routing.questions import QUERIES
from shared.wire.headers import ERROR, ERROR_CODE
from shared.wire.replies import STATUS
from tests.servers.engine import Engine
from tests.servers.office import Office
from tests.wire import hostile

AT_ONCE = 64
UNREADABLE = (400, 413)
KINDS = ("admin", "operator", "visitor", "service")
REFUSED_MIN = 30
CARRIED_MAX = 1_000_000
"""What the broker takes at all; larger messages never leave the client."""

Sent = tuple[str, bytes, Mapping[str, str]]


def _bodies(workspace: str, purpose: str, names: Iterable[str]) -> Iterable[Sent]:
    for (number, name), (_, body) in itertools.product(enumerate(names), hostile.BODIES):
        if len(body) < CARRIED_MAX:
            kind = KINDS[number % len(KINDS)]
            yield f"fernamt.v1.{purpose}.{workspace}.{kind}.ana.{name}", body, {}


@pytest.mark.parametrize(("purpose", "names"), [("cmd", list(COMMANDS)), ("ask", list(QUERIES))])
async def test_no_hostile_body_does_anything(
    engine: Engine, office: Office, purpose: str, names: list[str]
) -> None:
    await _all_refused(engine, office, _bodies(office.workspace, purpose, names))


async def test_no_hostile_header_does_anything(engine: Engine, office: Office) -> None:
    subject = f"fernamt.v1.cmd.{office.workspace}.admin.root.create_group"
    body = b'{"group_id":"g","name":"G"}'
    await _all_refused(
        engine,
        office,
        (
            (subject, body, headers)
            for _, headers in hostile.HEADERS
            if all(_can_be_sent(value) for value in headers.values())
        ),
    )


async def test_a_hostile_trace_stops_nothing(office: Office) -> None:
    for number, (_, trace) in enumerate(hostile.TRACES):
        if _can_be_sent(trace):
            fields = {"group_id": f"g-{number}", "name": f"G {number}"}
            headers = {"traceparent": trace}
            assert (await office.send("admin", "root", "create_group", fields, headers=headers))[
                "ok"
            ]


async def test_no_hostile_subject_does_anything(engine: Engine, office: Office) -> None:
    before = await office.position()
    for _, subject in hostile.SUBJECTS:
        placed = subject.replace("w-1", office.workspace)
        if _is_published(placed) and not placed.startswith(("$", "_INBOX", "fernamt.v1.cmd.>")):
            try:
                answer = await office.client.bus.request(placed, b"{}", timeout_s=10)
            except (NoResponders, ValueError):
                continue
            assert answer.headers[ERROR] == "malformed", placed
    assert await office.position() == before
    assert engine.running


async def _all_refused(engine: Engine, office: Office, sent: Iterable[Sent]) -> None:
    before = await office.position()
    waiting = iter(sent)
    refused = 0
    while several := list(itertools.islice(waiting, AT_ONCE)):
        await asyncio.gather(*(_refused(office.client.bus, *one) for one in several))
        refused += len(several)
    assert refused >= REFUSED_MIN
    assert await office.position() == before
    assert engine.running
    assert "decision_failed" not in engine.stderr


async def _refused(bus: NatsBus, subject: str, body: bytes, headers: Mapping[str, str]) -> None:
    answer = await bus.request(subject, body, headers=headers, timeout_s=30)
    reply = msgspec.json.decode(answer.data)
    assert reply["ok"] is False, (subject, body[:80], headers)
    code = reply["error"]["code"]
    assert STATUS[code] in UNREADABLE, (code, subject, body[:80], headers)
    assert answer.headers[ERROR] == code
    assert answer.headers[ERROR_CODE] == str(STATUS[code])


def _can_be_sent(text: str) -> bool:
    """Whether the protocol carries it in a header at all, and as it is."""
    whole = text == text.strip() and not set(text) & set("\r\n\0")
    return whole and len(text) < CARRIED_MAX and _encodes(text)


def _is_published(subject: str) -> bool:
    """Whether the protocol carries it as a subject: a line of it has 4,096 bytes at most."""
    return 0 < len(subject) < 4_000 and not set(subject) & set(" \t\r\n\0") and _encodes(subject)


def _encodes(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
