"""``schemas/asyncapi.json`` has every subject that others use, with what is said on it."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from services.cli.schemas.asyncapi import INBOX, document
from shared.routing.commands import COMMANDS, Refused
from shared.routing.ids import ID_PATTERN
from shared.routing.questions import EVERY_QUERY
from shared.wire import headers, subjects
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.subjects import Address, Call, Head, Sign

BETWEEN_SERVICES = {Head, Sign}
PARSERS = [
    subjects.parse_call,
    subjects.parse_beat,
    subjects.parse_seen,
    subjects.parse_head,
    subjects.parse_sign,
    subjects.parse_feed,
    subjects.parse_published,
    subjects.parse_transcript,
]
SAMPLES = {
    "{workspace}": "shop",
    "{actor}": "ana",
    "{session}": "s-1",
    "{entry_point}": "site",
    "{conversation}": "chat-1",
    "{event}": "conversation_assigned",
}
DOCUMENT = document()
CHANNELS = {name: channel for name, channel in DOCUMENT["channels"].items() if name != INBOX}


def _parsed(subject: str) -> Address:
    """The one thing that a subject is."""
    (found,) = [address for parse in PARSERS if not isinstance(address := parse(subject), Refused)]
    return found


def _filled(name: str) -> Iterator[str]:
    """The subject of a channel with samples in it, once for each kind of actor."""
    subject = re.sub(
        r"\{\w+\}", lambda part: SAMPLES.get(part[0], part[0]), CHANNELS[name]["address"]
    )
    kinds = DOCUMENT["components"]["parameters"]["kind"]["enum"] if "{kind}" in subject else [""]
    for kind in kinds:
        yield subject.replace("{kind}", kind)


def test_every_subject_is_one_that_services_read() -> None:
    seen = {type(_parsed(subject)) for name in CHANNELS for subject in _filled(name)}
    assert seen == set(get_args(Address)) - BETWEEN_SERVICES


@pytest.mark.parametrize(
    ("purpose", "group", "names"),
    [
        ("cmd", "command", COMMANDS),
        ("ask", "query", EVERY_QUERY),
        ("audit", "audit", AUDIT_QUESTIONS),
    ],
)
def test_every_request_has_a_subject_of_its_own(
    purpose: str, group: str, names: dict[str, object]
) -> None:
    channels = [name for name in CHANNELS if name.startswith(f"{group}.")]
    assert channels == [f"{group}.{name}" for name in names]
    for channel, name in zip(channels, names, strict=True):
        calls = [call for call in map(_parsed, _filled(channel)) if isinstance(call, Call)]
        assert {(call.purpose, call.name) for call in calls} == {(purpose, name)}


def test_a_reserved_command_is_its_services_alone() -> None:
    reserved = {name: command.reserved for name, command in COMMANDS.items() if command.reserved}
    assert reserved
    for name, service in reserved.items():
        (call,) = map(_parsed, _filled(f"command.{name}"))
        assert isinstance(call, Call)
        assert (call.kind, call.actor_id) == ("service", service)


def test_whoever_is_asked_may_answer_and_refuse() -> None:
    for name, operation in DOCUMENT["operations"].items():
        answers = [ref["$ref"] for ref in operation.get("reply", {}).get("messages", [])]
        own, refusal = (
            f"#/channels/{INBOX}/messages/{last}" for last in (f"{name}.answer", "refused")
        )
        match name.partition(".")[0]:
            case "command" | "query" | "audit" | "seen":
                assert answers == [own, refusal]
            case "transcript":
                assert answers == [own]
            case _:
                assert answers == []


def test_every_header_there_is_stands_in_some_message() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    named = {
        name for key in schemas if key.endswith("Headers") for name in schemas[key]["properties"]
    }
    known = {value for name, value in vars(headers).items() if name.isupper() and name[0] != "_"}
    assert named == known - {ID_PATTERN}


def test_every_reference_leads_somewhere() -> None:
    found = list(_references(DOCUMENT))
    assert len(found) > 1_000
    for reference in found:
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_parameter_of_a_subject_is_explained() -> None:
    for channel in CHANNELS.values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"])
    used = {name for channel in CHANNELS.values() for name in channel["parameters"]}
    assert used == set(DOCUMENT["components"]["parameters"])


def test_no_schema_is_in_words_that_are_newer_than_the_document() -> None:
    text = json.dumps(DOCUMENT)
    assert [word for word in ("prefixItems", "discriminator", "$defs") if f'"{word}"' in text] == []


def _references(value: object) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for item in value.values():
                yield from _references(item)
        case list():
            for item in value:
                yield from _references(item)
        case _:
            return
