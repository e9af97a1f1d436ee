"""``schemas/typescript`` has a type for everything, and refers to nothing that it does not declare.

Whether TypeScript's compiler agrees is tried by ``make check-extra``.
"""

import re

import pytest

from services.cli.schemas import typescript
from services.cli.schemas.json_schema import Schema, everything
from shared.routing.commands import COMMANDS
from shared.routing.events import EVENT_TYPES
from shared.routing.questions import EVERY_QUERY
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.feeds import FEEDS

TEXT = typescript.text()
CODE = re.sub(r"/\*\*.*?\*/|^//.*?$|\"[^\"]*\"", "", TEXT, flags=re.DOTALL | re.MULTILINE)
BUILT_IN = {"Body", "Feed", "Name", "Result"}
"""Parameters of types."""


def test_every_class_on_the_wire_is_declared_once() -> None:
    _, schemas = everything("{name}")
    declared = re.findall(r"^export (?:interface|type) (\w+)", CODE, re.MULTILINE)
    assert len(declared) == len(set(declared))
    assert set(schemas) <= set(declared)


def test_no_type_is_named_that_is_not_declared() -> None:
    declared = set(re.findall(r"^export (?:interface|type) (\w+)", CODE, re.MULTILINE))
    named = set(re.findall(r"\b[A-Z]\w*", CODE))
    assert named - declared - BUILT_IN == set()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Commands", COMMANDS),
        ("Queries", EVERY_QUERY),
        ("AuditQuestions", AUDIT_QUESTIONS),
        ("Feeds", FEEDS),
        ("Events", EVENT_TYPES),
    ],
)
def test_everything_is_found_by_its_name(name: str, keys: dict[str, object]) -> None:
    found = re.search(rf"^export interface {name} {{\n(.*?)^}}", TEXT, re.DOTALL | re.MULTILINE)
    assert found
    assert re.findall(r"^  \"?([\w.]+)\"?:", found[1], re.MULTILINE) == list(keys)


@pytest.mark.parametrize(
    ("schema", "of"),
    [
        ({"type": "integer"}, "number"),
        ({"$ref": "Scope"}, "Scope"),
        ({"const": True}, "true"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"anyOf": [{"enum": ["a"]}, {"enum": ["a", "b"]}, {"type": "null"}]}, '"a" | "b" | null'),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a" | "b")[]'),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}]},
            "[string, null]",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            "{ [name: string]: boolean }",
        ),
        ({"type": "object", "properties": {}}, "{ [name: string]: never }"),
        ({"type": "object"}, "{ [name: string]: unknown }"),
        ({"$comment": "any JSON"}, "unknown"),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"const": True}},
                "maxProperties": 1,
            },
            "{ a: string; b?: never; } | { b: true; a?: never; }",
        ),
    ],
)
def test_a_schema_becomes_a_type(schema: Schema, of: str) -> None:
    assert typescript._type(schema, "") == of


@pytest.mark.parametrize("schema", [{"type": "complex"}, {"allOf": []}, {"not": {}}])
def test_a_schema_in_unknown_words_does_not_pass_for_anything(schema: Schema) -> None:
    with pytest.raises(ValueError, match="no TypeScript for"):
        typescript._type(schema, "")


def test_a_description_cannot_end_its_comment() -> None:
    assert typescript._comment("either */ or") == "/** either *\\/ or */\n"
