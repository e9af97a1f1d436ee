"""TypeScript types of every body, from the same schemas, and which name stands for which of them.

Where readers must expect more than is said (an unknown type of message, an unknown code), a type
cannot say so: it holds for what this release sends.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.auditor.works import JOB_RESULTS
from services.cli.schemas.catalogue import QUERY_RESULTS, Shape, command_result
from services.cli.schemas.json_schema import Schema, everything
from shared.audit.answering import RESULTS as AUDIT_RESULTS
from shared.routing.commands import COMMANDS
from shared.routing.events import EVENT_TYPES
from shared.routing.questions import EVERY_QUERY
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.feeds import FEEDS

NAME = "typescript/fernamt.d.ts"

_HEAD = """\
// What is said between Fernamt and its front ends, as types. `make schemas` writes this file.
"""

_WIDTH = 90
"""Characters of a union that stands on one line."""

_GENERIC = {"Answered": "result"}
"""Types with a parameter, and the field that it stands in."""

_TAIL = """\
/** What comes back to a request whose `result` is known. */
export type ReplyWith<Result> = Answered<Result> | NotDone;
export type CommandReply<Name extends keyof Commands> = ReplyWith<Commands[Name]["result"]>;
export type QueryReply<Name extends keyof Queries> = ReplyWith<Queries[Name]["result"]>;
export type AuditReply<Name extends keyof AuditQuestions> = ReplyWith<
  AuditQuestions[Name]["result"]
>;

/** A body as a back end sends it, which speaks for somebody. */
export type Spoken<Body> = string extends keyof Body
  ? { as: OnBehalf }
  : Body & { as: OnBehalf };

/** Any message of one kind of feed; `type` tells them apart. */
export type FeedMessage<Feed extends keyof Feeds = keyof Feeds> = Feeds[Feed];

/** Any event; `type` is the name it is stored under. */
export type FernamtEvent = Events[keyof Events];
"""


def files() -> dict[str, str]:
    """The one file's text by its path."""
    return {NAME: text()}


def text() -> str:
    """All types, in the order of their names, then what is sent and answered by which name."""
    _, schemas = everything("{name}")
    return "\n".join([
        _HEAD,
        *(_declared(name, schema) for name, schema in sorted(schemas.items())),
        *_maps(),
        _TAIL,
    ])  # fmt: skip


# --- types by the names of what they are for ------------------------------------------------


def _maps() -> Iterator[str]:
    results = {name: command_result(command) for name, command in COMMANDS.items()}
    yield _exchanged("Commands", "Commands by name.", COMMANDS, results)
    yield _exchanged("Queries", "Queries by name.", EVERY_QUERY, QUERY_RESULTS)
    yield _exchanged(
        "AuditQuestions", "Questions about the past by name.", AUDIT_QUESTIONS, AUDIT_RESULTS
    )
    yield _mapped("Jobs", "What a job that is done has in `result`.", _names(JOB_RESULTS))
    feeds = {feed: _union((m.__name__ for m in all_), "  ") for feed, all_ in FEEDS.items()}
    yield _mapped("Feeds", "The messages of each kind of feed.", feeds)
    yield _mapped("Events", "Events by the name they are stored under.", _names(EVENT_TYPES))


def _exchanged(
    name: str, about: str, bodies: Mapping[str, Shape], results: Mapping[str, Shape]
) -> str:
    pairs = {
        key: f"{{ body: {body.__name__}; result: {results[key].__name__} }}"
        for key, body in bodies.items()
    }
    return _mapped(name, about, pairs)


def _names(shapes: Mapping[Any, Shape]) -> dict[str, str]:
    return {name: shape.__name__ for name, shape in shapes.items()}


def _mapped(name: str, about: str, types: Mapping[str, str]) -> str:
    lines = [f"  {_key(key)}:{_spaced(of)};" for key, of in types.items()]
    return "\n".join([f"/** {about} */", f"export interface {name} {{", *lines, "}", ""])


# --- one type -------------------------------------------------------------------------------


def _declared(name: str, schema: Schema) -> str:
    """The declaration of one component, with its description above."""
    about = _comment(schema.get("description", ""))
    if not _is_interface(schema):
        return f"{about}export type {name} ={_spaced(_type(schema, ''))};\n"
    parameter = "<Result = unknown>" if name in _GENERIC else ""
    fields = _fields(schema, "  ", generic=_GENERIC.get(name, ""))
    return f"{about}export interface {name}{parameter} {{\n{fields}}}\n"


def _is_interface(schema: Schema) -> bool:
    return bool(schema.get("properties")) and schema.get("maxProperties") != 1


def _comment(description: str, indent: str = "") -> str:
    if not description:
        return ""
    lines = description.replace("*/", "*\\/").splitlines()
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def _fields(schema: Schema, indent: str, generic: str = "") -> str:
    required = set(schema.get("required", ()))
    lines = []
    for name, field in schema["properties"].items():
        mark = "" if name in required else "?"
        of = "Result" if name == generic else _type(field, indent)
        lines.append(f"{indent}{_key(name)}{mark}:{_spaced(of)};\n")
    return "".join(lines)


def _type(schema: Schema, indent: str) -> str:
    """The type of what ``schema`` describes; raises ``ValueError`` for what it does not know."""
    match schema:
        case {"$ref": str(name)}:
            return name
        case {"const": value}:
            return json.dumps(value)
        case {"anyOf": _} | {"enum": _}:
            return _union(_alternatives(schema, indent), indent)
        case {"type": "array"}:
            return _array(schema, indent)
        case {"type": "object"}:
            return _object(schema, indent)
        case {"type": str(plain)} if plain in _PLAIN:
            return _PLAIN[plain]
        case _ if not set(schema) - {"$comment", "default", "description"}:
            return "unknown"
        case _:
            raise ValueError(f"no TypeScript for {schema}")


def _alternatives(schema: Schema, indent: str) -> Iterator[str]:
    """What may stand there, with alternatives within alternatives laid out flat."""
    match schema:
        case {"enum": list(values)}:
            yield from map(json.dumps, values)
        case {"anyOf": list(members)}:
            for member in members:
                yield from _alternatives(member, indent)
        case _:
            yield _type(schema, indent)


def _union(members: Iterable[str], indent: str) -> str:
    """Either of ``members``, on a line of its own each where they are many."""
    different = list(dict.fromkeys(members))
    on_one_line = " | ".join(different)
    if len(on_one_line) <= _WIDTH:
        return on_one_line
    return "".join(f"\n{indent}  | {member}" for member in different)


def _spaced(of: str) -> str:
    """With a blank before it, unless it begins on a line of its own."""
    return of if of.startswith("\n") else f" {of}"


_PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def _array(schema: Schema, indent: str) -> str:
    match schema:
        case {"prefixItems": list(members)}:
            return f"[{', '.join(_type(member, indent) for member in members)}]"
        case {"items": dict(item)}:
            of = _type(item, indent)
            return f"({of})[]" if "|" in of else f"{of}[]"
        case _:
            return "unknown[]"


def _object(schema: Schema, indent: str) -> str:
    match schema:
        case {"properties": dict(fields), "maxProperties": 1} if fields:
            return _union((_just(name, fields, indent) for name in fields), indent)
        case {"properties": dict(fields)} if fields:
            return f"{{\n{_fields(schema, indent + '  ')}{indent}}}"
        case {"additionalProperties": dict(value)}:
            return f"{{ [name: string]: {_type(value, indent).lstrip()} }}"
        case {"properties": _}:
            return "{ [name: string]: never }"
        case _:
            return "{ [name: string]: unknown }"


def _just(name: str, fields: Mapping[str, Any], indent: str) -> str:
    """An object with one of ``fields`` and none of the others."""
    of = _type(fields[name], indent)
    others = "".join(f" {_key(other)}?: never;" for other in fields if other != name)
    return f"{{ {_key(name)}: {of};{others} }}"


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)
