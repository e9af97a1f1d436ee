"""Which of several eligible operators it is."""

import pytest

from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Story,
    desk,
    entry_point,
    event,
    logged_in,
    online,
    opened,
    policy,
    registered,
    step,
)

RANKINGS = ["most_free_slots", "highest_free_ratio", "fewest_open", "round_robin", "longest_idle"]


@pytest.mark.parametrize(
    ("ranking", "shares"),
    [
        ("most_free_slots", [4, 0]),
        ("highest_free_ratio", [3, 1]),
        ("fewest_open", [2, 2]),
        ("round_robin", [2, 2]),
        ("longest_idle", [2, 2]),
    ],
)
def test_ro03_four_conversations_for_capacities_ten_and_five(
    story: Story, ranking: str, shares: list[int]
) -> None:
    story.given(desk(ana=10, ben=5), policy(ranking=ranking), opened("c1", "c2", "c3", "c4"))
    assert story.owned("ana", "ben") == shares


def test_ro03_most_free_slots_is_the_default(story: Story) -> None:
    story.given(desk(ana=2, ben=5), opened("c1"))
    (assigned,) = story.told("conversation_assigned")
    assert (assigned["operator_id"], assigned["ranking"]) == ("ben", "most_free_slots")
    assert assigned["key"] == [-5, 0]
    assert assigned["tie_break"] == "key"


def test_ro03_highest_free_ratio_looks_at_what_is_left_afterwards(story: Story) -> None:
    story.given(desk(ana=1, ben=3), policy(ranking="highest_free_ratio"), opened("c1", "c2", "c3"))
    assert story.owners("c1", "c2", "c3") == ["ben", "ben", "ana"]
    keys = [told["key"][0] for told in story.told("conversation_assigned")]
    assert keys == [-666_666_666, -333_333_333, 0]


def test_ro03_fewest_open_counts_what_is_owned_and_not_closed(story: Story) -> None:
    story.given(desk(ana=5, ben=5), entry_point("phone", "support", weight=4))
    story.given(policy(ranking="fewest_open"), opened("c1", entry_point_id="phone"))
    story.given(opened("c2", "c3"))
    assert story.owners("c1", "c2", "c3") == ["ana", "ben", "ana"]
    story.given(step(BEN, "close", conversation_id="c2"), opened("c4", "c5"))
    assert story.owners("c4", "c5") == ["ben", "ben"]


def test_ro03_round_robin_goes_round_within_each_pool(story: Story) -> None:
    story.given(desk(ana=9, ben=9, cleo=9), entry_point("app"), policy(ranking="round_robin"))
    story.given(opened("c1", "c2"), opened("a1", entry_point_id="app"), opened("c3", "c4"))
    assert story.owners("c1", "c2", "c3", "c4") == ["ana", "ben", "cleo", "ana"]
    assert story.owner("a1") == "cleo"


def test_ro03_round_robin_counts_only_what_it_gave_itself(story: Story) -> None:
    story.given(desk(ana=9, ben=9), policy(ranking="round_robin"), opened("c1", "c2"))
    story.given(step(ADMIN, "forward", conversation_id="c2", to={"operator": "ana"}))
    story.given(opened("c3"))
    assert story.owner("c3") == "ana"


def test_ro03_longest_idle_since_assignment_release_or_sign_in(story: Story) -> None:
    story.given(desk(ana=9, ben=9, cleo=9), policy(ranking="longest_idle"), opened("c1", "c2"))
    assert story.owners("c1", "c2") == ["ana", "ben"]
    story.given(step(ANA, "release", conversation_id="c1"))
    assert story.owner("c1") == "cleo"
    story.given(opened("c3", "c4", "c5"))
    assert story.owners("c3", "c4", "c5") == ["ben", "ana", "cleo"]


def test_ro03_ties_go_to_the_least_recently_assigned_and_then_by_id(story: Story) -> None:
    story.given(desk(ben=2, ana=2), opened("c1", "c2", "c3", "c4"))
    assert story.owners("c1", "c2", "c3", "c4") == ["ana", "ben", "ana", "ben"]
    breaks = [told["tie_break"] for told in story.told("conversation_assigned")]
    assert breaks == ["operator_id", "key", "least_recently_assigned", "sole"]


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("count", [7, 12])
def test_f01_equals_get_equal_shares(story: Story, ranking: str, count: int) -> None:
    story.given(desk(ana=9, ben=9, cleo=9), policy(ranking=ranking))
    story.given(opened(*(f"c{number}" for number in range(count))))
    shares = story.owned("ana", "ben", "cleo")
    assert sum(shares) == count
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize("ranking", RANKINGS)
def test_f05_equal_candidates_are_told_apart_without_chance(ranking: str) -> None:
    runs = []
    for _ in range(2):
        story = Story()
        story.given(desk(ben=3, cleo=3, ana=3), policy(ranking=ranking))
        story.given(opened(*(f"c{number}" for number in range(9))))
        runs.append(story.told("conversation_assigned"))
    assert runs[0] == runs[1]
    assert runs[0][0]["operator_id"] == ("ben" if ranking == "longest_idle" else "ana")


def test_ro03_rankings_of_a_group_hold_for_its_conversations_only(story: Story) -> None:
    story.given(desk(ana=10, ben=5), entry_point("app"))
    story.given(policy(group_id="support", ranking="fewest_open"))
    story.given(opened("c1", "c2"), opened("a1", "a2", entry_point_id="app"))
    assert story.owners("c1", "c2", "a1", "a2") == ["ana", "ben", "ana", "ana"]


# --- whose clock runs since when ------------------------------------------------------------


def test_ro04_a_newcomers_idle_time_begins_at_sign_in(story: Story) -> None:
    story.given(desk(ana=5), policy(ranking="longest_idle"), registered("ben", "support"))
    story.after(3_600).given(opened("c0"))
    story.given(step(ANA, "close", conversation_id="c0"), logged_in("ben"), opened("c1", "c2"))
    assert story.owners("c1", "c2") == ["ana", "ben"]


def test_ro04_a_second_device_starts_no_new_clock(story: Story) -> None:
    story.given(desk(ana=5, ben=5), policy(ranking="longest_idle"), logged_in("ana", "phone"))
    story.given(opened("c1"))
    assert story.owner("c1") == "ana"


@pytest.mark.parametrize("ranking", RANKINGS)
def test_ro04_going_busy_and_back_gains_nothing(story: Story, ranking: str) -> None:
    story.given(desk(ana=9, ben=9, cleo=9), policy(ranking=ranking))
    story.given(opened(*(f"c{number}" for number in range(5))))
    story.given(step(BEN, "set_status", status="busy"), step(BEN, "set_status", status="online"))
    story.opens("c5").then_among_others(event("conversation_assigned", operator_id="cleo"))


def test_r02_one_free_slot_takes_one_of_three(story: Story) -> None:
    story.given(desk(ana=1, ben=1), opened("c1", "c2", "c3"))
    assert story.owners("c1", "c2", "c3") == ["ana", "ben", None]


def test_ro03_somebody_new_with_the_same_room_comes_first(story: Story) -> None:
    story.given(desk(ana=2), opened("c1"), online("ben", "support", capacity=1), opened("c2"))
    assert story.owners("c1", "c2") == ["ana", "ben"]
