"""The order in which waiting conversations are served, and that none is left behind."""

import pytest

from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Steps,
    Story,
    desk,
    entry_point,
    event,
    group,
    logged_in,
    online,
    opened,
    policy,
    registered,
    role,
    step,
)


def served(story: Story) -> list[str]:
    """Ana closes what she has, one after the other; what she was given, in order."""
    order = []
    while story.operator("ana").owned:
        (conversation_id,) = story.operator("ana").owned
        order.append(str(conversation_id))
        story.given(step(ANA, "close", conversation_id=conversation_id))
    return order


def test_ro09_a_level_of_priority_is_a_head_start_of_two_minutes(story: Story) -> None:
    story.given(desk(ana=1), opened("busy"), opened("old", priority=4)).after(119)
    story.given(opened("young", priority=5))
    assert [story.place("old"), story.place("young")] == [2, 1]
    assert served(story) == ["busy", "young", "old"]


def test_ro09_nothing_starves(story: Story) -> None:
    story.given(desk(ana=1), opened("busy"), opened("low", priority=0)).after(9 * 120 + 1)
    story.given(opened("high", priority=9))
    assert served(story) == ["busy", "low", "high"]


def test_ro09_of_equals_the_first_to_arrive_goes_first(story: Story) -> None:
    story.given(desk(ana=1), opened("busy", "z", "m", "a")).given(opened("even", priority=4))
    story.given(opened("b"))
    assert served(story) == ["busy", "z", "m", "a", "b", "even"]


def test_ro09_age_and_head_start_that_cancel_out_leave_it_to_arrival(story: Story) -> None:
    story.given(desk(ana=1), opened("busy"), opened("old", priority=4)).after(120)
    story.given(opened("young", priority=5))
    assert served(story) == ["busy", "old", "young"]


def test_ro09_a_changed_priority_changes_the_place(story: Story) -> None:
    story.given(desk(ana=1), opened("busy", "c1", "c2", "c3"))
    story.when(ADMIN, "set_conversation", conversation_id="c3", priority=6).then(
        event("conversation_changed", priority=6)
    )
    assert [story.place(its_id) for its_id in ("c1", "c2", "c3")] == [2, 3, 1]
    story.when(ADMIN, "set_conversation", conversation_id="c3", priority=6).then()
    assert served(story) == ["busy", "c3", "c1", "c2"]


def test_ro09_q08_a_place_survives_being_given_back(story: Story) -> None:
    story.given(desk(ana=1), opened("c1")).after(60).given(opened("c2", "c3"))
    story.given(step(ANA, "release", conversation_id="c1"))
    assert story.owner("c2") == "ana"
    assert story.place("c1") == 1
    story.given(online("ben", "support", capacity=1))
    assert story.owner("c1") == "ben"


@pytest.mark.parametrize("how", ["leave", "release", "log out and be removed"])
def test_q08_whoever_lost_it_it_stands_before_the_younger(story: Story, how: str) -> None:
    story.given(desk(ana=1), opened("c1")).after(60)
    story.given(opened("c2"), step(ANA, "set_status", status="busy"))
    steps: Steps = step(ADMIN, "remove_operator", operator_id="ana")
    if how in ("leave", "release"):
        steps = step(ANA, how, conversation_id="c1")
    story.given(steps)
    assert [story.place("c1"), story.place("c2")] == [1, 2]
    story.given(online("ben", "support", capacity=1))
    assert story.owners("c1", "c2") == ["ben", None]


def test_ro09_a_place_survives_a_forward(story: Story) -> None:
    story.given(desk(ana=1), group("x"), opened("old")).after(60)
    story.given(entry_point("app", "x"), opened("young", entry_point_id="app"))
    story.given(step(ANA, "forward", conversation_id="old", to={"group": "x"}))
    assert [story.place("old"), story.place("young")] == [1, 2]


def test_q01_the_oldest_is_served_not_the_one_that_just_arrived(story: Story) -> None:
    story.given(desk(ana=1), opened("busy", "c1", "c2", "c3", "c4"))
    story.given(step(ANA, "close", conversation_id="busy"), opened("c5"))
    assert story.owners("c1", "c2", "c3", "c4", "c5") == ["ana", *[None] * 4]


def test_q02_a_head_that_nobody_can_take_is_passed_and_keeps_its_place(story: Story) -> None:
    story.given(desk(ana=1), opened("busy"), opened("french", skills=["fr"])).after(60)
    story.given(opened("c2"), step(ANA, "close", conversation_id="busy"))
    assert story.owners("french", "c2") == [None, "ana"]
    assert story.place("french") == 1
    story.given(opened("c3"))
    story.when(ADMIN, "register_operator", operator_id="ben", skills=["fr"], capacity=1)
    story.given(step(ADMIN, "join_group", operator_id="ben", group_id="support"))
    story.now(logged_in("ben")).then_among_others(
        event("conversation_assigned", conversation_id="french", operator_id="ben")
    )
    assert story.owner("c3") is None


def test_q04_priority_first_and_then_age(story: Story) -> None:
    story.given(desk(ana=1), opened("busy"), opened("three", priority=3))
    story.given(opened("five", "other_five", priority=5))
    assert served(story) == ["busy", "five", "other_five", "three"]


def test_q06_the_most_urgent_one_that_the_freed_operator_can_take(story: Story) -> None:
    story.given(group("h"), group("l"), entry_point("high", "h"), entry_point("low", "l"))
    story.given(opened("urgent", entry_point_id="high", priority=9))
    story.given(opened("plain", entry_point_id="low", priority=0), online("ana", "l"))
    assert story.owners("urgent", "plain") == [None, "ana"]


def test_q06_a_heavy_one_that_does_not_fit_is_passed(story: Story) -> None:
    story.given(desk(ana=2), entry_point("phone", "support", weight=2), opened("c1"))
    story.given(opened("heavy", entry_point_id="phone", priority=9), opened("c2"))
    assert story.owners("c1", "heavy", "c2") == ["ana", None, "ana"]
    story.given(step(ANA, "close", conversation_id="c1"))
    assert story.owner("heavy") is None
    story.given(step(ANA, "close", conversation_id="c2"))
    assert story.owner("heavy") == "ana"


def test_q13_what_waited_overnight_is_served_in_the_morning(story: Story) -> None:
    story.given(desk(), registered("ana", "support"), opened("c1")).after(16 * 3_600).then(
        event("conversation_slow")
    )
    story.now(logged_in("ana")).then_among_others(
        event("conversation_assigned", conversation_id="c1", operator_id="ana")
    )


# --- released by whatever could release it --------------------------------------------------

NOT_YET: dict[str, tuple[Steps, Steps]] = {
    "a status": (
        online("ana", "support") + step(ANA, "set_status", status="busy"),
        step(ANA, "set_status", status="online"),
    ),
    "a sign-in": (registered("ana", "support"), logged_in("ana")),
    "a slot": (
        online("ana", "support", capacity=1) + opened("c0"),
        step(ANA, "close", conversation_id="c0"),
    ),
    "a forward": (
        online("ana", "support", capacity=1) + registered("ben") + logged_in("ben") + opened("c0"),
        step(ANA, "forward", conversation_id="c0", to={"operator": "ben"}),
    ),
    "a capacity": (
        online("ana", "support", capacity=0),
        step(ADMIN, "update_operator", operator_id="ana", capacity=1),
    ),
    "a membership": (
        group("x") + online("ana", "x"),
        step(ADMIN, "join_group", operator_id="ana", group_id="support"),
    ),
    "a role": (
        role("r") + online("ana", "support", role_id="r"),
        role("r", assigned="write", unassigned="write"),
    ),
    "another role": (
        role("r") + online("ana", "support", role_id="r"),
        step(ADMIN, "update_operator", operator_id="ana", role_id="staff"),
    ),
    "a policy": (policy(delivery="manual") + online("ana", "support"), policy(delivery="auto")),
    "an enabled group": (
        online("ana", "support") + step(ADMIN, "update_group", group_id="support", enabled=False),
        step(ADMIN, "update_group", group_id="support", enabled=True),
    ),
    "a rebound entry point": (group("x") + online("ana", "x"), entry_point("web", "x")),
    "everyone": (group("x") + online("ana", "x"), entry_point("app", "x") + entry_point("web")),
    "a group's end": (
        group("x")
        + online("ana", "x")
        + step(ADMIN, "update_group", group_id="x", enabled=False)
        + entry_point("web"),
        step(ADMIN, "delete_group", group_id="x"),
    ),
    "a removed one's place": (
        online("ben", "support", capacity=0) + registered("ana", "support"),
        step(ADMIN, "remove_operator", operator_id="ben") + logged_in("ana"),
    ),
}


@pytest.mark.parametrize("what", NOT_YET)
def test_ro10_whatever_could_release_it_releases_it_at_once(story: Story, what: str) -> None:
    before, release = NOT_YET[what]
    story.given(group("support"), entry_point("web", "support"), before)
    if what == "a group's end":
        story.given(entry_point("other", "support"))
    story.given(opened("c1"))
    assert story.owner("c1") is None
    story.given(release)
    assert story.owner("c1") == "ana"


def test_ro10_a_skill_releases_what_needs_it(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", skills=["fr"]))
    story.when(ADMIN, "update_operator", operator_id="ana", skills=["de", "fr"]).then_among_others(
        event("conversation_assigned", conversation_id="c1")
    )


def test_ro10_a_skill_no_longer_needed_releases_it_too(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", skills=["fr"]))
    story.when(ADMIN, "set_conversation", conversation_id="c1", skills=[]).then_among_others(
        event("conversation_changed", skills=[]), event("conversation_assigned")
    )


def test_ro10_stuck_heads_block_nobody(story: Story) -> None:
    stuck = [f"stuck{number}" for number in range(5)]
    story.given(desk(ana=1), opened("busy"))
    for number, its_id in enumerate(stuck):
        story.given(opened(its_id, priority=9, skills=[f"skill{number}"]))
    story.given(opened("c1"), step(ANA, "close", conversation_id="busy"))
    assert story.owner("c1") == "ana"
    assert [story.place(its_id) for its_id in stuck] == [1, 2, 3, 4, 5]


def test_ro11_one_change_may_release_several_each_to_the_best(story: Story) -> None:
    story.given(desk(), opened("c1", "c2", "c3"), opened("c4", priority=9))
    story.given(policy(delivery="manual"), online("ana", "support", capacity=1))
    story.given(online("ben", "support", capacity=2))
    story.now(policy(delivery="auto")).then(
        event("policy_set"),
        event("conversation_assigned", conversation_id="c4", operator_id="ben"),
        event("conversation_assigned", conversation_id="c1", operator_id="ana"),
        event("conversation_assigned", conversation_id="c2", operator_id="ben"),
        event("conversation_queued", conversation_id="c3", reason="all_full"),
    )


def test_ro11_a_leaving_participant_makes_room_for_himself(story: Story) -> None:
    story.given(desk(ana=5, ben=0), opened("c1"), step(BEN, "join", conversation_id="c1"))
    story.given(step(ANA, "release", conversation_id="c1"))
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=1))
    assert story.owner("c1") is None
    story.when(BEN, "leave", conversation_id="c1").then(
        event("participant_left"), event("conversation_assigned", operator_id="ben")
    )
