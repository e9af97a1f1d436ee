"""What an engine really sends is what ``schemas/json`` is generated from, field by field.

A Struct takes unknown fields calmly, as every reader must; so each message is decoded and encoded
again, and has to be what it was.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import pytest

from services.cli.schemas.catalogue import QUERY_RESULTS, command_result
from shared.routing.commands import COMMANDS
from shared.routing.events import EVENT_TYPES, Envelope
from shared.wire.feeds import FEEDS
from tests.contract.by_schema import complaints, complaints_of_asyncapi
from tests.servers.client import Client, Fields, Listening, connected
from tests.servers.engine import running_engine

ADMIN = ("admin", "boss")
ANA = ("operator", "ana")
BEN = ("operator", "ben")
CLEO = ("operator", "cleo")
VERA = ("visitor", "vera")
WIM = ("visitor", "wim")
SLOW: list[Fields] = [
    {"after_s": 1, "action": "notify"},
    {"after_s": 1, "action": "message_visitor"},
    {"after_s": 1, "action": "escalate_invisible"},
]
SETTINGS: list[tuple[str, Fields]] = [
    ("create_workspace", {"name": "Work"}),
    ("create_group", {"group_id": "support", "name": "Support", "names": {"de": "Büro"}}),
    ("create_group", {"group_id": "calls", "name": "Calls"}),
    ("set_policy", {"scope": {"group": "calls"}, "policy": {"delivery": "broadcast"}}),
    ("set_policy", {"scope": {"group": "support"}, "policy": {"on_owner_offline": "reassign"}}),
    ("set_policy", {"scope": {"group": "support"}, "policy": {"on_slow": SLOW}}),
    (
        "define_entry_point",
        {
            "entry_point_id": "site",
            "name": "Site",
            "groups": ["support", "calls"],
            "fallback": [{"everyone": True}],
            "ask_group": True,
        },
    ),
    ("register_operator", {"operator_id": "ana", "name": "Ana", "email": "ana@example.org"}),
    ("register_operator", {"operator_id": "ben"}),
    ("register_operator", {"operator_id": "cleo"}),
    ("join_group", {"operator_id": "ana", "group_id": "support"}),
    ("join_group", {"operator_id": "ben", "group_id": "support"}),
    ("join_group", {"operator_id": "ben", "group_id": "calls"}),
    ("join_group", {"operator_id": "cleo", "group_id": "support"}),
]
RULES = ("service", "rules")
HELLO: Fields = {
    "rule_id": "hello",
    "name": "Hello",
    "order": 1,
    "enabled": True,
    "when": {"always": True},
    "then": [{"invite": {"message": "May I help you?"}}, {"ask_group": ["support"]}],
    "only_when_live": False,
}
FIRED: Fields = {
    "rule_id": "hello",
    "visitor_id": "xenia",
    "session_id": "s1",
    "entry_point_id": "site",
    "held": ["when"],
}
OPEN: Fields = {"conversation_id": "c1", "entry_point_id": "site", "attributes": {"cart": 3}}
C1: Fields = {"conversation_id": "c1"}
C2: Fields = {"conversation_id": "c2"}
C3: Fields = {"conversation_id": "c3"}
STORY: list[tuple[tuple[str, str], str, Fields]] = [
    (VERA, "open", OPEN | {"group_id": "support"}),
    (ANA, "log_in", {"session_id": "s1"}),
    (BEN, "log_in", {"session_id": "s2"}),
    (VERA, "write", C1),
    (ANA, "add_participant", C1 | {"operator_id": "ben"}),
    (ANA, "leave", C1),
    (BEN, "forward", C1 | {"to": {"operator": "ana"}, "note": "please"}),
    (ANA, "release", C1),
    (VERA, "open", C2 | {"entry_point_id": "site", "group_id": "calls"}),
    (BEN, "claim", C2),
    (ADMIN, "set_conversation", C2 | {"priority": 9}),
    (BEN, "set_status", {"status": "busy", "for_s": 3600}),
    (ADMIN, "assign_visitor", {"visitor_id": "vera", "to": {"operator": "ana"}}),
    (ADMIN, "forward", C1 | {"to": {"group": "calls"}}),
    (VERA, "close", C2),
    (VERA, "close", C2),
    (CLEO, "log_in", {"session_id": "s3"}),
    (CLEO, "set_status", {"status": "invisible"}),
    (CLEO, "set_preferences", {"reachable_when_slow": True}),
    (WIM, "open", C3 | {"entry_point_id": "site", "group_id": "support"}),
]
ONCE_IT_IS_SLOW: list[tuple[tuple[str, str], str, Fields]] = [
    (BEN, "set_status", {"status": "online"}),
    (ANA, "forward", C3 | {"to": {"operator": "ben"}, "mode": "offer", "note": "yours?"}),
    (BEN, "decline_offer", C3 | {"offer": 1, "reason": "busy"}),
    (ANA, "log_out", {"session_id": "s1"}),
]
QUESTIONS: list[tuple[tuple[str, str], str, Fields]] = [
    (ADMIN, "roster", {}),
    (ADMIN, "operators", {}),
    (BEN, "me", {}),
    (ANA, "inbox", {"view": "all", "limit": 1}),
    (ANA, "inbox", {"view": "mine"}),
    (ADMIN, "queue", {}),
    (ADMIN, "conversation", C1),
    (VERA, "conversation", C1),
    (VERA, "entry_point", {"entry_point_id": "site"}),
    (ADMIN, "visitor", {"visitor_id": "vera"}),
    (ADMIN, "workspace", {}),
    (ANA, "feed", {"after": 0}),
    (VERA, "feed", {"after": 0}),
    (BEN, "feed", {}),
    (ADMIN, "dead_letters", {}),
    (ADMIN, "resend_dead_letters", {}),
    (ADMIN, "why_not_fired", {"rule_id": "hello", "visitor_id": "xenia"}),
]


class Played(NamedTuple):
    client: Client
    feeds: dict[str, Listening]
    events: Listening


@pytest.fixture
async def played() -> AsyncIterator[Played]:
    """An engine on which everything above has happened, with what was heard meanwhile."""
    with running_engine() as engine:
        async with connected(engine.url) as client:
            events = await client.listen("fernamt.v1.evt.w.>")
            feeds = {
                feed: await client.listen(f"fernamt.v1.feed.w.{subject}")
                for feed, subject in {
                    "operator": "operator.*",
                    "visitor": "visitor.*",
                    "team": "team",
                    "entry": "entry.*",
                }.items()
            }
            for actor, command, body in [*((ADMIN, *setting) for setting in SETTINGS), *STORY]:
                await _done(client, actor, command, body)
            version = await _done(client, ADMIN, "save_rule", HELLO)
            await _done(client, RULES, "rule_fired", FIRED | {"version": version})
            await feeds["operator"].until(lambda _: feeds["operator"].of("escalated"))
            last = 0
            for actor, command, body in ONCE_IT_IS_SLOW:
                last = await _done(client, actor, command, body)
            await events.until(lambda _: _position(events) >= last)
            await feeds["team"].until(lambda bodies: bodies[-1]["position"] >= last)
            yield Played(client, feeds, events)


async def test_feeds_bring_what_is_described_and_all_of_it(played: Played) -> None:
    for feed, listening in played.feeds.items():
        described: Any = msgspec.json.Decoder(_union(feed))
        seen = {_as_described(described, body)["type"] for body in listening.bodies}
        for body in listening.bodies:
            assert complaints("feeds", f"{feed}.{body['type']}", body) == []
        assert seen == {str(shape.__struct_config__.tag) for shape in FEEDS[feed]}, feed


async def test_queries_are_answered_as_described(played: Played) -> None:
    assert {query for _, query, _ in QUESTIONS} == set(QUERY_RESULTS)
    for (kind, actor), query, body in QUESTIONS:
        reply = await played.client.ask("w", kind, actor, query, body)
        assert reply["ok"], reply
        assert set(reply) == {"ok", "position", "at", "result"}
        _as_described(msgspec.json.Decoder(QUERY_RESULTS[query]), reply["result"])
        assert complaints("results", f"query.{query}", reply["result"]) == []
        assert complaints_of_asyncapi(f"query.{query}.answer", reply) == []


async def test_events_are_published_as_described(played: Played) -> None:
    described = msgspec.json.Decoder(Envelope)
    for heard in played.events.messages:
        event = _as_described(described, heard.body)["data"]
        assert event["type"] == heard.headers["Fernamt-Event"]
        assert event["type"] in EVENT_TYPES
        assert complaints_of_asyncapi(f"event.{event['type']}", heard.body) == []
        assert heard.subject == f"fernamt.v1.evt.w.{event['type'].partition('.')[0]}"


async def _done(client: Client, actor: tuple[str, str], command: str, body: Fields) -> int:
    """Send the command; its answer has to be as described too. The result is the position."""
    reply = await client.command("w", *actor, command, body)
    assert reply["ok"], (command, reply)
    described: Any = msgspec.json.Decoder(command_result(COMMANDS[command]))
    _as_described(described, reply["result"])
    assert complaints("results", f"command.{command}", reply["result"]) == []
    assert complaints_of_asyncapi(f"command.{command}.answer", reply) == []
    return int(reply["position"])


def _as_described(described: "msgspec.json.Decoder[Any]", body: Fields) -> Fields:
    decoded = described.decode(msgspec.json.encode(body))
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == body
    return body


def _union(feed: str) -> Any:
    shapes = FEEDS[feed]
    union: Any = shapes[0]
    for shape in shapes[1:]:
        union |= shape
    return union


def _position(events: Listening) -> int:
    if not events.messages:
        return 0
    return int(events.messages[-1].headers["Nats-Msg-Id"].rpartition(":")[2])
