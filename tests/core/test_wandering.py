"""Long seeded histories: held against the reference, and told again with a difference."""

import random

import pytest

from shared.routing import events as e
from shared.routing.describe import state_hash
from shared.routing.events import Decision
from tests.core.proof import prove, restore
from tests.core.random_commands import OPERATORS
from tests.core.story import ADMIN, Event, Steps, Story, as_told, logged_in, registered, role, step
from tests.core.wanderer import Told, Wanderer, play
from tests.core.watched import WatchedStory

SEEDS = range(40)
BLOCKS_OF_A_SOAK = range(10, 50)
"""Of a hundred seeds each."""


def wander(seed: int, steps: int) -> None:
    story = WatchedStory()
    if seed % 4 == 3:
        story.decisions_max = 2
    wanderer = Wanderer(seed)
    wanderer.wander(story, 0)
    for number in range(steps):
        if number % 10 == 9:
            story.workspace = restore(story.workspace)
        play(story, wanderer.following(story))
        while story.workspace.is_cut:
            story.after(0)
        story.check_rest()
    prove(story.log, story.workspace)


@pytest.mark.parametrize("seed", SEEDS)
def test_e08_ro11_long_histories_agree_with_the_reference(seed: int) -> None:
    wander(seed, 150)


@pytest.mark.soak
@pytest.mark.parametrize("block", BLOCKS_OF_A_SOAK)
def test_e08_ro11_thousands_of_histories_agree_with_the_reference(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        wander(seed, 300)


def test_the_histories_have_something_of_everything() -> None:
    told: set[type] = set()
    for seed in SEEDS:
        story = Story()
        Wanderer(seed).wander(story, 150)
        told |= {type(recorded.envelope.data) for recorded in story.log}
    assert told >= set(Decision.__subclasses__())
    seldom = {e.RoleDeleted, e.VisitorUnassigned, e.RoutingCut, e.RoutingContinues}
    seldom |= {e.PresenceStale, e.PresenceFresh}  # no command brings them
    assert set(e.EVENT_TYPES.values()) - told <= seldom


# --- told again with a difference -----------------------------------------------------------


def again(told: list[Told], *before: Steps) -> Story:
    story = Story()
    for several in before:
        story.given(several)
    for one in told:
        play(story, one)
    return story


def decided(story: Story, shift: int = 0) -> list[Event]:
    """Decisions about conversations, without what only counts positions."""
    decisions = []
    for recorded in story.log:
        name, fields = as_told(recorded)
        if isinstance(recorded.envelope.data, Decision) and "conversation_id" in fields:
            at = recorded.position - shift
            kept = {
                key: value
                for key, value in fields.items()
                if key not in ("decided_at", "policy_version", "key", "reason")
            }
            decisions.append(Event(name, kept | {"at": at}))
    return decisions


@pytest.mark.parametrize("seed", SEEDS)
def test_an_operator_who_is_not_eligible_changes_no_decision(seed: int) -> None:
    plain = Story()
    told = Wanderer(seed).wander(plain, 120)
    for stranger in (
        registered("aaa", capacity=0),
        role("nothing") + registered("aaa", capacity=9, role_id="nothing") + logged_in("aaa"),
        registered("aaa") + step(ADMIN, "remove_operator", operator_id="aaa"),
    ):
        other = again(told, stranger)
        shift = len(other.log) - len(plain.log)
        assert decided(other, shift) == decided(plain)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_registration_changes_no_decision(seed: int) -> None:
    plain = Story()
    told = Wanderer(seed).wander(plain, 120)
    mixed = list(told)
    places = [n for n, one in enumerate(told[:40]) if not isinstance(one, int)]
    places = [n for n in places if _registers(told[n])]
    blocks = [_block(told, place) for place in places[:5]]
    start = places[0]
    end = start + sum(len(block) for block in blocks)
    random.Random(seed).shuffle(blocks)
    mixed[start:end] = [one for block in blocks for one in block]
    other = again(mixed)
    assert decided(other) == decided(plain)
    assert state_hash(other.workspace) == state_hash(plain.workspace)


def _registers(told: Told) -> bool:
    return (
        not isinstance(told, int)
        and told.name == "register_operator"
        and told.fields["operator_id"] in OPERATORS
    )


def _block(told: list[Told], place: int) -> list[Told]:
    """The registration and the joining of groups that follows it."""
    end = place + 1
    while not isinstance(following := told[end], int) and following.name == "join_group":
        end += 1
    return told[place:end]
