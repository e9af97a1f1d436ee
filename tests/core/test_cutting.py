"""Where a history is cut makes no difference: between seconds, or within a pass of decisions."""

from random import Random
from typing import Any

import pytest

from shared.routing.describe import describe
from shared.routing.events import Actor, Event, RoutingContinues, RoutingCut
from shared.routing.transaction import advance
from tests.core.proof import prove
from tests.core.story import EPOCH, Story
from tests.core.story import Event as Named
from tests.core.test_wandering import decided
from tests.core.wanderer import Told, Wanderer, play
from tests.core.watched import WatchedStory

SEEDS = range(20)
BLOCKS_OF_A_SOAK = range(5, 15)
"""Of a hundred seeds each."""


class Punctual(Story):
    """Every timer is taken at the very moment it falls due."""

    def after(self, seconds: int) -> Story:
        end = self.at + seconds * 1_000
        while (timer := self.workspace.next_due()) is not None and timer.due < end:
            super().after(max(0, timer.due - self.at) // 1_000)
        return super().after((end - self.at) // 1_000)


class Ticking(Story):
    """Time passes second by second; most of them bring nothing."""

    def after(self, seconds: int) -> Story:
        for _ in range(seconds):
            super().after(1)
        return super().after(0)


class Jumping(Punctual):
    """Further stops anywhere between two commands."""

    def __init__(self) -> None:
        self.random = Random(7)
        super().__init__()

    def after(self, seconds: int) -> Story:
        while seconds > 1 and self.random.random() < 0.7:
            part = self.random.randint(1, seconds)
            super().after(part)
            seconds -= part
        return super().after(seconds)


class Sliced(Story):
    """Every pass is cut after a single decision, and gone on with at once."""

    decisions_max = 1

    def when(self, actor: Actor, name: str, /, *, cmd: str | None = None, **fields: Any) -> Story:
        super().when(actor, name, cmd=cmd, **fields)
        self._follow(advance(self.workspace, self.at, EPOCH, self.decisions_max))
        return self


def tell_to(story: Story, told: list[Told]) -> Story:
    for one in told:
        play(story, one)
    return story


def happened(story: Story) -> list[tuple[int, Event]]:
    return [(recorded.envelope.at, recorded.envelope.data) for recorded in story.log]


def cut_in_time(seed: int) -> None:
    told = Wanderer(seed).wander(Story(), 120)
    punctual = tell_to(Punctual(), told)
    for other in (tell_to(Ticking(), told), tell_to(Jumping(), told)):
        assert happened(other) == happened(punctual)
        assert describe(other.workspace) == describe(punctual.workspace)


def without_places(story: Story) -> list[Named]:
    """What was decided, without the positions, which cuts shift."""
    return [Named(name, {**fields, "at": None}) for name, fields in decided(story)]


def cut_in_passes(seed: int) -> None:
    whole = Story()
    told = Wanderer(seed).wander(whole, 120)
    sliced = tell_to(Sliced(), told)
    sliced.after(0)
    kinds = {type(recorded.envelope.data) for recorded in sliced.log}
    assert kinds >= {RoutingCut, RoutingContinues}
    assert without_places(sliced) == without_places(whole)
    prove(sliced.log, sliced.workspace)


@pytest.mark.parametrize("seed", SEEDS)
def test_tm01_stops_at_which_nothing_is_due_change_nothing(seed: int) -> None:
    cut_in_time(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_tm01_passes_that_are_cut_decide_the_same(seed: int) -> None:
    cut_in_passes(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_tm01_after_a_pause_everything_that_was_due_has_fired(seed: int) -> None:
    story = WatchedStory()  # it holds every single timer against those that were pending
    Wanderer(seed).wander(story, 120)
    story.after(0)
    end = story.at + 100_000
    story.after(100)
    assert all(timer.due > end for timer in story.workspace.timers.values())
    for recorded in story.last:
        assert recorded.envelope.at == end
        assert recorded.envelope.by is None


@pytest.mark.soak
@pytest.mark.parametrize("block", BLOCKS_OF_A_SOAK)
def test_tm01_cuts_change_nothing_in_a_thousand_histories(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        cut_in_time(seed)
        cut_in_passes(seed)
