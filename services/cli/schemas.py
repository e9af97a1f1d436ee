"""``fernamt schemas``: JSON Schemas of everything on the wire, generated from the Structs."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from services.auditor.works import JOB_RESULTS
from services.notifier import dead_letters
from services.router import decider, publishing
from services.trigger_evaluator import explaining
from shared.audit.answering import RESULTS as AUDIT_RESULTS
from shared.routing import queries, settings_views, views
from shared.routing.commands import (
    COMMANDS,
    Command,
    ConversationCommand,
    FireRule,
    LogIn,
    LogOut,
    Refused,
    SetStatus,
)
from shared.routing.events import EVENT_TYPES, Actor, Envelope
from shared.routing.policy import PolicyScope
from shared.routing.questions import EVERY_QUERY
from shared.routing.scope import Scope
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.bodies import OnBehalf
from shared.wire.feeds import FEEDS, FeedPage
from shared.wire.replies import Answered, NotDone
from shared.wire.views import PageView, SeenAnswer

Schema = dict[str, Any]
Parts = Mapping[str, tuple[type[msgspec.Struct], Schema]]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DIRECTORY = Path("schemas/json")
SUFFIX = ".schema.json"

QUERY_RESULTS: Mapping[str, type[msgspec.Struct]] = {
    "roster": queries.Roster,
    "operators": queries.Operators,
    "me": views.MeView,
    "inbox": queries.Inbox,
    "queue": queries.Queue,
    "conversation": publishing.ConversationResult,
    "entry_point": views.EntryPointView,
    "visitor": queries.VisitorAnswer,
    "workspace": settings_views.WorkspaceView,
    "feed": FeedPage,
    "dead_letters": dead_letters.DeadLetters,
    "resend_dead_letters": dead_letters.Resent,
    "why_not_fired": explaining.WhyNotFired,
}
"""What stands in ``result`` of the answer to each query."""


class Nothing(msgspec.Struct, frozen=True):
    """The empty object: there is nothing to tell but that it was done."""


def command_result(command: type[Command]) -> type[msgspec.Struct]:
    """What stands in ``result`` of the answer to an accepted command."""
    if issubclass(command, ConversationCommand):
        return decider.ConversationResult
    if issubclass(command, FireRule):
        return decider.FiringResult
    return views.StatusView if issubclass(command, LogIn | LogOut | SetStatus) else Nothing


def schemas(
    to: Annotated[Path, typer.Option("--to", help="Directory to write into.")] = DIRECTORY,
) -> None:
    """Write the JSON Schemas of everything that is said on the wire."""
    to.mkdir(parents=True, exist_ok=True)
    files = generated()
    for name, text in files.items():
        (to / name).write_text(text, encoding="utf-8")
    for stale in set(to.glob(f"*{SUFFIX}")) - {to / name for name in files}:
        stale.unlink()
    typer.echo(f"wrote {len(files)} files into {to}")


def generated() -> dict[str, str]:
    """Every file's text by its name; the same text from the same code, always."""
    files = {
        "commands": _commands(),
        "queries": _queries(),
        "results": _results(),
        "events": _events(),
        "feeds": _feeds(),
        "views": _views(),
        "audit": _audit(),
    }
    return {f"{name}{SUFFIX}": _text(schema) for name, schema in files.items()}


def _commands() -> Schema:
    about = (
        "Bodies of commands: `$defs` has one entry for each, by the name that ends its subject. "
        "`x-allowed` are the kinds of actor that may send it, `x-reserved` the id of the one actor "
        "that may, where there is but one. Under `service` the body may also carry `as` "
        "(`OnBehalf`)."
    )
    parts = {name: (command, _who(command)) for name, command in COMMANDS.items()}
    return _document("Fernamt commands", about, parts, [OnBehalf])


def _who(command: type[Command]) -> Schema:
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
    for shape, ok in ((Answered, True), (NotDone, False)):
        schema = document["$defs"][shape.__name__]
        schema["properties"]["ok"] = {"const": ok}
        schema["required"].insert(0, "ok")
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
    parts: Parts = {
        f"{feed}.{message.__struct_config__.tag}": (message, {})
        for feed, messages in FEEDS.items()
        for message in messages
    }
    return _document("Fernamt feeds", about, parts, [])


def _views() -> Schema:
    about = "A page view (`seen`), and what it is answered with if that is wanted."
    document = _document("Fernamt page views", about, {"seen": (PageView, {})}, [SeenAnswer])
    answer = document["$defs"]["SeenAnswer"]
    answer["properties"]["ok"] = {"const": True}
    answer["required"].insert(0, "ok")
    return document


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


def _document(title: str, about: str, parts: Parts, more: Iterable[type[msgspec.Struct]]) -> Schema:
    """One file: the named parts, and beside them the classes that they are made of."""
    shapes = list(dict.fromkeys([*(shape for shape, _ in parts.values()), *more]))
    references, components = msgspec.json.schema_components(
        shapes, schema_hook=_anything, ref_template="#/$defs/{name}"
    )
    found = dict(zip(shapes, references, strict=True))
    named = {name: found[shape] | extra for name, (shape, extra) in parts.items()}
    for shape in (Scope, PolicyScope, OnBehalf):
        if shape.__name__ in components:
            components[shape.__name__] |= {"minProperties": 1, "maxProperties": 1}
    return {
        "$schema": DIALECT,
        "title": title,
        "description": about,
        "$defs": _portable(named | dict(sorted(components.items()))),
    }


def _anything(shape: type) -> Schema:
    """Where a Struct says ``object``, any JSON may stand."""
    if shape in (object, msgspec.Raw):
        return {"$comment": "any JSON"}
    raise NotImplementedError(f"no schema for {shape}")


def _portable(value: Any) -> Any:
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
                else _portable(item)
                for name, item in value.items()
            }
        case list() | tuple():
            return [_portable(item) for item in value]
        case _:
            return value


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
