"""Who was written for a released wire still gets along: nothing that was promised is taken back.

What may change and how it is told, ``schemas/CHANGES.md`` says.
"""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from services.cli.schemas.asyncapi import VERSION
from shared.wire.log_codec import decode_event
from tests.contract.compatibility import breaches, moved
from tests.contract.release import RELEASES, Documents, released, today, write
from tests.contract.schema_samples import Sampler
from tests.tidy.sources import ROOT

TODAY = today()


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_that_was_released_is_broken(release: str) -> None:
    before = released(release)
    broken = [
        *breaches(before.documents, TODAY.documents),
        *moved(before.subjects, TODAY.subjects),
    ]
    assert not broken, "\n".join(broken)


def test_there_is_a_release_and_an_entry_for_each() -> None:
    lines = (ROOT / "schemas/CHANGES.md").read_text().splitlines()
    entries = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert RELEASES
    assert entries[0] == VERSION
    assert set(RELEASES) <= set(entries)


def test_a_release_is_written_as_it_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    assert released(tmp_path.name, tmp_path.parent) == TODAY


# --- every kind of breakage is noticed ------------------------------------------------------

Change = Callable[[Documents], object]


def _fields(documents: Documents, file: str, shape: str) -> dict[str, Any]:
    fields: dict[str, Any] = documents[file]["$defs"][shape]["properties"]
    return fields


def _needed(documents: Documents, file: str, shape: str) -> list[str]:
    needed: list[str] = documents[file]["$defs"][shape]["required"]
    return needed


def _need(documents: Documents, file: str, shape: str, field: str) -> bool:
    _needed(documents, file, shape).append(field)
    return True


def _rename(fields: dict[str, Any], old: str, new: str) -> None:
    fields[new] = fields.pop(old)


BROKEN: dict[str, tuple[Change, str]] = {
    "a command is gone": (
        lambda d: d["commands"]["$defs"].pop("claim"),
        "commands: claim is gone",
    ),
    "a field of a command is removed": (
        lambda d: _fields(d, "commands", "Forward").pop("note"),
        "commands: forward.note: the field is gone",
    ),
    "a field of a command is renamed": (
        lambda d: _rename(_fields(d, "commands", "Forward"), "note", "remark"),
        "commands: forward.note: the field is gone",
    ),
    "a field of a command has another type": (
        lambda d: _fields(d, "commands", "Forward").update(note={"type": "integer"}),
        "commands: forward.note: may no longer be of type string",
    ),
    "a field of a command may not be null any more": (
        lambda d: _fields(d, "commands", "Forward").update(note={"type": "string"}),
        "commands: forward.note: may no longer be of type null",
    ),
    "a field of a command becomes mandatory": (
        lambda d: _needed(d, "commands", "Forward").append("note"),
        "commands: forward.note: the field is mandatory now",
    ),
    "a command has a new mandatory field": (
        lambda d: (
            _fields(d, "commands", "Claim").update(why={"type": "string"}),
            _need(d, "commands", "Claim", "why"),
        ),
        "commands: claim.why: the new field is mandatory",
    ),
    "a word that a command takes is gone": (
        lambda d: _fields(d, "commands", "SetStatus")["status"]["enum"].remove("busy"),
        "commands: set_status.status: the word busy is gone",
    ),
    "a word deep in a tree of conditions is gone": (
        lambda d: _fields(d, "commands", "Condition")["op"]["anyOf"][0]["enum"].remove("matches"),
        "commands: save_rule.when.op: the word matches is gone",
    ),
    "a text that a command takes has to be shorter": (
        lambda d: _fields(d, "commands", "Identify")["contact_id"].update(maxLength=8),
        "commands: identify.contact_id: maxLength is 8 now",
    ),
    "a number that a query takes has to be larger": (
        lambda d: _fields(d, "queries", "AskInbox")["limit"].update(minimum=10),
        "queries: inbox.limit: minimum is 10 now",
    ),
    "an id has to look different": (
        lambda d: _fields(d, "queries", "AskConversation")["conversation_id"].update(pattern="^c"),
        "queries: conversation.conversation_id: has to match ^c now",
    ),
    "somebody may no longer send a command": (
        lambda d: d["commands"]["$defs"]["close"]["x-allowed"].remove("visitor"),
        "commands: close: may no longer be sent by visitor",
    ),
    "a command is reserved": (
        lambda d: d["commands"]["$defs"]["close"].update({"x-reserved": "rules"}),
        "commands: close: is reserved to rules now",
    ),
    "a question about the past lacks a field": (
        lambda d: _fields(d, "audit", "AskFind").pop("over_s"),
        "audit: question.find.over_s: the field is gone",
    ),
    "a field of a result is removed": (
        lambda d: _fields(d, "results", "ConversationView").pop("owner"),
        "results: command.open.conversation.owner: the field is gone",
    ),
    "a field of a result may be missing": (
        lambda d: _needed(d, "results", "ConversationView").remove("owner"),
        "results: query.inbox.conversations[].owner: the field may be missing now",
    ),
    "a field of a message is renamed": (
        lambda d: _rename(_fields(d, "feeds", "Assigned"), "reason", "why"),
        "feeds: operator.assigned.reason: the field is gone",
    ),
    "a field of a message has another type": (
        lambda d: _fields(d, "feeds", "Queued").update(place={"type": "string"}),
        "feeds: visitor.queued.place: may now be of type string",
    ),
    "a field of a message may be null": (
        lambda d: _fields(d, "feeds", "Queued").update(
            place={"anyOf": [{"type": "integer"}, {"type": "null"}]}
        ),
        "feeds: visitor.queued.place: may now be of type null",
    ),
    "a word of a message is gone": (
        lambda d: _fields(d, "feeds", "ModeChanged")["mode"]["enum"].remove("messenger"),
        "feeds: entry.mode_changed.mode: the word messenger is gone",
    ),
    "a message is gone from what was missed": (
        lambda d: _fields(d, "results", "FeedPage")["messages"]["items"]["anyOf"].pop(0),
        "results: query.feed.messages[]: may no longer be the message assigned",
    ),
    "an error code is gone": (
        lambda d: d["results"]["$defs"]["ErrorCode"]["enum"].remove("at_capacity"),
        "results: ErrorCode: the word at_capacity is gone",
    ),
    "an event is gone": (
        lambda d: d["events"]["$defs"].pop("group_joined.v1"),
        "events: group_joined.v1 is gone",
    ),
    "an event that was written lacks what is mandatory": (
        lambda d: (
            _fields(d, "events", "GroupJoined").update(why={"type": "string"}),
            _need(d, "events", "GroupJoined", "why"),
        ),
        "events: group_joined.v1.why: the new field is mandatory",
    ),
    "an event that is read lacks what it had": (
        lambda d: _needed(d, "events", "GroupJoined").remove("group_id"),
        "events: group_joined.v1.group_id: the field may be missing now",
    ),
    "a type has another name in other languages": (
        lambda d: d.update(feeds=json.loads(json.dumps(d["feeds"]).replace("Notice", "Hint"))),
        "feeds: Notice is gone",
    ),
    "a whole file is gone": (
        lambda d: d.pop("beats"),
        "beats: there is no such file any more",
    ),
}

HARMLESS: dict[str, Change] = {
    "a new command": lambda d: d["commands"]["$defs"].update(wave={"$ref": "#/$defs/Claim"}),
    "a new field that may be left out": lambda d: _fields(d, "commands", "Claim").update(
        why={"type": "string"}
    ),
    "a field that may be left out now": lambda d: _needed(d, "commands", "Identify").clear(),
    "a new word to send": lambda d: _fields(d, "commands", "SetStatus")["status"]["enum"].append(
        "away"
    ),
    "longer texts": lambda d: _fields(d, "commands", "Identify")["contact_id"].pop("pattern"),
    "a new field in a message": lambda d: (
        _fields(d, "feeds", "Notice").update(more={"type": "string"}),
        _need(d, "feeds", "Notice", "more"),
    ),
    "a new word in a message": lambda d: _fields(d, "feeds", "Notice")["code"]["enum"].append("x"),
    "a new message": lambda d: _fields(d, "results", "FeedPage")["messages"]["items"][
        "anyOf"
    ].append({"type": "object", "properties": {"type": {"enum": ["waved"]}}, "required": ["type"]}),
    "another text": lambda d: d["commands"]["$defs"]["SaveRule"].update(description="New."),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_breakage_is_told_with_its_message_and_field(what: str) -> None:
    change, told = BROKEN[what]
    assert told in breaches(TODAY.documents, _changed(change))


@pytest.mark.parametrize("what", HARMLESS)
def test_what_breaks_nobody_passes(what: str) -> None:
    changed = _changed(HARMLESS[what])
    assert changed != TODAY.documents
    assert breaches(TODAY.documents, changed) == []


def _changed(change: Change) -> Documents:
    documents = deepcopy(TODAY.documents)
    change(documents)
    return documents


def test_a_subject_that_moved_is_told() -> None:
    subjects = dict(TODAY.subjects)
    del subjects["beat"]
    subjects["feed.team"] = "fernamt.v1.feed.{workspace}.all"
    assert moved(TODAY.subjects, subjects) == [
        "beat: fernamt.v1.beat.{workspace}.operator.{actor}.{session} is gone now",
        "feed.team: fernamt.v1.feed.{workspace}.team is fernamt.v1.feed.{workspace}.all now",
    ]
    assert moved(TODAY.subjects, TODAY.subjects | {"wave": "fernamt.v1.wave"}) == []


# --- events that were written under a release -----------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
def test_every_event_that_a_release_could_write_is_read_today(release: str) -> None:
    definitions = released(release).documents["events"]["$defs"]
    topics = [name for name in definitions if re.fullmatch(r"[a-z_]+\.v\d+", name)]
    assert len(topics) > 50
    for topic in topics:
        for every_field in (False, True):
            event = Sampler(definitions, every_field=every_field).of(definitions[topic])
            envelope = {"at": 1, "first": 1, "rev": 1, "epoch": 1, "data": event}
            decode_event(topic, json.dumps(envelope).encode())
