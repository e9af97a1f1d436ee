"""``fernamt simulate``: a report in words and as JSON, of a log that no engine needs to run on."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from services.cli.simulation_shown import duration, in_words
from shared.audit.simulating import Assumption, AssumptionCode
from tests.audit.kept import keep
from tests.core.story import ANA, BEGINNING, Story, desk, opened, step
from tests.servers.engine import ROOT, STOP_WITHIN_S, fernamt, surroundings


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A directory with the log of one workspace: the second visitor waits for a minute."""
    story = Story().given(desk(ana=1), opened("c1", "c2")).after(10)
    story.given(step(ANA, "reply", conversation_id="c1")).after(50)
    story.given(step(ANA, "close", conversation_id="c1"))
    await keep(story, tmp_path)
    return tmp_path


def simulate(data: Path, changes: Any, *arguments: str) -> Said:
    file = data / "changes.json"
    file.write_text(changes if isinstance(changes, str) else json.dumps(changes))
    done = subprocess.run(
        fernamt("simulate", str(file), "--data", str(data), *arguments),
        cwd=ROOT,
        env={**surroundings(), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=STOP_WITHIN_S,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


CAPACITY = [{"update_operator": {"operator_id": "ana", "capacity": 2}}]
POLICY = {"scope": {"workspace": True}, "policy": {"delivery": "offer"}}


def test_au06_the_report_says_what_would_have_been_and_what_it_assumes(data: Path) -> None:
    said = simulate(data, CAPACITY, "--workspace", "acme")
    assert (said.code, said.err) == (0, "")
    assert "A report: nothing was applied, and nothing is proposed." in said.out
    assert 'supposed: {"update_operator":{"operator_id":"ana","capacity":2}}' in said.out
    words = [" ".join(line.split()) for line in said.out.splitlines()]
    assert "wait, longest 1 min 00 s 1 min 00 s 0 s" in words
    assert "ana 1 → 2 2 1 → 2 1.00 → 2.00 0" in words
    assert "c2 ana after 1 min 00 s (all full) ana after 0 s" in words
    assert "What it takes for granted" in said.out
    assert "Visitors open conversations (2), leave the page" in said.out
    assert words[-1] == "Played as it was, every conversation came out as recorded."


def test_au06_as_json_it_says_the_same_for_programs(data: Path) -> None:
    said = simulate(data, POLICY, "--workspace", "acme", "--json")
    assert (said.code, said.err) == (0, "")
    report = json.loads(said.out)
    assert report["changes"] == [{"set_policy": POLICY}]
    assert report["artefacts_total"] == 0
    assert report["simulated"]["outcome"]["waits"]["p50_ms"] == 5_000
    assert {one["code"] for one in report["assumptions"]} <= set(get_args(AssumptionCode))


def test_au06_a_stretch_from_and_to(data: Path) -> None:
    said = simulate(data, [], "--workspace", "acme", "--from", "2025-06-15T15:06:40Z", "--json")
    report = json.loads(said.out)
    assert report["stretch"]["begins_at"] == BEGINNING
    assert report["recorded"]["outcome"]["conversations"] == 1
    until = f"@{report['stretch']['upto'] - 3}"
    said = simulate(data, [], "--workspace", "acme", "--to", until, "--json")
    assert json.loads(said.out)["stretch"]["upto"] < report["stretch"]["upto"]


@pytest.mark.parametrize(
    ("changes", "arguments", "complaint"),
    [
        ("{", [], "change 1: malformed: the body is not one JSON object in UTF-8"),
        (
            {"scope": {"workspace": True}, "policy": {"ranking": "fair"}},
            [],
            "change 1: invalid_policy: policy.ranking: one of fewest_open,",
        ),
        (
            {"scope": {"group": "nobody"}, "policy": {"ranking": "round_robin"}},
            [],
            "change 1: unknown_group: there is no group nobody",
        ),
        ([], ["--from", "noon"], "'noon' is no time: 14:03 or"),
        ([], ["--to", "@9999"], "ends at position"),
        ([], ["--workspace", "other"], "there is no workspace other; there are: acme"),
    ],
)
def test_au06_what_is_wrong_is_said_in_one_line(
    data: Path, changes: Any, arguments: list[str], complaint: str
) -> None:
    said = simulate(data, changes, "--workspace", "acme", *arguments)
    assert (said.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("fernamt: ")
    assert complaint in line


def test_durations_are_for_people() -> None:
    shown = [duration(ms) for ms in (0, 1_250, 59_999, 60_000, 185_000, 7_800_000)]
    assert shown == ["0 s", "1.2 s", "59.9 s", "1 min 00 s", "3 min 05 s", "2 h 10 min"]


@pytest.mark.parametrize("code", get_args(AssumptionCode))
def test_every_assumption_can_be_said(code: AssumptionCode) -> None:
    names = "opened wrote fired acts offers claims replies closes after_ms decisions revision"
    numbers = dict.fromkeys(names.split(), 61_000)
    sentence = in_words(Assumption(code, numbers))
    assert sentence.endswith(".")
    assert "{" not in sentence
