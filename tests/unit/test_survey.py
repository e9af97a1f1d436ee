"""What waits, counted: as the states say, and never stuck unless the rules were left out."""

from itertools import islice
from typing import Any, cast

import msgspec
import pytest

from services.router.live import LiveWorkspace
from services.router.survey import Survey, is_stuck, survey
from shared.routing.commands import COMMANDS
from shared.routing.decide import Facts, Instruction, decide
from shared.routing.ids import UnixMs
from shared.routing.state import Conversation
from shared.routing.transaction import Stamp, record
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace
from shared.runtime import metrics
from shared.runtime.metrics import Metric
from tests.core.story import ADMIN, EPOCH, Steps, Story, desk, policy, step
from tests.core.wanderer import Wanderer, play


def look(story: Story) -> Survey:
    found = Survey()
    for conversation_id in story.workspace.open:
        found.look(story.workspace, story.conversation(conversation_id), story.at)
    return found


def value(found: Survey, metric: Metric, *labels: str) -> Any:
    (figure,) = (f for f in found.figures() if f.metric is metric and f.labels == labels)
    return figure.value


def is_kept(workspace: Workspace, conversation: Conversation) -> bool:
    """Whether it is there for a visitor who is not."""
    if conversation.state != "waiting":
        return False
    return waiting_reason(workspace, conversation) in ("parked_missed", "visitor_away")


def without_routing(story: Story, steps: Steps) -> None:
    """The facts alone, as if nobody had thought of what follows from them."""
    for done in steps:
        command = msgspec.convert(done.fields, COMMANDS[done.name])
        outcome = decide(story.workspace, command, Instruction(done.actor, story.at))
        assert isinstance(outcome, Facts)
        facts = record(story.workspace, outcome.events, Stamp(story.at, EPOCH, by=done.actor))
        assert len(list(islice(facts, len(outcome.events)))) == len(outcome.events)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_nobody_is_stuck_and_all_are_counted(seed: int) -> None:
    story, wanderer = Story(), Wanderer(seed)
    wanderer.wander(story, 0)
    waited = 0
    for _ in range(100):
        play(story, wanderer.following(story))
        found = look(story)
        everybody = story.workspace.conversations.values()
        waiting = [c for c in everybody if c.state in ("waiting", "offered")]
        assert found.stuck == 0
        assert sum(found.reasons.values()) == len(waiting)
        there = [c for c in waiting if not is_kept(story.workspace, c)]
        oldest = min((c.queued_at for c in there), default=story.at)
        assert found.oldest_ms == story.at - oldest
        waited += len(waiting)
    assert waited


def test_reasons_and_the_oldest_are_told() -> None:
    story = Story()
    story.given(desk(ana=1)).opens("c1").after(30).opens("c2").opens("c3").after(60)
    found = look(story)
    assert value(found, metrics.WAITING, "all_full") == 2
    assert value(found, metrics.WAITING, "nobody_online") == 0
    assert value(found, metrics.OLDEST) == 60
    assert value(found, metrics.STUCK) == 0


def test_what_is_on_offer_waits_too() -> None:
    story = Story()
    story.given(desk(ana=1), policy(delivery="offer", offer_timeout_s=60)).opens("c1").after(10)
    found = look(story)
    assert value(found, metrics.WAITING, "offered") == 1
    assert value(found, metrics.OLDEST) == 10


def test_whoever_waits_though_somebody_is_free_is_found() -> None:
    story = Story()
    story.given(desk(ana=1)).opens("c1").opens("c2").opens("c3")
    assert look(story).stuck == 0
    without_routing(story, step(ADMIN, "update_operator", operator_id="ana", capacity=2))
    assert look(story).stuck == 2
    with pytest.raises(AssertionError, match="nothing holds it"):
        story.reason("c2")


def test_whoever_is_held_is_not_stuck_though_somebody_is_free() -> None:
    story = Story()
    story.given(desk(ana=2), policy(delivery="manual")).opens("c1")
    assert look(story).reasons == {"manual": 1}
    assert look(story).stuck == 0


def test_whoever_stands_in_no_line_is_found() -> None:
    story = Story()
    story.given(desk(ana=1)).opens("c1").opens("c2")
    conversation = story.conversation("c2")
    assert not is_stuck(story.workspace, conversation)
    story.workspace.leaves_queue(conversation)
    assert is_stuck(story.workspace, conversation)


class _Live:
    """A workspace whose state is dropped while it is looked at."""

    def __init__(self, workspace: Workspace, looks: int) -> None:
        self._workspace = workspace
        self._looks = looks

    @property
    def workspace(self) -> Workspace | None:
        self._looks -= 1
        return self._workspace if self._looks >= 0 else None


async def test_a_state_that_is_dropped_meanwhile_is_looked_at_no_further() -> None:
    story = Story()
    story.given(desk(ana=1))
    for number in range(500):
        story.opens(f"c{number}")
    found = await survey([cast("LiveWorkspace", _Live(story.workspace, 1_000))], story.at)
    assert sum(found.reasons.values()) == 499
    found = await survey([cast("LiveWorkspace", _Live(story.workspace, 2))], UnixMs(story.at))
    assert sum(found.reasons.values()) == 399
