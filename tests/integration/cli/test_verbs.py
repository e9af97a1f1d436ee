"""Each verb about the past on a log that is read in place, in words and as JSON."""

import asyncio
import contextlib
import re
import sqlite3
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.routing.events import ConversationAssigned
from shared.routing.ids import OperatorId
from shared.routing.transaction import Recorded
from tests.audit.kept import keep
from tests.core.story import Story, desk, opened
from tests.integration.cli.terminal import Said, fernamt
from tests.servers.vandal import lay_open


def on(log: Path, *arguments: str, **environment: str) -> Said:
    said = fernamt(*arguments, "--data", str(log), **environment)
    assert said.err == "", said
    return said


def failed(log: Path, *arguments: str) -> str:
    said = fernamt(*arguments, "--data", str(log))
    assert (said.code, said.out) == (2, ""), said
    return said.err


def at_position(story: Story, name: str, number: int = 0) -> str:
    """Where the event of this name stands."""
    found = [str(one.position) for one in story.log if type(one.envelope.data).__name__ == name]
    return found[number]


# --- decisions ------------------------------------------------------------------------------


def test_au02_explain_tells_the_decision_and_everybody_who_was_looked_at(
    log: Path, story: Story
) -> None:
    said = on(log, "explain", "c1", COLUMNS="200")
    position = at_position(story, "ConversationAssigned", 1)
    closed = f"position {int(position) - 1}, conversation_closed, by operator ben: c0 closed"
    assert said.code == 0
    first, decided, *_ = said.out.splitlines()
    assert first == "c1 goes to ben"
    assert re.fullmatch(rf"decided +2025-06-15 15:11:40 UTC, position {position}, \S+", decided)
    for words in (
        "conversation_assigned because ben came first among those who could have it (routed)",
        "ranking most free slots: 1 free of 1 (most_free_slots, key -1 ",
        "tie-break none needed, nobody else could have it (sole)",
        "pool 2 with a free slot, before skills",
        "policy no policy was set by then",
        f"follows from {closed}",
        "made again the same, byte for byte",
        "ben chosen online 0/1 -1 ",
        "ana excluded lacks fr (skill_missing) online 0/2",
        "cleo excluded is none of those whom it is for (not_member); lacks fr (skill_missing)",
    ):
        assert words in said.words


def test_au02_explain_tells_the_decision_that_is_named(log: Path, story: Story) -> None:
    position = at_position(story, "ConversationQueued")
    for moment in (("--position", position), ("--at", f"@{position}"), ("--at", "15:08")):
        said = on(log, "explain", "c1", *moment)
        assert said.out.startswith("c1 waits\n")
        assert "nobody with a free slot has the skills it asks for (skill_missing)" in said.words
        assert "it goes to the first who can have it (auto)" in said.words
        assert "ben excluded has no free slot (at_capacity) online 1/1" in said.words


def test_au02_a_decision_that_comes_out_differently_has_an_exit_code_of_its_own(
    tmp_path: Path,
) -> None:
    story = Story().given(desk(ana=2, ben=1)).opens("c1")
    position, written = story.log[-1]
    assert isinstance(written.data, ConversationAssigned)
    forged = replace(written, data=replace(written.data, operator_id=OperatorId("ben")))
    story.log[-1] = Recorded(position, forged)
    asyncio.run(keep(story, tmp_path))
    said = on(tmp_path, "explain", "c1")
    assert said.code == 1
    assert "IT COMES OUT DIFFERENTLY" in said.out
    recorded, expected = (
        "".join(said.out.split()).partition(word)[2] for word in ("recorded:", "expected:")
    )
    assert '"operator_id":"ben"' in recorded.partition("expected:")[0]
    assert '"operator_id":"ana"' in expected
    assert on(tmp_path, "explain", "c1", "--json").code == 1


def test_au03_why_not_says_what_kept_it_from_him(log: Path, story: Story) -> None:
    said = on(log, "why-not", "ana", "c1")
    position = at_position(story, "ConversationAssigned", 1)
    assert said.code == 0
    assert said.out.startswith("c1 could not go to ana\n")
    assert f"as of 2025-06-15 15:11:40 UTC, when position {position} was decided" in said.words
    assert "because lacks fr (skill_missing)" in said.words
    assert "slots 0 of 2 taken, 2 free" in said.words
    then = on(log, "why-not", "ben", "c1", "--at", "15:10")
    assert "because has no free slot (at_capacity)" in then.words
    assert "as of 2025-06-15 15:10:00 UTC, position" in then.words


def test_au03_why_not_says_who_came_before(tmp_path: Path) -> None:
    story = Story().given(desk(ana=2, ben=1)).opens("c1")
    asyncio.run(keep(story, tmp_path))
    said = on(tmp_path, "why-not", "ben", "c1")
    assert said.out.startswith("c1 could go to ben, behind ana\n")
    assert "before him ana came first among those who could have it (routed)" in said.words
    assert "(routed), key -2 0 before -1 0" in said.words
    last = str(story.log[-1].position)
    assert on(tmp_path, "why-not", "ana", "c1", "--position", last).out.startswith("c1 was ana's")


def test_au03_why_waiting_says_what_would_have_ended_it(log: Path) -> None:
    said = on(log, "why-waiting", "c1")
    assert said.code == 0
    assert "waited 4 min, since 2025-06-15 15:07:40 UTC" in said.words
    assert (
        "because nobody with a free slot has the skills it asks for (skill_missing)" in said.words
    )
    assert "- one slot more for ben (slot)" in said.words
    assert "- it not asking for the skill fr: ana could have it (skill)" in said.words
    assert "did not wait" in failed(log, "why-waiting", "c0")


def test_au02_timeline_tells_what_happened_and_who_did_it(log: Path, story: Story) -> None:
    said = on(log, "timeline", "c1", COLUMNS="200")
    assert said.code == 0
    assert "c1 of visitor-c1 is closed" in said.out
    lines = said.out.splitlines()
    (waits,) = [line for line in lines if "* waits" in line]
    assert waits.split()[:2] == [at_position(story, "ConversationQueued"), "15:07:40"]
    assert [line.split()[1] for line in lines if "* goes to ben" in line] == ["15:11:40"]
    (closed,) = [line for line in lines if " closed: " in line]
    assert closed.split()[1:4] == ["15:12:40", "operator", "ben"]
    assert "visitor visitor-c1 through shop opened by visitor-c1" in said.words
    assert said.out.count("* ") == 2
    assert [
        one["type"] for one in on(log, "timeline", "c1", "--json").json["result"]["events"]
    ] == [
        "conversation_opened.v1",
        "conversation_queued.v1",
        "conversation_slow.v1",
        "conversation_assigned.v1",
        "conversation_closed.v1",
    ]


# --- states ---------------------------------------------------------------------------------


def test_au04_roster_and_queue_as_of_a_moment(log: Path) -> None:
    roster = on(log, "roster", "--at", "15:10")
    assert roster.code == 0
    assert "as of 2025-06-15 15:10:00 UTC, position" in roster.out
    assert "2 of 3 operators may" not in roster.out
    assert "3 of 3 operators may get conversations, 5 slots free" in roster.out
    assert "ben online 15:06:40 1/1 0 support" in roster.words
    assert "cleo" not in on(log, "roster", "--group", "support").out
    queue = on(log, "queue", "--at", "15:10")
    assert "1 conversation waiting" in queue.out
    assert "1 c1 2 min 20 s nobody with a free slot has the skills it asks for" in queue.words
    assert "no conversations waiting" in on(log, "queue").out
    earlier = on(log, "roster", "--position", "12", "--json").json
    assert earlier["position"] == 12


def test_au04_diff_tells_what_changed_between_two_moments(log: Path, story: Story) -> None:
    said = on(log, "diff", "--at", "15:10", "--at", "15:07")
    assert said.code == 0
    assert "different: no operators, 1 conversation, no" in said.out
    assert "conversation c1 is new: waits (skill_missing)" in said.words
    said = on(log, "diff", "--at", "15:10")
    assert "operator ben load 1/1 -> 0/1" in said.words
    assert "conversation c0 ben's -> is closed" in said.words
    opened_at = at_position(story, "ConversationOpened")
    by_position = on(log, "diff", "--position", "0", "--position", opened_at)
    assert "before the log begins, position 0" in by_position.out
    assert "operator ana is new: online, 0/2" in by_position.words
    assert "two moments are compared" in failed(log, "diff")
    assert "two moments are compared" in failed(log, "diff", *("--at", "15:07") * 3)


# --- how it is asked ------------------------------------------------------------------------


def test_json_is_one_object_as_the_wire_has_it(log: Path) -> None:
    asked = [
        ("explain", "c1"),
        ("why-not", "ana", "c1"),
        ("why-waiting", "c1"),
        ("timeline", "c1"),
        ("roster",),
        ("queue",),
        ("diff", "--at", "15:10"),
        ("find",),
    ]
    for arguments in asked:
        said = on(log, *arguments, "--json")
        reply = said.json
        assert said.out == msgspec.json.encode(reply).decode() + "\n"
        assert list(reply) == ["ok", "position", "at", "result"]
        assert reply["ok"] is True


def test_times_are_told_in_the_zone_that_is_asked_for(log: Path) -> None:
    assert (
        "17:10:00 Europe/Berlin"
        in on(log, "roster", "--at", "17:10", "--zone", "Europe/Berlin").out
    )
    assert "no time zone 'Mars'" in failed(log, "roster", "--zone", "Mars")


def test_what_is_asked_wrongly_or_is_not_there_is_said(log: Path, tmp_path: Path) -> None:
    assert "unknown_conversation: there is no conversation c9" in failed(log, "explain", "c9")
    assert "unknown_operator: there is no operator dan" in failed(log, "why-not", "dan", "c1")
    assert "conversation_id: an id is expected" in failed(log, "timeline", "c 1")
    assert "unknown_group" in failed(log, "roster", "--group", "nobody")
    assert "the log of acme ends at position" in failed(log, "queue", "--position", "1000000")
    assert "is no time: 14:03 or" in failed(log, "queue", "--at", "teatime")
    assert "the log begins 2025-06-15" in failed(log, "queue", "--at", "2025-06-14")
    assert "either --position or --at" in failed(log, "queue", "--at", "now", "--position", "3")
    assert "there is no pattern odd" in failed(log, "find", "odd")
    assert "is no duration" in failed(log, "find", "--over", "long")
    assert "either --around or" in failed(log, "find", "--around", "15:08", "--to", "15:10")
    assert "would end before it begins" in failed(log, "find", "--from", "15:10", "--to", "15:08")
    assert "2125-06-14 00:00:00 UTC is in the future" in failed(log, "queue", "--at", "2125-06-14")
    assert "there is no log at" in failed(tmp_path / "nothing", "roster")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_log_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    asyncio.run(keep(Story().given(desk(ana=1), opened("c1", "c2")), tmp_path))
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as vandal, vandal:
        lay_open(vandal)
        vandal.execute("delete from stored_events where originator_version = 5")
    said = fernamt("roster", "--data", str(tmp_path))
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("fernamt: the log is damaged: ")


@pytest.mark.parametrize(
    "verb",
    ["explain", "why-not", "why-waiting", "timeline", "roster", "queue", "diff", "find"],
)
def test_help_says_what_exit_codes_mean(verb: str) -> None:
    said = " ".join(fernamt(verb, "--help", COLUMNS="200").out.split())
    for code in ("Exit code 0:", "1:", "2:", *(("4:",) if verb == "find" else ())):
        assert code in said
    assert "writes nothing" in said
