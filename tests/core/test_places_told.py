"""What those who wait hear of their places: at once, then every ten seconds if it is another."""

import random
from collections.abc import Sequence

import pytest

from shared.routing.events import Actor
from shared.routing.ids import ConversationId, UnixMs
from shared.routing.notify import Numbered, Telling
from shared.routing.notify.places import PAUSE_MS
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from tests.core.listening import Listening, heard_again
from tests.core.phrases import accepts, declines, offering
from tests.core.story import (
    ADMIN,
    ANA,
    desk,
    entry_point,
    group,
    online,
    opened,
    policy,
    registered,
    step,
)
from tests.golden.stories import STORIES


@pytest.fixture
def story() -> Listening:
    """Nobody has a slot, so everybody waits; nobody is alerted of slow answers."""
    story = Listening()
    story.given(policy(on_slow=[]), desk(ana=0))
    return story


def closes(story: Listening, conversation_id: str) -> Listening:
    story.when(ADMIN, "close", conversation_id=conversation_id)
    return story


def places(story: Listening, number: int) -> list[int]:
    """What the visitor of this conversation was told by the last step."""
    told = story.told_visitor(f"visitor-c{number}")
    return [one["place"] for one in told if one["type"] == "queued"]


def wait(story: Listening, count: int) -> Listening:
    """So many wait, each in a conversation of the same number."""
    for number in range(1, count + 1):
        story.given(opened(f"c{number}"))
    return story


def test_no01_a_new_place_is_told_ten_seconds_after_the_last(story: Listening) -> None:
    wait(story, 3).after(9)
    closes(story, "c1")
    assert [places(story, n) for n in (2, 3)] == [[], []]
    story.after(1)
    assert [places(story, n) for n in (2, 3)] == [[], []]
    story.when(ADMIN, "create_group", group_id="g", name="G")
    assert [places(story, n) for n in (2, 3)] == [[1], [2]]


def test_no01_once_the_pause_is_over_a_change_is_told_at_once(story: Listening) -> None:
    wait(story, 4).after(30)
    story.given(step(ADMIN, "create_group", group_id="g", name="G"))
    closes(story, "c2")
    assert [places(story, n) for n in (1, 3, 4)] == [[], [2], [3]]
    closes(story, "c1")
    assert [places(story, n) for n in (3, 4)] == [[], []]
    story.after(10).when(ADMIN, "create_group", group_id="h", name="H")
    assert [places(story, n) for n in (3, 4)] == [[1], [2]]


def test_no01_a_place_that_is_the_same_again_by_then_is_not_told(story: Listening) -> None:
    wait(story, 2).after(5)
    story.given(step(ADMIN, "set_conversation", conversation_id="c2", priority=9))
    story.given(step(ADMIN, "set_conversation", conversation_id="c2", priority=5))
    story.after(30).when(ADMIN, "create_group", group_id="g", name="G")
    assert [places(story, n) for n in (1, 2)] == [[], []]


def test_no01_a_priority_moves_everybody_behind(story: Listening) -> None:
    wait(story, 3).after(12)
    story.when(ADMIN, "set_conversation", conversation_id="c3", priority=9)
    assert [places(story, n) for n in (1, 2, 3)] == [[2], [3], [1]]


def test_no01_settings_that_move_nobody_are_told_to_nobody(story: Listening) -> None:
    wait(story, 3).after(12)
    story.now(policy(ranking="round_robin"))
    assert [places(story, n) for n in (1, 2, 3)] == [[], [], []]
    assert [one["type"] for one in story.told_team()] == []


def test_no01_whoever_waits_again_hears_its_place_at_once(story: Listening) -> None:
    wait(story, 2)
    story.given(step(ANA, "claim", conversation_id="c1"))
    story.when(ANA, "release", conversation_id="c1")
    assert places(story, 1) == [1]


def test_no01_declines_are_no_reason_to_say_the_same_place_again() -> None:
    story = Listening()
    story.given(offering(ana=1), opened("c1"))
    story.now(declines("ana", "c1"))
    assert places(story, 1) == [1]
    story.after(16)
    assert story.conversation("c1").state == "offered"
    story.now(declines("ana", "c1", offer=2))
    assert places(story, 1) == []
    story.after(16).now(accepts("ana", "c1", offer=3))
    assert story.told_visitor("visitor-c1")[-1]["type"] == "operator_joined"


def test_no01_a_missed_conversation_has_no_place_any_more(story: Listening) -> None:
    wait(story, 2).after(12)
    story.when(ADMIN, "create_group", group_id="g", name="G")
    story.when(Actor("visitor", "visitor-c1"), "close", conversation_id="c1")
    assert [one["type"] for one in story.told_visitor("visitor-c1")] == ["notice"]
    assert places(story, 2) == [1]


def test_no01_lines_of_other_groups_do_not_count(story: Listening) -> None:
    story.given(group("sales"), entry_point("shop", "sales"), online("ben", "sales", capacity=0))
    wait(story, 2)
    story.given(opened("c9", entry_point_id="shop")).after(12)
    closes(story, "c1")
    assert places(story, 2) == [1]
    assert places(story, 9) == []


def test_no01_forwarded_to_another_line_the_new_place_is_told(story: Listening) -> None:
    story.given(group("sales"), registered("ben", "sales"))
    wait(story, 3).after(12)
    story.when(ADMIN, "forward", conversation_id="c3", to={"group": "sales"})
    assert places(story, 3) == [1]
    assert places(story, 1) == places(story, 2) == []


# --- the team -------------------------------------------------------------------------------


def test_no01_the_team_hears_once_of_a_group_of_changes(story: Listening) -> None:
    wait(story, 3)
    story.when(ADMIN, "register_operator", operator_id="ben", capacity=2)
    assert "queue_changed" not in [one["type"] for one in story.told_team()]
    story.given(step(ADMIN, "join_group", operator_id="ben", group_id="support"))
    story.when(ADMIN, "update_operator", operator_id="ana", capacity=2)
    changes = [one for one in story.told_team() if one["type"] == "queue_changed"]
    assert changes == [{"type": "queue_changed"}]
    assert story.owners("c1", "c2", "c3") == ["ana", "ana", None]


# --- however it is read ---------------------------------------------------------------------


def _read(log: Sequence[Recorded], cuts: Sequence[int]) -> list[Numbered]:
    """What is said by whoever reads it in these pieces, and looks at the end of each."""
    telling = Telling(Workspace(workspace_id="acme"))
    heard: list[Numbered] = []
    ends = set(cuts)
    for number, recorded in enumerate(log, start=1):
        heard += telling.begins(*recorded)
        heard += telling.feed(*recorded)
        if number in ends:
            heard += telling.rest()
    return heard + telling.rest()


@pytest.mark.parametrize("name", STORIES)
def test_no04_wherever_a_log_is_cut_the_same_is_said_with_the_same_numbers(name: str) -> None:
    log = STORIES[name]().log
    whole = heard_again(log)
    assert _read(log, range(1, len(log) + 1)) == whole
    rng = random.Random(name)
    for size in (2, 3, 7, 50):
        cuts = [place for place in range(1, len(log) + 1) if rng.random() < 1 / size]
        assert _read(log, cuts) == whole


@pytest.mark.parametrize("name", STORIES)
def test_no01_nobody_is_told_of_another_place_within_ten_seconds(name: str) -> None:
    """But for who had somebody in between, and waits anew."""
    last: dict[str, Numbered] = {}
    for message in heard_again(STORIES[name]().log):
        note = message.notification
        if note.recipient.kind != "visitor" or "conversation_id" not in note.fields:
            continue
        conversation_id = note.fields["conversation_id"]
        before = last.get(conversation_id)
        if note.type == "queued" and before is not None:
            assert before.notification.fields["place"] != note.fields["place"]
            assert message.at - before.at >= PAUSE_MS
        if note.type == "queued":
            last[conversation_id] = message
        elif note.type != "notice":
            last.pop(conversation_id, None)


# --- how much it costs ----------------------------------------------------------------------

WAITING = 2_000
PER_MESSAGE_MAX = 3


def test_no01_a_long_line_is_not_looked_at_with_every_event(story: Listening) -> None:
    """Each look at a place is owed to somebody who moved, or to one told ten seconds ago."""
    wait(story, WAITING).after(12)
    story.given(step(ADMIN, "create_group", group_id="g", name="G"))
    looks = _count_looks(story)
    for number in range(WAITING, WAITING - 200, -1):
        closes(story, f"c{number}")
    assert len(looks) <= 200 * PER_MESSAGE_MAX
    looks.clear()
    before = len(story.heard)
    closes(story, "c1")
    assert len(looks) <= PER_MESSAGE_MAX * (len(story.heard) - before)
    looks.clear()
    for number in range(2, 202):
        closes(story, f"c{number}")
    assert len(looks) <= 200 * PER_MESSAGE_MAX


def _count_looks(story: Listening) -> list[str]:
    """Fills up with every conversation whose place is looked at."""
    looks: list[str] = []
    watched = story._telling.feeds._places
    judge = watched._judge

    def counting(conversation_id: ConversationId, at: UnixMs) -> int | None:
        looks.append(conversation_id)
        return judge(conversation_id, at)

    watched._judge = counting  # type: ignore[method-assign]
    return looks
