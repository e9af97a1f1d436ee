"""``fernamt find``: what is found in which stretch, in one piece and in many."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from shared.audit import finding
from tests.audit.kept import keep
from tests.core.story import ANA, Story, desk, opened, step
from tests.integration.cli.terminal import Said, fernamt


def on(log: Path, *arguments: str) -> Said:
    said = fernamt("find", *arguments, "--data", str(log))
    assert said.err == "", said
    return said


def result(log: Path, *arguments: str) -> dict[str, Any]:
    its: dict[str, Any] = on(log, *arguments, "--json").json["result"]
    return its


def names(its: dict[str, Any]) -> list[str]:
    return sorted(match["conversation_id"] for match in its["matches"])


def test_au03_find_tells_the_wait_its_reason_and_who_was_free(log: Path) -> None:
    said = on(log, "waited-while-free", "--over", "2m")
    assert said.code == 0
    assert "1 conversation found" in said.out
    assert "waited 4 min, from 2025-06-15 15:07:40 to 15:11:40, position" in said.words
    assert (
        "because nobody with a free slot has the skills it asks for (skill_missing)" in said.words
    )
    assert "owners ben" in said.words
    assert re.search(r"ana +15:07:40 +\d+ +lacks a skill that is asked for", said.out)
    assert said.out.index("ana ") < said.out.index("cleo ")


def test_au03_find_has_an_exit_code_for_nothing(log: Path) -> None:
    said = on(log, "waited", "--over", "4m")
    assert said.code == 4
    assert "no conversations found" in said.out
    assert on(log, "waited", "--over", "239").code == 0
    assert on(log, "--visitor", "nobody", "--json").code == 4


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--around", "15:08"), ["c0", "c1"]),
        (("--around", "14:00"), []),
        (("--from", "15:12:00"), ["c1"]),
        (("--to", "15:07:00"), ["c0"]),
        (("waited", "--from", "15:07", "--to", "15:09"), ["c1"]),
        (("--conversation", "c0"), ["c0"]),
        (("--operator", "cleo", "waited"), ["c1"]),
    ],
)
def test_au03_find_looks_at_what_is_asked_for(
    log: Path, arguments: tuple[str, ...], found: list[str]
) -> None:
    assert names(result(log, *arguments)) == found


@pytest.mark.parametrize(
    ("pattern", "stretch"),
    [
        ("waited", ()),
        ("waited", ("--to", "2026-03-10T16:00")),
        ("waited", ("--from", "@1000")),
        ("waited-while-free", ("--from", "@1500", "--to", "@2500")),
    ],
)
def test_au03_find_asks_on_until_the_stretch_is_over(
    sample_log: Path, pattern: str, stretch: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In many pieces it finds what it finds in one."""
    whole = result(sample_log, pattern, *stretch, "--limit", "1000")
    monkeypatch.setattr(finding, "EVENTS_MAX", 150)
    pieces = result(sample_log, pattern, *stretch, "--limit", "1000")
    assert _waits(pieces) == _waits(whole)
    assert len(_waits(whole)) > 2
    for end in ("looked_from", "looked_to", "next"):
        assert pieces[end] == whole[end]


def _waits(its: dict[str, Any]) -> dict[str, tuple[int, int | None]]:
    return {
        match["conversation_id"]: (match["waited_ms"], match["waited_to"])
        for match in its["matches"]
    }


def test_au03_find_stops_at_its_limit_and_says_where_to_go_on(sample_log: Path) -> None:
    whole = names(result(sample_log, "waited"))
    some = on(sample_log, "waited", "--limit", "3")
    assert "3 conversations found" in some.out
    onward = re.search(r"There may be more: a larger --limit, or --from (@\d+)", some.out)
    assert onward is not None
    told = re.findall(r"^(c-\d+) of v-\d+", some.out, re.MULTILINE)
    assert len(told) == 3
    rest = names(result(sample_log, "waited", "--from", onward[1]))
    assert sorted({*told, *rest}) == whole
    assert len(whole) > 10


def test_au03_those_that_still_wait_at_the_end_are_not_lost_by_the_limit(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1", "c2", "c3", "c4", "c5"))
    story.after(100).given(step(ANA, "reply", conversation_id="c1"))
    asyncio.run(keep(story, tmp_path))
    said = on(tmp_path, "waited")
    assert "waited 1 min 40 s, from 2025-06-15 15:06:40 and still did 15:08:20" in said.words
    assert names(result(tmp_path, "waited")) == ["c2", "c3", "c4", "c5"]
    some = result(tmp_path, "waited", "--limit", "3")
    assert len(some["matches"]) == 3
    onward = result(tmp_path, "waited", "--from", f"@{some['next']}")
    assert names(onward) == ["c2", "c3", "c4", "c5"]


def test_au03_around_is_ten_minutes_to_either_side(log: Path, story: Story) -> None:
    last = story.log[-1]
    looked = result(log, "--around", "now")
    assert looked["looked_to"] == last.position
    assert result(log, "--around", f"@{last.position}") == looked
    assert result(log, "--around", "15:12:40") == looked
    assert names(result(log, "--around", "2025-06-15T15:22:39")) == ["c1"]
    assert names(result(log, "--around", "2025-06-15T15:22:40")) == []
    assert names(result(log, "--around", "2025-06-15T14:56:40")) == ["c0"]
    assert names(result(log, "--around", "2025-06-15T14:56:39")) == []
