"""The demo tells seven true stories, ends with the verdict of the replay, and leaves nothing."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.engine import ROOT, fernamt, surroundings

WITHIN_S = 120
VERDICT = re.compile(r"replayed (\d+) events, re-made (\d+) decisions: identical")

KEY_FACTS = {
    "1. Second level": [
        r"chat-3 waits: all_full \(delivery auto, pool of 0\)",
        r"checked  meanwhile cleo, dan and eva are online and idle",
        r"checked  and not one message has come to them",
        r"refused  no_permission: .* eva lacks conversations.assigned: write",
        r"chat-1 goes to cleo: most_free_slots, key \(-1, 0\), pool of 2, tie-break operator_id",
        r"told     cleo: assigned chat-1, alert",
        r"checked  of three members online two were in the pool: eva was passed over",
        r"conversation_forwarded by ana: group second, note: Rechnung .* prüfen",
    ],
    "2. Assigning by hand": [
        r"chat-1 goes to ana: directed, nobody was ranked",
        r"told     ana: forwarded chat-1, by lea, alert",
        r"told     ben: forwarded chat-2, by lea$",
        r"refused  operator_offline: the operator dan is offline \(never_logged_in\)",
        r"checked  chat-3 is exactly as it was",
        r"told     cleo: assigned chat-3, alert",
        r"chat-3 goes to ana: .* pool of 1, tie-break sole",
        r"told     ben: added chat-3, by ana$",
    ],
    "3. Status": [
        r"answer   messenger",
        r"checked  cleo alone was in the pool: busy and invisible are bypassed",
        r"checked  full is not absent: the widgets still show live",
        r"chat-3 waits: nobody_online",
        r"told     visitor-1, visitor-2, visitor-3: mode_changed site, live",
        r"told     visitor-1, visitor-2, visitor-3: mode_changed site, messenger",
        r"checked  ana is busy again, as she had chosen",
        r"checked  the widgets are live again",
    ],
    "4. Offers and overflow": [
        r"chat-1, as offer 1, is offered to ana: most_free_slots, .* tie-break operator_id",
        r"chat-1, as offer 2, is offered to ben: .* tie-break sole",
        r"chat-1 is widened: also group overflow, priority 5",
        r"chat-1: offer 2 to ben has expired",
        r"told     cleo: offered chat-1, offer 3, alert",
        r"refused  offer_ended: offer 1 of chat-1 has ended: declined",
        r"refused  offer_ended: offer 2 of chat-1 has ended: expired",
        r"checked  it is cleo's, and as much the shop's as before",
        r"told     ana: offered chat-1, by cleo, offer 4, alert",
        r"chat-1 stays with cleo: the forward was declined",
        r"told     cleo: returned chat-1, declined, alert",
        r"chat-2: all were asked, round 1: a pause",
        r"chat-2: the pause is over, all are asked again",
        r"checked  now he takes it",
        r"forward_offered by cleo: operator ana, note: Sie kennt den Fall",
    ],
    "5. Too slow": [
        r"chat-1 has gone unanswered for too long: escalate_invisible",
        r"told     ben: escalated chat-1, alert",
        r"checked  dan, who did not agree to that, has heard nothing",
        r"checked  it is ben's, and ana still takes part",
        r"refused  not_allowed: nobody but the service presence may send this command",
        r"checked  at once nothing is routed to her, and she is not offline yet",
        r"cleo is offline \(disconnected\)",
        r"chat-2 is taken from cleo: owner_offline",
        r"told     visitor-2: reassigned chat-2, cleo",
        r"chat-2 goes to ana: .* pool of 1, tie-break sole",
        r"checked  the visitor was told once",
        r"checked  cleo is online as if nothing had been, and chat-2 stays with ana",
    ],
    "6. French visitors": [
        r"marie       looks at a page of the French site\n +answer   fired: french\n",
        r"chat-1 goes to fleur: .* pool of 1, tie-break sole",
        r"checked  the view was answered when what follows from it was in the log already",
        r"checked  so it is fleur's as well",
        r"chat-3 goes to ana: .* pool of 1, tie-break sole",
        r"looks at a page in Spanish\n +answer   fired: nothing\n",
        r"checked  asked why, the engine says that the rule is disabled",
        r"looks at the prices while nobody is online\n +answer   fired: nothing\n",
        r"checked  asked why, the engine says so",
        r"told     carmen: invitation site, alert",
        r"checked  and her widget shows the invitation",
    ],
    "7. End of the day": [
        r"ana is offline \(shift_end\)",
        r"checked  chat-1 stays with her: a shift's end alone takes nothing away",
        r"told     vera, paul: mode_changed site, messenger",
        r"chat-2 waits: nobody_online \(delivery auto, pool of 0\)",
        r"checked  ana and ben get a mail each",
        r"chat-2 waits: nobody_online \(delivery offer, pool of 0\)",
        r"mail     to ana@shop.example: Verpasster Chat: Shop\n +\| Hallo Ana,\n",
        r"\| Verlauf\n +\| -------\n +\|\n +\| 22:14 paul: My parcel has not come. Où est-il\?",
        r"mail     to ben@shop.example: Missed chat: Shop\n +\| Hello Ben,\n",
        r"\| Transcript\n +\| ----------\n +\|\n +\| 22:14 paul: My parcel",
        r"checked  both are online by themselves, ben too, who had chosen offline the day before",
        r"told     (ana|ben): offered chat-2, offer 1, alert",
        r"told     paul: operator_joined chat-2",
    ],
}


@pytest.fixture(scope="module")
def told() -> str:
    """What the demo prints where nobody sits at a terminal."""
    done = subprocess.run(
        fernamt("demo"),
        cwd=ROOT,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode()


def test_the_last_line_is_the_verdict_on_all_stories_together(told: str) -> None:
    verdicts = [
        (int(found[1]), int(found[2]))
        for line in told.splitlines()
        if (found := VERDICT.fullmatch(line))
    ]
    *each, together = verdicts
    assert len(each) == len(KEY_FACTS)
    assert together == (sum(events for events, _ in each), sum(made for _, made in each))
    assert VERDICT.fullmatch(told.splitlines()[-1])


@pytest.mark.parametrize("title", KEY_FACTS)
def test_each_story_shows_what_it_is_about(told: str, title: str) -> None:
    story = dict(_stories(told))[title]
    missing = [fact for fact in KEY_FACTS[title] if not re.search(fact, story, re.MULTILINE)]
    assert missing == []


def test_au02_before_the_verdict_one_decision_is_explained(told: str) -> None:
    why = dict(_stories(told))["8. Why?"]
    for fact in (
        r"^chat-1 goes to cleo$",
        r"^made again +the same, byte for byte$",
        r"^cleo +chosen ",
        r"^dan +eligible ",
        r"^ana +excluded .*\(not_member\)",
        r"^eva +excluded .*\(no_permission\)",
    ):
        assert re.search(fact, why, re.MULTILINE), fact


def test_without_a_terminal_it_is_plain_text(told: str) -> None:
    assert "\x1b" not in told


def test_a_story_that_comes_out_otherwise_fails_and_cleans_up(tmp_path: Path) -> None:
    """One that claims too much, played by the demo's own command."""
    script = """
from services.cli.demo import command
from services.cli.main import app

async def wrong(stage):
    await stage.arrange("creates a group", ("create_group", {"group_id": "g", "name": "G"}))
    stage.check("somebody waits", await stage.queue(), [("chat-1", "all_full")])

command.STORIES = (command.Story("wrong", "Wrong", "", wrong),)
app(["demo"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=surroundings({"TMPDIR": str(tmp_path)}),
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 1
    assert b"not as told: somebody waits" in done.stderr
    assert b"expected: [('chat-1', 'all_full')]" in done.stderr
    assert b"identical" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_takes_its_engine_along(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        fernamt("demo"),
        cwd=ROOT,
        env=surroundings({"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        engine = _engine_of(process.stdout.readline().decode())
        os.kill(engine, 0)  # it runs
        process.send_signal(number)
        _, stderr = process.communicate(timeout=WITHIN_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, stderr) == (130, b"fernamt: interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(engine, 0)
    assert list(tmp_path.iterdir()) == []


def _engine_of(line: str) -> int:
    found = re.search(r"process (\d+)", line)
    assert found, line
    return int(found[1])


def _stories(told: str) -> Iterator[tuple[str, str]]:
    """Title and text of everything between two underlined titles."""
    parts = re.split(r"^(\d\. .+)\n-+$", told, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)
