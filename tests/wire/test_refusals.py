"""A refusal says where a body is wrong and what may stand there, and never what stood there."""

import json
from typing import Any, get_args

import pytest

from shared.routing.commands import Refused
from shared.routing.vocabulary import Ranking
from tests.wire.test_requests import read, refused

RANKINGS = sorted(get_args(Ranking))
FAULTS: list[tuple[str, Any, str, str, dict[str, object]]] = [
    ("claim", {}, "malformed", "conversation_id is missing", {"path": "conversation_id"}),
    (
        "claim",
        {"conversation_id": "c.1"},
        "malformed",
        "conversation_id: an id is expected: 1 to 64 of A-Z, a-z, 0-9, _ and -",
        {"path": "conversation_id"},
    ),
    ("claim", [], "malformed", "the body: expected object, got array", {"path": ""}),
    (
        "claim",
        {"conversation_id": "c", "who": 1},
        "unknown_field",
        "there is no field who",
        {"field": "who", "path": "who"},
    ),
    (
        "forward",
        {"conversation_id": "c", "to": {"team": "x"}},
        "unknown_field",
        "there is no field to.team",
        {"field": "team", "path": "to.team"},
    ),
    (
        "forward",
        {"conversation_id": "c", "to": {}},
        "malformed",
        "to: exactly one of operator, group, everyone, entry_point is needed",
        {"path": "to"},
    ),
    (
        "forward",
        {"conversation_id": "c", "to": {"group": "a b"}},
        "malformed",
        "to.group: an id is expected: 1 to 64 of A-Z, a-z, 0-9, _ and -",
        {"path": "to.group"},
    ),
    (
        "close",
        {"conversation_id": "c", "reason": "bored"},
        "malformed",
        "reason: one of abandoned, other, solved, spam is expected",
        {"path": "reason", "allowed": ["abandoned", "other", "solved", "spam"]},
    ),
    (
        "close",
        {"conversation_id": "c", "reason": None},
        "malformed",
        "reason: expected str, got null",
        {"path": "reason"},
    ),
    (
        "define_role",
        {"role_id": "r", "permissions": {"conversations.assigned": "all"}},
        "malformed",
        "permissions.conversations.assigned: one of off, read, write is expected",
        {"path": "permissions.conversations.assigned", "allowed": ["off", "read", "write"]},
    ),
    (
        "define_entry_point",
        {"entry_point_id": "e", "groups": "nobody"},
        "malformed",
        "groups: one of everyone is expected",
        {"path": "groups", "allowed": ["everyone"]},
    ),
    (
        "define_entry_point",
        {"entry_point_id": "e", "visitor_may_set": ["priority", "owner"]},
        "malformed",
        "visitor_may_set[1]: one of optional_skills, priority, skills is expected",
        {"path": "visitor_may_set[1]", "allowed": ["optional_skills", "priority", "skills"]},
    ),
    (
        "define_entry_point",
        {"entry_point_id": "e", "names": {"": "x"}},
        "malformed",
        "a key in names: expected str of length >= 1",
        {"path": "names"},
    ),
    (
        "set_conversation",
        {"conversation_id": "c", "priority": 10},
        "malformed",
        "priority: expected int <= 9",
        {"path": "priority"},
    ),
    (
        "set_conversation",
        {"conversation_id": "c", "priority": 5.0},
        "malformed",
        "priority: expected int, got float",
        {"path": "priority"},
    ),
    (
        "set_conversation",
        {"conversation_id": "c", "tags": ["a", "x" * 201]},
        "malformed",
        "tags[1]: expected str of length <= 200",
        {"path": "tags[1]"},
    ),
    (
        "set_policy",
        {"scope": {"workspace": True}, "policy": {"ranking": "best"}},
        "invalid_policy",
        f"policy.ranking: one of {', '.join(RANKINGS)} is expected",
        {"path": "policy.ranking", "allowed": RANKINGS},
    ),
    (
        "set_policy",
        {"scope": {"workspace": True}, "policy": {"rankings": "x"}},
        "invalid_policy",
        "there is no field policy.rankings",
        {"field": "rankings", "path": "policy.rankings"},
    ),
    (
        "set_policy",
        {"scope": {"workspace": True}, "policy": {"reopen_window_s": -1}},
        "invalid_policy",
        "policy.reopen_window_s: expected int >= 0",
        {"path": "policy.reopen_window_s"},
    ),
    (
        "set_policy",
        {"scope": {"workspace": True}, "policy": []},
        "invalid_policy",
        "policy: expected object, got array",
        {"path": "policy"},
    ),
    (
        "set_policy",
        {"scope": {"workspace": True}},
        "malformed",
        "policy is missing",
        {"path": "policy"},
    ),
    (
        "set_policy",
        {"scope": {"team": "x"}, "policy": {}},
        "unknown_field",
        "there is no field scope.team",
        {"field": "team", "path": "scope.team"},
    ),
]


@pytest.mark.parametrize(("name", "body", "code", "message", "detail"), FAULTS)
def test_a_refusal_names_the_place_and_what_may_stand_there(
    name: str, body: object, code: str, message: str, detail: dict[str, object]
) -> None:
    assert read(name, body) == Refused(code, message, detail)


def test_a_long_name_of_a_field_comes_back_shortened() -> None:
    refusal = refused(read("claim", {"conversation_id": "c", "x" * 50_000: 1}))
    assert refusal.code == "unknown_field"
    assert len(json.dumps([refusal.message, refusal.detail])) < 500


@pytest.mark.parametrize("name", ["x", "x`", "x - at `$.policy", "x` - at `$.policy`"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_name_that_looks_like_a_complaint_misleads_nobody(name: str, *, inside: bool) -> None:
    scope = {"workspace": True, name: 1} if inside else {"workspace": True}
    body = {"scope": scope, "policy": {}} | ({} if inside else {name: 1})
    refusal = refused(read("set_policy", body))
    assert refusal.code == "unknown_field"
    assert refusal.detail == {"field": name, "path": f"scope.{name}" if inside else name}
