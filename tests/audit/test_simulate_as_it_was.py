"""Played under the policies that held, a log comes out as it was: what makes a report believable.

And with a part of the playing taken out it does not, so that this can be seen to fail.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shared.audit.changes import BadChange
from shared.audit.playing import Play
from shared.audit.script import Reading
from shared.audit.simulating import Simulation
from shared.routing.describe import state_hash
from shared.routing.events import ConversationAssigned
from shared.routing.transaction import Recorded
from tests.audit.simulated import capacity, folded, rest_before, simulated
from tests.core.story import Story
from tests.core.wanderer import Wanderer
from tests.golden.record import golden
from tests.golden.stories import STORIES

SEEDS = range(6)


def wandered(seed: int, steps: int = 300) -> tuple[Wanderer, list[Recorded]]:
    wanderer, story = Wanderer(seed), Story()
    wanderer.wander(story, steps)
    return wanderer, story.log


def comes_out(report: Simulation) -> bool:
    return (
        report.artefacts_total == report.differences_total == 0
        and report.recorded.outcome == report.baseline.outcome
        and report.baseline == report.simulated
        and report.baseline.tally is not None
        and not report.baseline.tally.left_out
        and not report.baseline.tally.not_reached
    )


@pytest.mark.parametrize("name", STORIES)
def test_au06_a_recorded_log_is_played_as_it_was(name: str) -> None:
    report = simulated(golden(name))
    assert report.recorded.outcome.conversations
    assert comes_out(report)


@pytest.mark.parametrize("seed", SEEDS)
def test_au06_any_history_is_played_as_it_was(seed: int) -> None:
    _, log = wandered(seed)
    assert comes_out(simulated(log))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [3, 2])
def test_au06_so_is_any_stretch_of_it(seed: int, share: int) -> None:
    _, log = wandered(seed)
    report = simulated(log, after=rest_before(log, len(log) // share))
    assert report.stretch.events < len(log)
    assert comes_out(report)


def test_au06_every_event_is_the_same_not_only_its_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, at the same moments."""
    _, log = wandered(7)
    played: list[tuple[int, bytes]] = []
    noted = Play._note

    def note(self: Play, event: Any) -> None:
        played.append((self.workspace.at, msgspec.json.encode(event)))
        noted(self, event)

    monkeypatch.setattr(Play, "_note", note)
    simulated(log)
    recorded = [(one.envelope.at, msgspec.json.encode(one.envelope.data)) for one in log]
    assert played == recorded * 2  # once as it was, once with no changes


# --- it can fail ------------------------------------------------------------------------------


def _no_timers(_self: Play, _upto: int) -> bool:
    return False


def _no_answers(_self: Play, _conversation: Any) -> None:
    """Offers are left to expire."""


def _at_once(self: Reading, *said: Any) -> None:
    _HANDLED(self, *said)
    for stages in self.script.acts.values():
        for acts in stages.values():
            acts[:] = [msgspec.structs.replace(act, after_ms=0) for act in acts]


def _by_the_same(self: Play, conversation: Any) -> None:
    """Nothing that people do with a conversation is ever due."""


_HANDLED = Reading._handled


@pytest.mark.parametrize(
    ("whose", "part", "instead"),
    [
        (Play, "_fire", _no_timers),
        (Play, "_offered", _no_answers),
        (Play, "_schedule", _by_the_same),
        (Reading, "_handled", _at_once),
    ],
)
def test_au06_without_a_part_of_it_histories_come_out_otherwise(
    monkeypatch: pytest.MonkeyPatch, whose: type, part: str, instead: Callable[..., Any]
) -> None:
    monkeypatch.setattr(whose, part, instead)
    assert not all(comes_out(simulated(wandered(seed)[1])) for seed in SEEDS)


def test_au06_a_log_whose_decisions_were_tampered_with_comes_out_otherwise() -> None:
    log = golden("second_level")
    decisions = [isinstance(one.envelope.data, ConversationAssigned) for one in log]
    forged = decisions.index(True)
    assert comes_out(simulated(log))
    data: Any = log[forged].envelope.data
    other = msgspec.structs.replace(data, operator_id="ana" if data.operator_id == "ben" else "ben")
    log[forged] = log[forged]._replace(
        envelope=msgspec.structs.replace(log[forged].envelope, data=other)
    )
    assert not comes_out(simulated(log))


# --- under changes ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_au06_any_change_can_be_supposed_of_any_history(seed: int) -> None:
    """It may be refused in words; else everybody who asked is accounted for, and twice the same."""
    wanderer, log = wandered(seed)
    after = rest_before(log, len(log) // 3)
    for _ in range(3):
        drawn = [dict(wanderer._change_policy().fields) for _ in range(2)]
        changes = [*drawn, capacity("ana", wanderer.random.randrange(6))]
        try:
            report = simulated(log, *changes, after=after)
        except BadChange:
            continue
        outcome = report.simulated.outcome
        assert outcome.conversations >= outcome.assigned + outcome.waiting_still
        assert sum(outcome.waits.counts) == outcome.assigned
        assert msgspec.json.encode(report) == msgspec.json.encode(
            simulated(log, *changes, after=after)
        )


def test_au06_the_state_that_it_begins_with_is_only_read() -> None:
    _, log = wandered(3)
    after = rest_before(log, len(log) // 2)
    before = state_hash(folded(log[:after]))
    workspace = folded(log[:after])
    simulated(log, capacity("ana", 9), after=after)
    assert state_hash(workspace) == before
