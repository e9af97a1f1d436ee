"""Who may publish, request and subscribe to what: every kind of actor, in two workspaces.

In the table, W is the actor's workspace, V another one, K the kind, A the actor and B another one.
``+`` says that the broker lets it through, ``-`` that it refuses. An auditing operator is one whose
token says so.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from services.auth import service
from services.auth.permissions import Permissions, permissions_of
from services.auth.sessions import Session
from shared.adapters.nats_bus import NatsBus
from shared.ports import Message, NoResponders
from tests.servers.guarded import Guarded

ACTORS = ("visitor", "operator", "auditing", "admin", "service")

TABLE = """
say  fernamt.v1.cmd.W.K.A.open                     + + + + +
say  fernamt.v1.cmd.W.K.B.open                     - - - - -
say  fernamt.v1.cmd.V.K.A.open                     - - - - -
say  fernamt.v1.cmd.W.visitor.A.open               + - - - -
say  fernamt.v1.cmd.W.operator.A.claim             - + + - -
say  fernamt.v1.cmd.W.admin.A.set_policy           - - - + -
say  fernamt.v1.cmd.W.service.A.erase              - - - - +
say  fernamt.v1.cmd.W.service.presence.idle        - - - - -
say  fernamt.v1.cmd.W.service.rules.rule_fired     - - - - -
say  fernamt.v1.cmd.W.K.A.open.more                - - - - -
say  fernamt.v1.ask.W.K.A.inbox                    + + + + +
say  fernamt.v1.ask.W.K.B.inbox                    - - - - -
say  fernamt.v1.ask.V.K.A.inbox                    - - - - -
say  fernamt.v1.audit.W.K.A.explain                - - + + +
say  fernamt.v1.audit.W.K.B.explain                - - - - -
say  fernamt.v1.audit.V.K.A.explain                - - - - -
say  fernamt.v1.beat.W.operator.A.desk             - + + - +
say  fernamt.v1.beat.W.operator.B.desk             - - - - +
say  fernamt.v1.beat.V.operator.A.desk             - - - - -
say  fernamt.v1.seen.W.visitor.A                   + - - - +
say  fernamt.v1.seen.W.visitor.B                   - - - - +
say  fernamt.v1.seen.V.visitor.A                   - - - - -
say  fernamt.v1.feed.W.K.A                         - - - - -
say  fernamt.v1.feed.W.operator.B                  - - - - -
say  fernamt.v1.feed.W.team                        - - - - -
say  fernamt.v1.evt.W.conversation_opened          - - - - -
say  fernamt.v1.transcript.W.c1                    - - - - -
say  fernamt.v1.head.W                             - - - - -
say  fernamt.v1.sign.W.operator.A                  - - - - -
say  fernamt.v1.watch                              - - - - -
say  fernamt.v1.share.router                       - - - - -
say  fernamt.v1.part.1.cmd.W.K.A.create_workspace  - - - - -
say  _INBOX.W.K.A.1                                - - - - -
say  _INBOX.W.K.B.1                                - - - - -
say  _INBOX.router.1                               - - - - -
say  _R_.1.2                                       - - - - -
say  $JS.API.STREAM.INFO.FERNAMT_EVENTS            - - - - -
say  $JS.API.STREAM.DELETE.FERNAMT_EVENTS          - - - - -
say  $SRV.PING                                     - - - - -
say  $SYS.REQ.USER.AUTH                            - - - - -
say  $SYS.REQ.SERVER.PING                          - - - - -
hear fernamt.v1.feed.W.K.A                         + + + - -
hear fernamt.v1.feed.W.K.B                         - - - - -
hear fernamt.v1.feed.V.K.A                         - - - - -
hear fernamt.v1.feed.W.visitor.A                   + - - - -
hear fernamt.v1.feed.W.operator.A                  - + + - -
hear fernamt.v1.feed.W.team                        - + + - -
hear fernamt.v1.feed.V.team                        - - - - -
hear fernamt.v1.feed.*.team                        - - - - -
hear fernamt.v1.feed.W.entry.site                  + + + + +
hear fernamt.v1.feed.W.entry.*                     + + + + +
hear fernamt.v1.feed.V.entry.site                  - - - - -
hear fernamt.v1.feed.W.K.*                         - - - - -
hear fernamt.v1.feed.W.>                           - - - - -
hear fernamt.v1.feed.>                             - - - - -
hear fernamt.v1.evt.W.conversation_opened          - - - - +
hear fernamt.v1.evt.W.*                            - - - - +
hear fernamt.v1.evt.V.*                            - - - - -
hear fernamt.v1.evt.>                              - - - - -
hear fernamt.v1.transcript.W.*                     - - - - +
hear fernamt.v1.transcript.V.*                     - - - - -
hear fernamt.v1.cmd.W.K.A.*                        - - - - -
hear fernamt.v1.cmd.>                              - - - - -
hear fernamt.v1.ask.>                              - - - - -
hear fernamt.v1.audit.>                            - - - - -
hear fernamt.v1.beat.>                             - - - - -
hear fernamt.v1.seen.>                             - - - - -
hear fernamt.v1.head.*                             - - - - -
hear fernamt.v1.>                                  - - - - -
hear fernamt.>                                     - - - - -
hear >                                             - - - - -
hear *.*.*.*.*                                     - - - - -
hear _INBOX.W.K.A.>                                + + + + +
hear _INBOX.W.K.A.1                                + + + + +
hear _INBOX.W.K.B.>                                - - - - -
hear _INBOX.V.K.A.>                                - - - - -
hear _INBOX.W.visitor.A.>                          + - - - -
hear _INBOX.W.operator.A.>                         - + + - -
hear _INBOX.W.K.*.>                                - - - - -
hear _INBOX.W.>                                    - - - - -
hear _INBOX.>                                      - - - - -
hear _R_.>                                         - - - - -
hear $JS.>                                         - - - - -
hear $SYS.>                                        - - - - -
hear $SRV.>                                        - - - - -
"""


class Row(NamedTuple):
    verb: str
    pattern: str
    expected: Mapping[str, bool]


def rows() -> Iterator[Row]:
    for line in TABLE.strip().splitlines():
        verb, pattern, *signs = line.split()
        assert len(signs) == len(ACTORS)
        yield Row(verb, pattern, dict(zip(ACTORS, (sign == "+" for sign in signs), strict=True)))


def subject_for(pattern: str, workspace: str, other: str, kind: str) -> str:
    """The pattern with its letters replaced."""
    stands_for = {"W": workspace, "V": other, "K": kind, "A": "ana", "B": "ben"}
    return ".".join(stands_for.get(token, token) for token in pattern.split("."))


def test_the_table_has_both_answers_for_everybody() -> None:
    """Else a broker that refuses all, or nothing, would pass."""
    for actor in ACTORS:
        for verb in ("say", "hear"):
            assert {row.expected[actor] for row in rows() if row.verb == verb} == {True, False}


@pytest.mark.parametrize(("workspace", "other"), [("shop", "depot"), ("depot", "shop")])
@pytest.mark.parametrize("actor", ACTORS)
async def test_everybody_may_do_what_the_table_says(
    broker: Guarded, actor: str, workspace: str, other: str
) -> None:
    assert await _differences(broker, actor, workspace, other) == []


async def test_a_right_too_many_shows(broker: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ablation: with every feed of the workspace for everybody, the table is not kept to."""

    def generous(session: Session) -> Permissions:
        may = permissions_of(session)
        return may._replace(subscribe=[*may.subscribe, f"fernamt.v1.feed.{session.workspace_id}.>"])

    monkeypatch.setattr(service, "permissions_of", generous)
    wrong = await _differences(broker, "operator", "shop", "depot")
    assert "subscribe fernamt.v1.feed.shop.operator.ben: allowed" in wrong
    assert "share fernamt.v1.feed.shop.>: allowed" in wrong
    assert not any("depot" in found for found in wrong)


async def _differences(broker: Guarded, actor: str, workspace: str, other: str) -> list[str]:
    """What the broker does otherwise than the table says."""
    kind = "operator" if actor == "auditing" else actor
    claim = {"workspace": workspace, "kind": kind, "audit": actor == "auditing"}
    bus = await broker.somebody(workspace, kind, "ana", fernamt=claim)
    wrong = []
    for verb, pattern, expected in rows():
        subject = subject_for(pattern, workspace, other, kind)
        for way, may in (await _tried(bus, verb, subject)).items():
            if may != expected[actor]:
                wrong.append(f"{way} {subject}: {'allowed' if may else 'denied'}")
    return wrong


async def _tried(bus: NatsBus, verb: str, subject: str) -> Mapping[str, bool]:
    if verb == "say":
        return {"publish": await _publishes(bus, subject), "request": await _requests(bus, subject)}
    return {
        "subscribe": await _subscribes(bus, subject, ""),
        "share": await _subscribes(bus, subject, "some"),
    }


async def _publishes(bus: NatsBus, subject: str) -> bool:
    """What the broker refuses it says before it answers the flush."""
    before = bus.counters.denied
    bus.publish(subject, b"{}")
    await bus.flush()
    return bus.counters.denied == before


async def _requests(bus: NatsBus, subject: str) -> bool:
    """Nobody is there to answer: that is said at once to whoever may ask."""
    try:
        await bus.request(subject, b"{}", timeout_s=10)
    except PermissionError:
        return False
    except NoResponders:
        return True
    raise AssertionError(f"somebody answers on {subject}")


async def _subscribes(bus: NatsBus, subject: str, queue: str) -> bool:
    def ignore(message: Message) -> None:
        """Nothing is sent here."""

    try:
        subscription = await bus.subscribe(subject, ignore, queue=queue)
    except PermissionError:
        return False
    await subscription.stop()
    return True
