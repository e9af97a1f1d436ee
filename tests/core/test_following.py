"""Following a log shows what the router shows, however the log was cut into pieces."""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.routing.describe import describe, state_hash
from shared.routing.folding import Folding
from shared.routing.following import Following, Unfit
from shared.routing.ids import ConversationId, Position
from shared.routing.notify import Notification, notifications
from shared.routing.replay import Replay
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from tests.core.story import Story
from tests.core.test_cutting import Sliced, tell_to
from tests.core.wanderer import Wanderer
from tests.golden.record import golden
from tests.golden.stories import STORIES

Log = Sequence[Recorded]
SEEDS = range(16)
BLOCKS_OF_A_SOAK = range(5)
"""Of a hundred seeds each."""


class Shown(NamedTuple):
    """What a reader can see of a state that is at rest."""

    places: dict[ConversationId, int]
    """Of those who wait, in their lines."""
    due: object
    state: str


def shown(workspace: Workspace) -> Shown:
    places = {
        its_id: place
        for its_id, conversation in workspace.conversations.items()
        if (place := workspace.place_in_line(conversation)) is not None
    }
    return Shown(places, workspace.next_due(), state_hash(workspace))


def ends_of_groups(log: Log) -> set[Position]:
    ends = {Position(position - 1) for position, envelope in log if envelope.first == position}
    return ends - {Position(0)} | {log[-1].position}


def shown_by_the_router(log: Log) -> dict[Position, Shown]:
    """At the end of each pass, by a state in which every decision was made again."""
    replaying = Replay(Workspace(workspace_id="acme"))
    ends, told = ends_of_groups(log), {}
    for position, envelope in log:
        assert replaying.feed(position, envelope) is None
        if position in ends:
            assert replaying.finish() is None
            if not replaying.workspace.is_cut:
                told[position] = shown(replaying.workspace)
    return told


class Followed(NamedTuple):
    shown: dict[Position, Shown]
    """At the end of each pass."""
    told: list[list[Notification]]
    workspace: Workspace


def follow(log: Log, is_cut_after: Callable[[Position], bool]) -> Followed:
    """Follow the log and look at it wherever a piece ends, and at the end of each pass."""
    following = Following(Workspace(workspace_id="acme"))
    ends = ends_of_groups(log)
    seen: dict[Position, Shown] = {}
    told: list[list[Notification]] = []
    for position, envelope in log:
        following.feed(position, envelope)
        told.append(notifications(following.workspace, envelope))
        if is_cut_after(position):
            following.rest()
        if position in ends:
            following.rest()
            if not following.workspace.is_cut:
                seen[position] = shown(following.workspace)
    return Followed(seen, told, following.workspace)


def never(_: Position) -> bool:
    return False


def always(_: Position) -> bool:
    return True


def at_random(seed: int) -> Callable[[Position], bool]:
    draw = Random(seed)
    return lambda _: draw.random() < 0.3


def prove_following(log: Log) -> None:
    router = shown_by_the_router(log)
    whole = follow(log, never)
    assert whole.shown == router
    for cut in (always, at_random(1), at_random(2)):
        pieces = follow(log, cut)
        assert pieces.shown == router
        assert pieces.told == whole.told
        assert describe(pieces.workspace) == describe(whole.workspace)


def wandered(seed: int) -> Iterator[Log]:
    """A random history, whole and with every pass cut after one decision."""
    whole = Story()
    told = Wanderer(seed).wander(whole, 120)
    yield whole.log
    sliced = tell_to(Sliced(), told)
    sliced.after(0)
    yield sliced.log


@pytest.mark.parametrize("name", STORIES)
def test_a_recorded_log_is_followed_to_what_the_router_showed(name: str) -> None:
    prove_following(golden(name))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_is_followed_to_what_the_router_showed(seed: int) -> None:
    for log in wandered(seed):
        prove_following(log)


@pytest.mark.soak
@pytest.mark.parametrize("block", BLOCKS_OF_A_SOAK)
def test_hundreds_of_random_histories_are_followed_to_what_the_router_showed(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        for log in wandered(seed):
            prove_following(log)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 7), sizes=st.lists(st.integers(1, 40), min_size=1))
def test_pieces_of_any_sizes_come_to_the_same(seed: int, sizes: list[int]) -> None:
    story = Story()
    Wanderer(seed).wander(story, 60)
    cuts, position = set(), 0
    while position < len(story.log):
        for size in sizes:
            position += size
            cuts.add(position)
    pieces = follow(story.log, cuts.__contains__)
    whole = follow(story.log, never)
    assert (pieces.shown, pieces.told) == (whole.shown, whole.told)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_state_restored_from_the_same_log_shows_the_same(seed: int) -> None:
    for log in wandered(seed):
        folding = Folding(Workspace(workspace_id="acme"))
        for _, envelope in log:
            list(folding.feed(envelope))
        list(folding.finish())
        restored = Following(folding.workspace)
        restored.rest()
        assert shown(restored.workspace) == follow(log, never).shown[log[-1].position]


def test_an_event_that_is_missing_is_told() -> None:
    following = Following(Workspace(workspace_id="acme"))
    (first, *_, last) = golden("status")
    following.feed(*first)
    with pytest.raises(Unfit, match="position 2 is missing"):
        following.feed(*last)


def test_an_event_that_fits_no_state_is_told() -> None:
    log = golden("second_level")
    assigned = next(e for _, e in log if type(e.data).__name__ == "ConversationAssigned")
    following = Following(Workspace(workspace_id="acme"))
    with pytest.raises(Unfit, match="position 1 does not fit"):
        following.feed(Position(1), assigned)
