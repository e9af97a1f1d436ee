"""JSON Schemas of every body, from the Structs: one file for each kind of thing that is said."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from services.auditor.works import JOB_RESULTS
from services.cli.schemas.catalogue import (
    QUERY_RESULTS,
    Shape,
    command_result,
    every_shape,
    feed_messages,
)
from services.notifier.transcripts import TranscriptText
from services.presence.watching import BeatBody
from shared.audit.answering import RESULTS as AUDIT_RESULTS
from shared.routing.commands import COMMANDS, Command, Refused
from shared.routing.events import EVENT_TYPES, Actor, Envelope
from shared.routing.policy import PolicyScope
from shared.routing.questions import EVERY_QUERY
from shared.routing.rules import Action, KeptAction
from shared.routing.scope import Scope
from shared.routing.settings_views import ActionView
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.bodies import OnBehalf
from shared.wire.replies import STATUS, Answered, NotDone
from shared.wire.views import PageView, SeenAnswer

Schema = dict[str, Any]
Parts = Mapping[str, tuple[Shape, Schema]]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = "json"
SUFFIX = ".schema.json"

ONE_OF_THEIR_FIELDS: tuple[Shape, ...] = (
    Scope,
    PolicyScope,
    OnBehalf,
    Action,
    KeptAction,
    ActionView,
)
"""Exactly one of their fields is there, which their own code checks and their types cannot say."""

OUTCOME: Mapping[Shape, bool] = {Answered: True, SeenAnswer: True, NotDone: False}
"""What ``ok`` says in each reply, always."""

ERROR_CODES: Schema = {
    "title": "ErrorCode",
    "description": "What `error.code` may be. More may come: take others as a plain refusal.",
    "enum": list(STATUS),
}


def files() -> dict[str, str]:
    """Every file's text by its path."""
    return {f"{FOLDER}/{name}{SUFFIX}": as_text(schema) for name, schema in documents().items()}


def documents() -> dict[str, Schema]:
    """What each file says, by its name."""
    return {
        "commands": _commands(),
        "queries": _queries(),
        "results": _results(),
        "events": _events(),
        "feeds": _feeds(),
        "views": _views(),
        "beats": _beats(),
        "transcripts": _transcripts(),
        "audit": _audit(),
    }


def as_text(document: Schema) -> str:
    """The document as it is kept in a file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def components(shapes: Iterable[Shape], reference: str) -> tuple[dict[Shape, Schema], Schema]:
    """A reference to each of ``shapes``, and by name the schemas of all that they are made of.

    ``reference`` has ``{name}`` in it: ``#/$defs/{name}``. Two classes of one name would get long
    names with the path of their module; ``tests/contract`` sees to it that there are none.
    """
    wanted = list(shapes)
    references, found = msgspec.json.schema_components(
        wanted, schema_hook=_anything, ref_template=reference
    )
    for shape in ONE_OF_THEIR_FIELDS:
        if shape.__name__ in found:
            _with_one_field(found[shape.__name__])
    for shape, ok in OUTCOME.items():
        if shape.__name__ in found:
            found[shape.__name__]["properties"]["ok"] = {"const": ok}
            found[shape.__name__]["required"].insert(0, "ok")
    return dict(zip(wanted, references, strict=True)), portable(dict(sorted(found.items())))


def _with_one_field(schema: Schema) -> None:
    """Demand exactly one of the fields, which is then neither null nor false."""
    for name, field in schema["properties"].items():
        plain = [part for part in field.get("anyOf", [field]) if part != {"type": "null"}]
        given = plain[0] if len(plain) == 1 else {"anyOf": plain}
        schema["properties"][name] = {"const": True} if given.get("type") == "boolean" else given
    schema |= {"minProperties": 1, "maxProperties": 1}


def everything(reference: str) -> tuple[dict[Shape, Schema], Schema]:
    """The same for all that is said on the wire, in one piece."""
    references, found = components(every_shape(), reference)
    return references, found | {"ErrorCode": ERROR_CODES}


# --- the files ------------------------------------------------------------------------------


def _commands() -> Schema:
    about = (
        "Bodies of commands: `$defs` has one entry for each, by the name that ends its subject. "
        "`x-allowed` are the kinds of actor that may send it, `x-reserved` the id of the one actor "
        "that may, where there is but one. Under `service` the body may also carry `as` "
        "(`OnBehalf`)."
    )
    parts = {name: (command, who(command)) for name, command in COMMANDS.items()}
    return _document("Fernamt commands", about, parts, [OnBehalf])


def who(command: type[Command]) -> Schema:
    """Who may send it, as extensions of a schema."""
    reserved = {"x-reserved": command.reserved} if command.reserved else {}
    return {"x-allowed": list(command.allowed)} | reserved


def _queries() -> Schema:
    about = (
        "Bodies of queries: `$defs` has one entry for each, by the name that ends its subject. "
        "`x-allowed` are the kinds of actor that may ask it."
    )
    parts = {
        name: (query, {"x-allowed": list(query.allowed)}) for name, query in EVERY_QUERY.items()
    }
    return _document("Fernamt queries", about, parts, [OnBehalf])


def _results() -> Schema:
    about = (
        "Replies: `Answered` or `NotDone`. What stands in `result` is in `$defs` as `command.NAME` "
        "or `query.NAME`."
    )
    of_commands: Parts = {
        f"command.{name}": (command_result(command), {}) for name, command in COMMANDS.items()
    }
    of_queries: Parts = {f"query.{name}": (shape, {}) for name, shape in QUERY_RESULTS.items()}
    parts = {**of_commands, **of_queries}
    document = _document("Fernamt replies", about, parts, [Answered, NotDone, Refused])
    document["$defs"]["ErrorCode"] = ERROR_CODES
    return document


def _events() -> Schema:
    about = (
        "Events as the log holds them and as they are published: an `Envelope` with the event in "
        "`data`. `$defs` has one entry for each event, by its stored name."
    )
    parts: Parts = {name: (event, {}) for name, event in EVENT_TYPES.items()}
    return _document("Fernamt events", about, parts, [Envelope, Actor])


def _feeds() -> Schema:
    about = (
        "Messages of the feeds: `$defs` has one entry for each, as `FEED.TYPE`. Readers must take "
        "unknown types and fields calmly."
    )
    parts: Parts = {name: (message, {}) for name, message in feed_messages().items()}
    return _document("Fernamt feeds", about, parts, [])


def _views() -> Schema:
    about = "A page view (`seen`), and what it is answered with if that is wanted."
    return _document("Fernamt page views", about, {"seen": (PageView, {})}, [SeenAnswer])


def _beats() -> Schema:
    about = "A heartbeat of one device of an operator (`beat`); nobody answers."
    return _document("Fernamt heartbeats", about, {"beat": (BeatBody, {})}, [])


def _transcripts() -> Schema:
    about = "What a chat back end answers when it is asked for the text of a conversation."
    parts: Parts = {"transcript": (TranscriptText, {})}
    return _document("Fernamt transcripts", about, parts, [])


def _audit() -> Schema:
    about = (
        "Questions about the past: `$defs` has the body of each as `question.NAME`, with the kinds "
        "of actor that may ask it in `x-allowed`, and what stands in `result` of its answer as "
        "`result.NAME`. `job.NAME` is what stands in `result` of a job that is done."
    )
    questions: Parts = {
        f"question.{name}": (question, {"x-allowed": list(question.allowed)})
        for name, question in AUDIT_QUESTIONS.items()
    }
    results: Parts = {f"result.{name}": (shape, {}) for name, shape in AUDIT_RESULTS.items()}
    jobs: Parts = {f"job.{name}": (shape, {}) for name, shape in JOB_RESULTS.items()}
    return _document("Fernamt audit questions", about, {**questions, **results, **jobs}, [OnBehalf])


def _document(title: str, about: str, parts: Parts, more: Iterable[Shape]) -> Schema:
    """One file: the named parts, and beside them the classes that they are made of."""
    shapes = dict.fromkeys([*(shape for shape, _ in parts.values()), *more])
    references, made_of = components(shapes, "#/$defs/{name}")
    named = {name: references[shape] | extra for name, (shape, extra) in parts.items()}
    return {
        "$schema": DIALECT,
        "title": title,
        "description": about,
        "$defs": named | made_of,
    }


def _anything(shape: type) -> Schema:
    """Where a Struct says ``object``, any JSON may stand."""
    if shape in (object, msgspec.Raw):
        return {"$comment": "any JSON"}
    raise NotImplementedError(f"no schema for {shape}")


def portable(value: Any) -> Any:
    """With patterns as other languages read them, and code in texts marked as in Markdown.

    ``\\Z`` is Python's alone; ``$`` means the same in a pattern of JSON Schema. Docstrings come
    indented or not, depending on Python's version.
    """
    match value:
        case dict():
            rewritten: Mapping[str, Callable[[str], str]] = {
                "pattern": lambda text: text.replace(r"\Z", "$"),
                "description": lambda text: inspect.cleandoc(text).replace("``", "`"),
            }
            return {
                name: rewritten[name](item)
                if name in rewritten and isinstance(item, str)
                else portable(item)
                for name, item in value.items()
            }
        case list() | tuple():
            return [portable(item) for item in value]
        case _:
            return value
