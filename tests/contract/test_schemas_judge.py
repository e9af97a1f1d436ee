"""The schemas take what the code takes and says, and refuse what it refuses."""

from collections.abc import Iterator

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from services.cli.schemas.asyncapi import document
from services.notifier.rendering import body_of
from shared.routing.commands import COMMANDS
from shared.routing.questions import EVERY_QUERY
from shared.wire.audit import AUDIT_QUESTIONS, AskThen
from tests.contract.by_schema import FILES, complaints, complaints_of_asyncapi
from tests.core.listening import heard_again
from tests.golden.record import path_of, stored_events
from tests.golden.stories import STORIES
from tests.wire.shapes import sample

REQUESTS = [
    *(("commands", name, f"command.{name}", shape) for name, shape in COMMANDS.items()),
    *(("queries", name, f"query.{name}", shape) for name, shape in EVERY_QUERY.items()),
    *(("audit", f"question.{name}", f"audit.{name}", s) for name, s in AUDIT_QUESTIONS.items()),
]


@pytest.mark.parametrize("file", sorted(FILES))
def test_a_file_is_a_schema(file: str) -> None:
    Draft202012Validator.check_schema(FILES[file])


def test_the_schemas_of_asyncapi_are_of_its_draft() -> None:
    for schema in document()["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


@pytest.mark.parametrize(("file", "name", "message", "shape"), REQUESTS)
def test_a_request_is_judged_as_it_is_by_the_code(
    file: str, name: str, message: str, shape: type[msgspec.Struct]
) -> None:
    body = sample(shape)
    if issubclass(shape, AskThen):
        del body["at"]  # a moment is named in one way
    msgspec.convert(body, shape)
    assert complaints(file, name, body) == []
    assert complaints_of_asyncapi(message, body) == []
    for spoilt in _spoilt(body, shape):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(spoilt, shape)
        assert complaints(file, name, spoilt)
        assert complaints_of_asyncapi(message, spoilt)


def _spoilt(body: dict[str, object], shape: type[msgspec.Struct]) -> Iterator[dict[str, object]]:
    """With a field too many, each mandatory one missing, and each with what no field is."""
    yield body | {"no_such_field": 1}
    for field in msgspec.structs.fields(shape):
        if field.required:
            yield {name: value for name, value in body.items() if name != field.encode_name}
        yield body | {field.encode_name: {"no such": ["thing"]}}


@pytest.mark.parametrize("name", STORIES)
def test_every_event_of_a_recorded_log_is_as_its_schema_says(name: str) -> None:
    events = list(stored_events(path_of(name).read_bytes()))
    for topic, state in events:
        assert complaints("events", topic, msgspec.json.decode(state)["data"]) == []
    topic, state = events[-1]
    assert complaints("events", "Envelope", msgspec.json.decode(state)) == []
    assert complaints_of_asyncapi(f"event.{topic}", msgspec.json.decode(state)) == []


@pytest.mark.parametrize("name", STORIES)
def test_every_message_of_a_story_is_as_its_schema_says(name: str) -> None:
    for numbered in heard_again(STORIES[name]().log):
        message = msgspec.json.decode(body_of(numbered, {}))
        title = f"{numbered.notification.recipient.kind}.{message['type']}"
        assert complaints("feeds", title, message) == []
        assert complaints_of_asyncapi(f"feed.{title}", message) == []
