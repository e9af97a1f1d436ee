"""Where conversations go that their entry point cannot serve: too many, too late, nobody there."""

from typing import Any

import pytest

from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    VERA,
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
    step,
)

PRESENCE = Actor("service", "presence")


def hours_end(entry_point_id: str = "web") -> Steps:
    return step(PRESENCE, "shift_ended", entry_point_id=entry_point_id)


def hours_begin(entry_point_id: str = "web") -> Steps:
    return step(PRESENCE, "shift_started", entry_point_id=entry_point_id)


def overflowing(story: Story, *targets: dict[str, Any], **settings: Any) -> None:
    """Support with Ana, who is full; a second and a third group; targets for the overflow."""
    story.given(desk(ana=0), group("second"), group("third"), policy(on_slow=[]))
    story.given(entry_point("web", "support", fallback=list(targets)), policy(**settings))


SECOND, THIRD = {"group": "second"}, {"group": "third"}


# --- max_waiting ----------------------------------------------------------------------------


def test_ro13_c09_at_max_waiting_the_next_goes_to_the_fallback(story: Story) -> None:
    overflowing(story, SECOND, max_waiting=2)
    story.given(opened("c1", "c2"))
    assert [story.scope(c) for c in ("c1", "c2")] == [{"entry_point": "web"}] * 2
    story.opens("c3").then(
        event("conversation_opened"),
        event("conversation_redirected", to=SECOND, reason="max_waiting"),
        event("conversation_queued", reason="group_empty"),
    )
    assert story.scope("c3") == SECOND


def test_ro13_c09_whoever_can_be_served_at_once_does_not_overflow(story: Story) -> None:
    overflowing(story, SECOND, max_waiting=1)
    story.given(opened("c1", skills=["fr"]))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=5))
    story.given(opened("c2"), opened("c3", skills=["fr"]))
    assert story.owners("c1", "c2") == [None, "ana"]
    assert story.scope("c3") == SECOND


def test_ro13_without_a_fallback_it_waits_all_the_same(story: Story) -> None:
    overflowing(story, max_waiting=1)
    story.given(opened("c1", "c2", "c3"))
    assert story.reasons("c1", "c2", "c3") == ["all_full"] * 3


def test_ro13_nought_is_no_limit(story: Story) -> None:
    overflowing(story, SECOND)
    story.given(opened(*(f"c{n}" for n in range(20))))
    assert story.place("c19") == 20


def test_ro13_what_waits_already_is_not_sent_away_by_a_new_limit(story: Story) -> None:
    overflowing(story, SECOND)
    story.given(opened("c1", "c2", "c3"), policy(max_waiting=1), opened("c4"))
    assert [story.scope(c) for c in ("c3", "c4")] == [{"entry_point": "web"}, SECOND]


def test_ro13_each_target_is_tried_once_and_then_it_holds(story: Story) -> None:
    overflowing(story, SECOND, THIRD, SECOND, max_waiting=1)
    story.given(opened("c1", "c2", "c3", "c4", "c5"))
    scopes = [story.scope(c) for c in ("c1", "c2", "c3", "c4", "c5")]
    assert scopes == [{"entry_point": "web"}, SECOND, THIRD, SECOND, SECOND]
    reasons = {told["reason"] for told in story.told("conversation_redirected")}
    assert reasons == {"max_waiting"}


def test_ro13_the_limit_of_the_group_holds_before_the_workspaces(story: Story) -> None:
    overflowing(story, SECOND, max_waiting=1)
    story.given(policy(group_id="support", max_waiting=2), opened("c1", "c2", "c3"))
    assert [story.scope(c) for c in ("c2", "c3")] == [{"entry_point": "web"}, SECOND]


def test_ro13_who_is_forwarded_to_a_full_group_waits_there(story: Story) -> None:
    overflowing(story, THIRD, max_waiting=1)
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to=SECOND))
    story.given(opened("c1"), step(ADMIN, "forward", conversation_id="c1", to=SECOND))
    story.given(opened("c2"), step(ADMIN, "forward", conversation_id="c2", to=SECOND))
    assert [story.scope(c) for c in ("c1", "c2")] == [SECOND, SECOND]


def test_ro13_widened_ones_still_count(story: Story) -> None:
    overflowing(story, SECOND, max_waiting=2, widening=[{"after_s": 5, "add_groups": ["third"]}])
    story.given(opened("c1", "c2")).after(10).given(opened("c3"))
    assert story.scope("c3") == SECOND


def test_ro13_what_is_delivered_by_hand_overflows_too(story: Story) -> None:
    overflowing(story, SECOND, max_waiting=1, delivery="manual")
    story.given(opened("c1", "c2"))
    assert [story.scope(c) for c in ("c1", "c2")] == [{"entry_point": "web"}, SECOND]


# --- out of hours ---------------------------------------------------------------------------


def test_ro13_b09_out_of_hours_it_goes_to_the_fallback(story: Story) -> None:
    overflowing(story, SECOND)
    story.given(online("ben", "second"), hours_end())
    story.opens("c1").then(
        event("conversation_opened"),
        event("conversation_redirected", to=SECOND, reason="out_of_hours"),
        event("conversation_assigned", operator_id="ben"),
    )


def test_ro13_b09_closing_sends_what_waits_to_the_fallback_once(story: Story) -> None:
    overflowing(story, SECOND)
    story.given(opened("c1", "c2"))
    story.now(hours_end()).then(
        event("hours_closed", entry_point_id="web"),
        event("entry_point_mode_changed", mode="messenger"),
        event("conversation_redirected", conversation_id="c1", to=SECOND),
        event("conversation_queued", conversation_id="c1"),
        event("conversation_redirected", conversation_id="c2", to=SECOND),
        event("conversation_queued", conversation_id="c2"),
    )
    story.now(hours_begin()).never("conversation_redirected")
    story.now(hours_end()).never("conversation_redirected")


def test_ro13_without_a_fallback_it_is_held_until_the_hours_begin(story: Story) -> None:
    story.given(desk(ana=5), hours_end())
    story.opens("c1").then(
        event("conversation_opened", entry_mode="messenger"),
        event("conversation_queued", hold="out_of_hours", reason="out_of_hours"),
    )
    story.now(hours_begin()).then(
        event("hours_opened"),
        event("entry_point_mode_changed", mode="live"),
        event("conversation_assigned", operator_id="ana"),
    )


def test_ro13_what_runs_when_the_hours_end_goes_on(story: Story) -> None:
    story.given(desk(ana=5), opened("c1"), hours_end())
    assert story.owner("c1") == "ana"


def test_ro13_what_a_person_directs_is_not_held_by_hours(story: Story) -> None:
    story.given(desk(ana=5, ben=5), hours_end(), opened("c1", "c2"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "support"}))
    story.given(step(ADMIN, "forward", conversation_id="c2", to={"operator": "ben"}))
    assert story.owners("c1", "c2") == ["ana", "ben"]


def test_ro13_ro10_a_fallback_operator_who_comes_gets_what_is_held_by_hours(story: Story) -> None:
    story.given(desk(ana=5), registered("ben"), hours_end())
    story.given(entry_point("web", "support", fallback=[{"operator": "ben"}]), opened("c1"))
    assert story.reason("c1") == "out_of_hours"
    story.now(logged_in("ben")).then_among_others(
        event("conversation_redirected", to={"operator": "ben"}, reason="out_of_hours"),
        event("conversation_assigned", operator_id="ben", reason="directed"),
    )


def test_ro13_hours_that_are_reported_twice_change_nothing(story: Story) -> None:
    story.given(desk(ana=5), hours_end(), opened("c1"))
    story.now(hours_end()).then()


@pytest.mark.parametrize("named", [{}, {"operator_id": "ana", "entry_point_id": "web"}])
def test_ro13_a_shift_is_somebodys_or_an_entry_points(story: Story, named: dict[str, str]) -> None:
    story.given(desk(ana=5))
    story.when(PRESENCE, "shift_ended", **named).refused("malformed")
    story.when(PRESENCE, "shift_ended", entry_point_id="x").refused("unknown_entry_point")
    story.when(ADMIN, "shift_ended", entry_point_id="web").refused("not_allowed")


# --- nobody online ----------------------------------------------------------------------------


def nobody_online(story: Story, *targets: dict[str, Any]) -> None:
    """Support with Ana, who is not there, and a policy that moves on at once."""
    story.given(desk(), registered("ana", "support"), group("second"), group("third"))
    story.given(registered("ben", "second"), registered("cleo", "third"), policy(on_slow=[]))
    story.given(entry_point("web", "support", fallback=list(targets)))
    story.given(policy(fallback_when_nobody_online=True))


def test_f11_with_nobody_in_the_first_tier_the_second_is_used_at_once(story: Story) -> None:
    nobody_online(story, SECOND)
    story.given(logged_in("ben"))
    story.opens("c1").then(
        event("conversation_opened"),
        event("conversation_redirected", to=SECOND, reason="nobody_online"),
        event("conversation_assigned", operator_id="ben"),
    )


def test_f11_a_first_tier_that_is_merely_full_is_waited_for_as_long_as_widening_says(
    story: Story,
) -> None:
    nobody_online(story, SECOND)
    story.given(policy(widening=[{"after_s": 30, "add_groups": ["second"]}]))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=0))
    story.given(logged_in("ana"), logged_in("ben"), opened("c1"))
    assert story.reason("c1") == "all_full"
    story.after(30)
    assert (story.owner("c1"), story.scope("c1")) == ("ben", {"entry_point": "web"})


def test_gr03_without_that_policy_members_who_are_offline_are_waited_for(story: Story) -> None:
    nobody_online(story, SECOND)
    story.given(policy(fallback_when_nobody_online=None), logged_in("ben"), opened("c1"))
    assert story.reason("c1") == "nobody_online"


def test_w13_it_overflows_only_to_where_somebody_is_online_and_is_tried_again(
    story: Story,
) -> None:
    nobody_online(story, SECOND, THIRD)
    story.given(opened("c1"))
    assert (story.scope("c1"), story.reason("c1")) == ({"entry_point": "web"}, "nobody_online")
    story.now(logged_in("cleo")).then_among_others(
        event("conversation_redirected", to=THIRD, reason="nobody_online"),
        event("conversation_assigned", operator_id="cleo"),
    )


def test_w13_whoever_comes_to_the_scope_itself_is_in_time(story: Story) -> None:
    nobody_online(story, SECOND)
    story.given(opened("c1"), logged_in("ana"))
    assert story.owner("c1") == "ana"


def test_gr03_when_the_last_one_goes_what_waits_moves_on(story: Story) -> None:
    nobody_online(story, SECOND)
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=0))
    story.given(logged_in("ana"), logged_in("ben"), opened("c1"))
    story.when(ANA, "set_status", status="busy").then_among_others(
        event("conversation_redirected", to=SECOND, reason="nobody_online")
    )


def test_gr03_so_it_does_when_the_last_one_leaves_the_group(story: Story) -> None:
    nobody_online(story, SECOND)
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=0))
    story.given(logged_in("ana"), logged_in("ben"), opened("c1"))
    story.when(ADMIN, "leave_group", operator_id="ana", group_id="support").then_among_others(
        event("conversation_redirected", to=SECOND, reason="nobody_online")
    )


def test_w03_from_tier_to_tier_each_once_and_never_back(story: Story) -> None:
    nobody_online(story, SECOND, THIRD, SECOND)
    for its_id in ("ben", "cleo"):
        story.given(step(ADMIN, "update_operator", operator_id=its_id, capacity=0))
    story.given(logged_in("ben"), opened("c1"))
    assert story.scope("c1") == SECOND
    story.given(logged_in("cleo"), step(BEN, "set_status", status="busy"))
    assert story.scope("c1") == THIRD
    story.given(step(Actor("operator", "cleo"), "set_status", status="busy"))
    assert story.scope("c1") == THIRD
    story.given(step(BEN, "set_status", status="online"))
    assert story.scope("c1") == SECOND
    story.given(step(Actor("operator", "cleo"), "set_status", status="online"))
    story.given(step(BEN, "set_status", status="busy"), logged_in("ana"))
    assert (story.scope("c1"), story.reason("c1")) == (SECOND, "nobody_online")


def test_w03_a_forward_to_a_group_with_nobody_waits_there(story: Story) -> None:
    nobody_online(story, SECOND)
    story.given(logged_in("ben"), opened("c1"))
    story.when(BEN, "forward", conversation_id="c1", to=THIRD)
    assert story.warnings == ("nobody_reachable",)
    assert (story.scope("c1"), story.reason("c1")) == (THIRD, "nobody_online")


def test_gr03_an_operator_is_passed_over_while_offline_and_gets_it_on_coming(
    story: Story,
) -> None:
    nobody_online(story, {"operator": "ben"})
    story.given(opened("c1"))
    assert story.reason("c1") == "nobody_online"
    story.given(logged_in("ben"))
    assert story.owner("c1") == "ben"


# --- the group --------------------------------------------------------------------------------


def test_gr07_what_waits_in_a_disabled_group_moves_on_and_what_runs_stays(story: Story) -> None:
    story.given(desk(ana=1), group("second"), online("ben", "second"))
    story.given(entry_point("web", "support", fallback=[SECOND]), opened("c1", "c2"))
    story.when(ADMIN, "update_group", group_id="support", enabled=False).then_among_others(
        event("conversation_redirected", conversation_id="c2", to=SECOND, reason="group_disabled"),
        event("conversation_assigned", conversation_id="c2", operator_id="ben"),
    )
    assert story.owner("c1") == "ana"


def test_gr07_a_fallback_that_is_disabled_in_turn_leads_to_the_next(story: Story) -> None:
    overflowing(story, SECOND, THIRD)
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False), opened("c1"))
    story.given(step(ADMIN, "update_group", group_id="second", enabled=False))
    assert story.scope("c1") == THIRD
    story.given(step(ADMIN, "update_group", group_id="third", enabled=False))
    assert story.reason("c1") == "held"


# --- the mode -----------------------------------------------------------------------------------


def test_gr09_hours_and_somebody_online_make_it_live(story: Story) -> None:
    story.given(desk(ana=5))
    assert story.mode("web") == "live"
    story.given(hours_end())
    assert story.mode("web") == "messenger"
    story.given(hours_begin())
    assert story.mode("web") == "live"


def test_gr09_w14_out_of_hours_a_fallback_that_is_attended_makes_it_live(story: Story) -> None:
    overflowing(story, SECOND)
    story.given(hours_end())
    assert story.mode("web") == "messenger"
    story.given(online("ben", "second"))
    assert story.mode("web") == "live"


def test_gr09_w14_only_the_fallback_that_it_would_go_to_counts(story: Story) -> None:
    overflowing(story, SECOND, THIRD)
    story.given(online("ben", "third"), hours_end())
    assert story.mode("web") == "messenger"
    story.given(opened("c1"))
    assert story.scope("c1") == SECOND
    story.given(step(ADMIN, "update_group", group_id="second", enabled=False))
    assert story.mode("web") == "live"
    assert story.owner("c1") == "ben"


def test_gr09_w14_where_policy_moves_on_any_fallback_with_somebody_counts(story: Story) -> None:
    nobody_online(story, SECOND, THIRD)
    assert story.mode("web") == "messenger"
    story.given(logged_in("cleo"))
    assert story.mode("web") == "live"
    story.given(hours_end())
    assert story.mode("web") == "live"
    story.given(opened("c1"))
    assert story.owner("c1") == "cleo"


def test_gr09_nobody_online_lets_a_fallback_count_by_policy_only(story: Story) -> None:
    nobody_online(story, SECOND)
    story.given(logged_in("ben"))
    assert story.mode("web") == "live"
    story.given(policy(fallback_when_nobody_online=False))
    assert story.mode("web") == "messenger"


def test_gr09_a_visitor_sees_the_mode_of_its_own_scope(story: Story) -> None:
    story.given(desk(ana=5), online("ben"))
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to={"operator": "ben"}))
    story.given(hours_end())
    story.when(VERA, "open", conversation_id="v1", entry_point_id="web").then_among_others(
        event("conversation_opened", entry_mode="messenger"),
        event("conversation_assigned", operator_id="ben", reason="directed"),
    )
