"""Rules on the wire: faults with their places, and patterns that are none."""

import json
from time import monotonic
from typing import Any

import pytest

from shared.routing.commands import Refused, SaveRule
from shared.routing.ids import WorkspaceId
from shared.wire.requests import CommandRequest, decode_command
from shared.wire.rule_patterns import BadPattern, pattern_of, wildcard_of
from shared.wire.subjects import Call

ALWAYS: dict[str, Any] = {"always": True}


def read(**fields: Any) -> CommandRequest | Refused:
    call = Call("cmd", WorkspaceId("w-1"), "admin", "root", "save_rule")
    return decode_command(call, json.dumps({"rule_id": "r", **fields}).encode(), {})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"when": {}}, "when"),
        ({"when": {"always": False}}, "when"),
        ({"when": {"all": []}}, "when.all"),
        ({"when": {"all": [ALWAYS], "any": [ALWAYS]}}, "when"),
        ({"when": {"any": [ALWAYS, {"field": "title"}]}}, "when.any[1]"),
        ({"when": {"any": [ALWAYS, {"field": "title", "op": "is"}]}}, "when.any[1].op"),
        ({"when": {"not": {"always": True, "op": "in"}}}, "when.not"),
        ({"when": {"not": {"allways": True}}}, "when.not.allways"),
        ({"when": {"field": "title", "op": "equals", "value": {}}}, "when.value"),
        ({"when": {"field": "title", "op": "matches", "value": "("}}, "when.value"),
        (
            {"when": {"all": [{"not": {"field": "title", "op": "matches", "value": "a{9999}"}}]}},
            "when.all[0].not.value",
        ),
        ({"then": []}, "then"),
        ({"then": [{}]}, "then[0]"),
        ({"then": [{"assign": {"everyone": True}, "add_tag": "t"}]}, "then[0]"),
        ({"then": [{"assign": {}}]}, "then[0].assign"),
        ({"then": [{"assign": {"group": "a b"}}]}, "then[0].assign.group"),
        ({"then": [{"add_tag": "t"}, {"invite": {"message": ""}}]}, "then[1].invite.message"),
        ({"then": [{"invite": {}}]}, "then[0].invite.message"),
        ({"then": [{"set_priority": 10}]}, "then[0].set_priority"),
        ({"then": [{"ask_group": []}]}, "then[0].ask_group"),
    ],
)
def test_tr01_t04_a_fault_is_told_with_its_place(fields: dict[str, Any], path: str) -> None:
    refusal = read(**fields)
    assert isinstance(refusal, Refused)
    assert (refusal.code, refusal.detail["path"]) == ("invalid_rule", path)


def test_tr01_a_tree_is_as_deep_as_any_body_may_be() -> None:
    deep = ALWAYS
    for _ in range(29):
        deep = {"not": deep}
    assert isinstance(read(when=deep), CommandRequest)
    for _ in range(3):
        deep = {"not": deep}
    refusal = read(when=deep)
    assert isinstance(refusal, Refused)
    assert refusal.code == "malformed"


def test_au09_the_texts_of_a_rule_are_those_of_its_invitations() -> None:
    then = [{"add_tag": "t"}, {"invite": {"message": "Hello"}}]
    request = read(name="Welcome", then=then)
    assert isinstance(request, CommandRequest)
    assert isinstance(request.command, SaveRule)
    assert dict(request.command.texts()) == {"then[1].invite.message": "Hello"}


# --- patterns -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["(", "*", "a{1001}", "[z-a]", "(?P<x", "(?=a)b", r"(a)\1", "((a{100}){100})", "\ud800"]
)
def test_tr03_what_re2_does_not_read_is_no_pattern(text: str) -> None:
    with pytest.raises(BadPattern) as caught:
        pattern_of(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^https://", "HTTPS://example.org/", True),
        ("/(fr|de)/", "https://example.org/fr/x", True),
        ("/(fr|de)/", "https://example.org/it/x", False),
        ("straße", "Hauptstraße", True),
    ],
)
def test_tr03_a_pattern_is_found_anywhere_in_any_case(
    pattern: str, text: str, *, found: bool
) -> None:
    assert (pattern_of(pattern).search(text) is not None) is found


@pytest.mark.parametrize(
    ("wildcard", "text", "fits"),
    [
        ("https://*.example.org/*", "https://shop.EXAMPLE.org/", True),
        ("https://*.example.org/*", "https://example.org/", False),
        ("/shop/?", "/shop/a", True),
        ("/shop/?", "/shop/", False),
        ("a.c", "abc", False),
        ("(a", "(a", True),
        ("*", "", True),
        ("a*", "a\nb", True),
    ],
)
def test_tr03_a_wildcard_fits_the_whole(wildcard: str, text: str, *, fits: bool) -> None:
    assert (wildcard_of(wildcard).fullmatch(text) is not None) is fits


def test_tr03_no_pattern_takes_for_ever() -> None:
    """What brings a backtracking engine to its knees, on a text of four thousand characters."""
    began = monotonic()
    for pattern in ("(a+)+$", "(a|a)*$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"):
        pattern_of(pattern).search("a" * 4_000 + "!")
    assert monotonic() - began < 5
