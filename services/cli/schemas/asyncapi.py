"""The AsyncAPI 3 document: every subject, what is said on it, and what comes back.

It holds its schemas itself, so that one file is enough for any tool. Those of AsyncAPI are of an
older draft than the files beside it; they say the same in its words.
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from services.cli.schemas.catalogue import Shape
from services.cli.schemas.exchanges import Exchange, exchanges
from services.cli.schemas.json_schema import Schema, as_text, everything, portable
from shared.routing.events import EVENT_TYPES, Envelope
from shared.routing.ids import ID_PATTERN
from shared.routing.vocabulary import ActorKind
from shared.wire import headers
from shared.wire.replies import STATUS, Answered, NotDone

NAME = "asyncapi.json"
VERSION = "0.1.0"
"""Of the contract, as ``schemas/CHANGES.md`` counts it."""

INBOX = "inbox"
REFUSED = "refused"

_ABOUT = """\
Fernamt routes chat conversations to operators. Front ends speak JSON over NATS with it.

Who speaks stands in the subject: a workspace, a kind of actor and its id. A command or a question
is a NATS request; its answer comes on the reply subject that the request names, which begins with
`_INBOX.`. An operator whose role has `manage` may also send and ask what an admin may, but for
`create_workspace`. A service speaks for somebody with one more field, `as`, in the body
(`OnBehalf`). Readers ignore fields, and take calmly types, that they do not know."""


def files() -> dict[str, str]:
    """The one file's text by its path."""
    return {NAME: as_text(document())}


def document() -> Schema:
    """The whole of it."""
    said = list(exchanges())
    references, schemas = everything("#/components/schemas/{name}")
    messages = {
        name: message for each in said for name, message in _messages(each, references).items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fernamt",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {each.name: _channel(each) for each in said} | {INBOX: _inbox(said)},
        "operations": {each.name: _operation(each) for each in said},
        "components": {
            "messages": messages | {REFUSED: _refused(references)},
            "securitySchemes": _security_schemes(),
            "parameters": _parameters(),
            "schemas": _in_words_of_draft_07(schemas) | portable(_headers()),
        },
    }


# --- servers --------------------------------------------------------------------------------


def _servers() -> Schema:
    by_token, by_cookie = (_reference("components/securitySchemes", name) for name in ENTRANCES)
    return {
        "embedded": {
            "host": "127.0.0.1:4222",
            "protocol": "nats",
            "description": "What `fernamt up` starts: a broker that believes everybody.",
            "bindings": {"nats": {}},
        },
        "guarded": {
            "host": "nats.example:4222",
            "protocol": "nats",
            "description": "A broker set up as `deploy/nats` has it: TLS, and who has a session.",
            "security": [by_token],
            "bindings": {"nats": {}},
        },
        "browsers": {
            "host": "nats.example:8443",
            "protocol": "wss",
            "description": "The same one for pages: NATS over WebSocket.",
            "security": [by_cookie, by_token],
            "bindings": {"nats": {}},
        },
    }


ENTRANCES = ("sessionToken", "sessionCookie")


def _security_schemes() -> Schema:
    """How somebody shows the token that the chat platform signed for him."""
    shown = (
        {"type": "apiKey", "in": "password", "description": "As NATS token (`auth_token`)."},
        {
            "type": "httpApiKey",
            "name": "fernamt_session",
            "in": "cookie",
            "description": "As a cookie that the page itself cannot read.",
        },
    )
    return dict(zip(ENTRANCES, shown, strict=True))


# --- subjects -------------------------------------------------------------------------------


def _channel(each: Exchange) -> Schema:
    channel: Schema = {
        "address": each.subject,
        "messages": {name: _reference("components/messages", name) for name in each.says},
    }
    names = [part[1:-1] for part in each.subject.split(".") if part.startswith("{")]
    channel["parameters"] = {name: _reference("components/parameters", name) for name in names}
    return channel


def _inbox(said: Iterable[Exchange]) -> Schema:
    answers = dict.fromkeys(name for each in said for name in _answers(each))
    return {
        "address": None,
        "description": "The reply subject of a request, which client libraries choose: a subject "
        "that begins with `_INBOX.` or `_R_.`, else nothing is sent.",
        "messages": {name: _reference("components/messages", name) for name in answers},
    }


def _operation(each: Exchange) -> Schema:
    operation: Schema = {
        "action": each.action,
        "channel": _reference("channels", each.name),
        "summary": each.about,
        "tags": [{"name": each.group}],
        "messages": [_reference(f"channels/{each.name}/messages", name) for name in each.says],
        **each.extra,
    }
    answers = _answers(each)
    if answers:
        operation["reply"] = {
            "channel": _reference("channels", INBOX),
            "messages": [_reference(f"channels/{INBOX}/messages", name) for name in answers],
        }
    return operation


def _parameters() -> Schema:
    """What varies in subjects; ids are 1 to 64 characters."""
    about = {
        "workspace": "The id of a workspace.",
        "kind": "Which kind of actor speaks.",
        "actor": "The id of the actor: who speaks, or whose feed it is.",
        "session": "The id of a device's session, as `log_in` named it.",
        "conversation": "The id of a conversation.",
        "entry_point": "The id of an entry point.",
        "event": "The name of an event without its version.",
    }
    words = {
        "kind": list(get_args(ActorKind)),
        "event": list(dict.fromkeys(name.partition(".")[0] for name in EVENT_TYPES)),
    }
    return {
        name: {"description": text} | ({"enum": words[name]} if name in words else {})
        for name, text in about.items()
    }


# --- messages -------------------------------------------------------------------------------


def _messages(each: Exchange, references: Mapping[Shape, Schema]) -> dict[str, Schema]:
    """What is said, and the answer that is its own."""
    said = {
        name: _said(name, each, references[shape], references) for name, shape in each.says.items()
    }
    if each.result:
        payload = _with(references[Answered], "result", references[each.result])
        return said | {_answer(each): {"name": _answer(each), "payload": payload}}
    if each.answer:
        return said | {_answer(each): {"name": _answer(each), "payload": references[each.answer]}}
    return said


def _said(name: str, each: Exchange, body: Schema, references: Mapping[Shape, Schema]) -> Schema:
    message: Schema = {"name": name}
    if each.headers:
        message["headers"] = _reference("components/schemas", each.headers)
    stored = each.headers == "EventHeaders"
    message["payload"] = _with(references[Envelope], "data", body) if stored else body
    return message


def _refused(references: Mapping[Shape, Schema]) -> Schema:
    return {
        "name": REFUSED,
        "summary": "Nothing was changed.",
        "headers": _reference("components/schemas", "RefusalHeaders"),
        "payload": references[NotDone],
    }


def _answers(each: Exchange) -> list[str]:
    """The names of the messages that may come back."""
    own = [_answer(each)] if each.result or each.answer else []
    return [*own, REFUSED] if own and each.action == "receive" else own


def _answer(each: Exchange) -> str:
    return f"{each.name}.answer"


def _with(shape: Schema, field: str, content: Schema) -> Schema:
    """The shape, with something known in a field where it leaves that open."""
    return {"allOf": [shape, {"properties": {field: content}}]}


def _headers() -> Schema:
    """The headers of requests, refusals and events, by the names that messages refer to."""
    expires = {
        headers.EXPIRES: _digits("Unix milliseconds by the router's clock; later it is refused."),
        headers.TRACE: {"type": "string", "description": "W3C trace context."},
    }
    follows = {
        headers.TRACE: {
            "type": "string",
            "description": "W3C trace context to go on from, where Fernamt traces.",
        }
    }
    command_id = {
        "type": "string",
        "pattern": ID_PATTERN,
        "description": "An id made by the sender; a retry under the same one happens once.",
    }
    position = _digits("The answer has to reflect at least this position.")
    codes = sorted({str(status) for status in STATUS.values()})
    return {
        "CommandHeaders": _object({headers.COMMAND_ID: command_id} | expires),
        "QuestionHeaders": _object({headers.MIN_POSITION: position} | expires),
        "RefusalHeaders": _object({
            headers.ERROR: _reference("components/schemas", "ErrorCode"),
            headers.ERROR_CODE: {"enum": codes},
        }),
        "EventHeaders": _object({
            headers.EVENT: {"enum": list(EVENT_TYPES)},
            headers.MESSAGE_ID: {"type": "string", "description": "`WORKSPACE:POSITION`"},
        } | follows),
        "FeedHeaders": _object(follows),
    }  # fmt: skip


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _digits(about: str) -> Schema:
    return {"type": "string", "pattern": "^[0-9]{1,16}$", "description": about}


def _reference(where: str, name: str) -> Schema:
    return {"$ref": f"#/{where}/{name}"}


def _in_words_of_draft_07(value: Any) -> Any:
    """The same schemas for AsyncAPI: tuples as lists of ``items``, no discriminator of OpenAPI."""
    match value:
        case {"prefixItems": list(items), "items": False, **rest}:
            plain = {**rest, "items": items, "additionalItems": False}
            return {name: _in_words_of_draft_07(item) for name, item in plain.items()}
        case {"discriminator": {"propertyName": _}, **rest}:
            return _in_words_of_draft_07(rest)
        case dict():
            return {name: _in_words_of_draft_07(item) for name, item in value.items()}
        case list():
            return [_in_words_of_draft_07(item) for item in value]
        case _:
            return value
