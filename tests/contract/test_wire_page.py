"""``docs/wire.md`` names the commands, queries, feeds, codes and policies that exist, no others."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Literal, get_args, get_origin

import msgspec
import pytest
from msgspec import UNSET

from services.router.crowd import CROWD, JOBS_MAX, WAIT_MAX_MS
from services.trigger_evaluator.comparing import Doubt
from services.trigger_evaluator.explaining import Why
from shared.routing.commands import COMMANDS
from shared.routing.conditions import OPS, FieldKind, kind_of
from shared.routing.evolve import COMMANDS_MAX
from shared.routing.policy import WORKSPACE_ONLY, Policy, SlowStep, WideningStep
from shared.routing.questions import EVERY_QUERY
from shared.routing.rules import FAMILIES, FIELDS, Action, Op
from shared.routing.vocabulary import NotFired
from shared.wire.audit import AUDIT_QUESTIONS, Pattern
from shared.wire.feeds import FEEDS, FeedMessage
from shared.wire.refusals import BODY_BYTES_MAX, DEPTH_MAX
from shared.wire.replies import STATUS
from shared.wire.views import PageView
from tests.tidy.sources import ROOT, modules

_CODE = re.compile(r"`([a-z_]+)(\?)?`")
_WORDS = sorted(
    {
        word
        for words in (*msgspec.structs.fields(Policy), *msgspec.structs.fields(SlowStep))
        if get_origin(words.type) is Literal
        for word in get_args(words.type)
    }
)
_COMMON = {*FeedMessage.__struct_fields__, "seq"}


@cache
def _page() -> str:
    return (ROOT / "docs/wire.md").read_text(encoding="utf-8")


def _section(title: str) -> str:
    """From the heading to the next one of the same rank."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", _page(), re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def _part(title: str, part: str) -> str:
    """What stands under the smaller heading ``part`` of a section."""
    found = re.search(rf"^### {part}\n(.*?)(?=^### |\Z)", _section(title), re.MULTILINE | re.DOTALL)
    assert found, part
    return found[1]


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def _named(cell: str) -> dict[str, bool]:
    """Fields in a cell, and whether each may be left out."""
    return {name: bool(optional) for name, optional in _CODE.findall(cell)}


def _fields(shape: type[msgspec.Struct]) -> dict[str, bool]:
    return {
        field.encode_name: not field.required or field.default is UNSET
        for field in msgspec.structs.fields(shape)
    }


def _described(title: str) -> dict[str, tuple[set[str], dict[str, bool]]]:
    """Who may send what, with which fields, according to the page."""
    rows = [row for row in _rows(_section(title)) if _CODE.fullmatch(row[0])]
    return {
        row[0].strip("`"): (set(row[1].split(", ")), _named(row[2]))
        for row in rows
        if row[1] in _WHO
    }


_WHO = {", ".join(command.allowed) for command in COMMANDS.values()} | {
    ", ".join(query.allowed) for query in (*EVERY_QUERY.values(), *AUDIT_QUESTIONS.values())
}


def test_commands_are_those_there_are() -> None:
    expected = {
        name: (set(command.allowed), _fields(command)) for name, command in COMMANDS.items()
    }
    assert _described("Commands") == expected


@pytest.mark.parametrize(("part", "service"), [("Presence", "presence"), ("Rules", "rules")])
def test_what_is_reserved_stands_apart(part: str, service: str) -> None:
    rows = {row[0].strip("`") for row in _rows(_part("Commands", part)) if row[1] in _WHO}
    assert rows == {name for name, command in COMMANDS.items() if command.reserved == service}


def test_two_services_have_commands_of_their_own() -> None:
    assert {command.reserved for command in COMMANDS.values()} == {"", "presence", "rules"}


def test_every_condition_that_can_be_made_is_explained() -> None:
    """Fields with the ops they take, as rules are judged when they are saved."""
    rows = [row for row in _rows(_part("Commands", "Rules")) if row[1] in _KINDS]
    described = {
        field: (_KINDS[row[1]], set(_ops(row[2])))
        for row in rows
        for field in re.findall(r"`([a-z_]+\.?)(?:[A-Z]+)?`", row[0])
    }
    expected = {
        field: (kind, set(OPS[kind]))
        for field in (*FIELDS, *FAMILIES)
        if (kind := kind_of(field if field in FIELDS else f"{field}x")) is not None
    }
    assert described == expected


_KINDS: dict[str, FieldKind] = {
    "text": "text",
    "number": "number",
    "true or false": "truth",
    '`"HH:MM"`': "time",
    "text, number, true or false": "any",
}


def _ops(cell: str) -> tuple[str, ...]:
    return get_args(Op) if cell == "all of them" else tuple(re.findall(r"`([a-z_]+)`", cell))


def test_every_action_is_explained() -> None:
    rows = [row[0] for row in _rows(_part("Commands", "Rules")) if row[0].startswith("`{")]
    named = {name for row in rows for name in re.findall(r'`{"([a-z_]+)"', row)}
    assert named == set(Action.__struct_fields__)


def test_every_reason_why_a_rule_did_nothing_is_named() -> None:
    (row,) = [row for row in _rows(_part("Commands", "Rules")) if row[0] == "`rule_fired`"]
    assert set(get_args(NotFired)) <= set(re.findall(r"`([a-z_]+)`", row[3]))


def test_queries_are_those_there_are() -> None:
    expected = {name: (set(query.allowed), _fields(query)) for name, query in EVERY_QUERY.items()}
    assert _described("Queries") == expected


def test_audit_questions_are_those_there_are() -> None:
    expected = {
        name: (set(question.allowed), _fields(question))
        for name, question in AUDIT_QUESTIONS.items()
    }
    assert _described("Audit questions") == expected


def test_every_pattern_to_find_is_explained() -> None:
    words = set(re.findall(r"`([a-z_]+)`", _section("Audit questions")))
    assert set(get_args(Pattern)) <= words


def test_a_page_view_is_explained_field_by_field() -> None:
    rows = [row[0] for row in _rows(_section("Page views")) if row[0].startswith("`")]
    described = {name: optional for row in rows for name, optional in _named(row).items()}
    assert described == _fields(PageView)


def test_every_reason_why_a_rule_did_not_fire_is_named() -> None:
    words = set(re.findall(r"`([a-z_]+)`", _section("Queries")))
    named = {word for part in get_args(Why) for word in get_args(part) or (part,)}
    assert named - {"unknown_rule", "other_version"} <= words
    assert set(get_args(Doubt)) <= words


def test_policies_are_those_there_are() -> None:
    rows = [row for row in _rows(_part("Commands", "Policies")) if row[0].startswith("`")]
    described = {row[0].strip("` ¹"): row[2].strip("`") for row in rows}
    defaults = msgspec.to_builtins(Policy())
    assert described == {name: _shown(value) for name, value in defaults.items()}
    marked = {row[0].strip("` ¹") for row in rows if row[0].endswith("¹")}
    assert marked == set(WORKSPACE_ONLY)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(("policy", "step"), [("on_slow", SlowStep), ("widening", WideningStep)])
def test_steps_of_policies_are_those_there_are(policy: str, step: type[msgspec.Struct]) -> None:
    rows = [row for row in _rows(_part("Commands", "Steps of policies")) if f"`{policy}`" in row[1]]
    described = {name: optional for row in rows for name, optional in _named(row[0]).items()}
    assert described == _fields(step)


@pytest.mark.parametrize("word", _WORDS)
def test_every_word_that_a_policy_takes_is_explained(word: str) -> None:
    explained = _part("Commands", "Policies") + _part("Commands", "Steps of policies")
    assert f"`{word}`" in explained


def test_feeds_are_those_there_are() -> None:
    rows = [row for row in _rows(_section("Feeds")) if row[0] in FEEDS]
    described = {(row[0], row[1].strip("`")): _named(row[2]) for row in rows}
    expected = {
        (feed, str(shape.__struct_config__.tag)): {
            name: optional
            for name, optional in _fields(shape).items()
            if name not in _COMMON and not (name == "conversation_id" and feed != "team")
        }
        for feed, shapes in FEEDS.items()
        for shape in shapes
    }
    assert described == expected


def test_error_codes_are_those_that_are_given() -> None:
    given = {code for code in STATUS if _is_given(code)}
    rows = {row[0]: row[1] for row in _rows(_section("Replies")) if row[0].isdecimal()}
    described = {
        (code, int(number))
        for number, cell in rows.items()
        for code in re.findall(r"`([a-z_]+)`", cell)
    }
    assert described == {(code, STATUS[code]) for code in given}


def _is_given(code: str) -> bool:
    """Whether some module refuses with this code; those of ``unknown`` are put together."""
    made = (
        rf'Refused\(\s*"{code}"',
        rf'unknown\("{code.removeprefix("unknown_")}"',
        rf'(?::|or) "{code}"',
        rf'^[A-Z_]+ = "{code}"',
    )
    patterns = [re.compile(part, re.MULTILINE) for part in made]
    texts = [module.text for module in modules("shared", "services")]
    return any(pattern.search(text) for pattern in patterns for text in texts)


LIMITS = (BODY_BYTES_MAX // 1024, DEPTH_MAX, COMMANDS_MAX, JOBS_MAX, CROWD, WAIT_MAX_MS)


@pytest.mark.parametrize("number", LIMITS)
def test_limits_are_those_that_hold(number: int) -> None:
    assert re.search(rf"\b{number:,}\b", _section("Limits"))
