"""What is added and dropped while a conversation waits."""

from typing import Any

import pytest

from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    CLEO,
    Story,
    desk,
    entry_point,
    event,
    group,
    online,
    opened,
    policy,
    registered,
    step,
)

PRESENCE = Actor("service", "presence")


def widens(story: Story, *steps: dict[str, Any], **settings: Any) -> None:
    """The front desk has Ana, who is full; behind it stand the experts, and Ben among them."""
    story.given(desk(ana=0), group("experts"), online("ben", "experts", capacity=9))
    story.given(policy(widening=list(steps), on_slow=[], **settings))


# --- each kind of step ----------------------------------------------------------------------


def test_ro12_groups_are_added(story: Story) -> None:
    story.given(desk(ana=0), group("experts"), online("ben", "experts"))
    story.given(policy(widening=[{"after_s": 30, "add_groups": ["experts"]}]))
    version = story.workspace.position
    story.given(opened("c1")).after(29).then()
    due = story.conversation("c1").queued_at + 30_000
    story.after(1).then(
        event("widening_due", conversation_id="c1", step=0, due=due),
        event(
            "conversation_widened",
            conversation_id="c1",
            step=0,
            groups=["experts"],
            everyone=False,
            skills_dropped=[],
            priority=5,
            policy_version=version,
        ),
        event("conversation_assigned", operator_id="ben", reason="routed", pool_size=1),
    )
    assert story.scope("c1") == {"entry_point": "web"}


def test_ro12_everyone_is_added(story: Story) -> None:
    story.given(desk(ana=0), group("sales"), entry_point("shop", "sales"), online("ben", "sales"))
    story.given(group("experts"), online("cleo", "experts", capacity=9))
    story.given(policy(widening=[{"after_s": 10, "add_everyone": True}]), opened("c1")).after(10)
    assert story.owner("c1") == "ben"


def test_ro07_optional_skills_are_dropped_the_last_listed_first(story: Story) -> None:
    story.given(desk(ana=5))
    story.given(step(ADMIN, "update_operator", operator_id="ana", skills=["de", "fr"]))
    one = {"after_s": 10, "drop_optional_skills": 1}
    story.given(policy(widening=[one, {**one, "after_s": 20}]))
    story.given(opened("c1", skills=["de"], optional_skills=["fr", "wine", "golf"]))
    assert story.reason("c1") == "skill_missing"
    story.after(10).then_among_others(event("conversation_widened", skills_dropped=["golf"]))
    assert story.reason("c1") == "skill_missing"
    story.after(10).then_among_others(
        event("conversation_widened", skills_dropped=["wine", "golf"]),
        event("conversation_assigned", operator_id="ana"),
    )


def test_ro07_all_optional_skills_are_dropped_at_once(story: Story) -> None:
    story.given(desk(ana=5))
    story.given(policy(widening=[{"after_s": 10, "drop_optional_skills": "all"}]))
    story.given(opened("c1", optional_skills=["fr", "wine"])).after(10)
    assert story.owner("c1") == "ana"


def test_ro07_required_skills_are_never_dropped(story: Story) -> None:
    story.given(desk(ana=5))
    steps = [{"after_s": n, "drop_optional_skills": "all", "add_everyone": True} for n in (1, 2, 3)]
    story.given(policy(widening=steps), opened("c1", skills=["fr"], optional_skills=["fr", "it"]))
    story.after(3_600)
    assert len(story.told("conversation_widened")) == 3
    assert story.reason("c1") == "skill_missing"


def test_ro07_an_optional_skill_is_wanted_before_it_is_dropped(story: Story) -> None:
    story.given(desk(ana=5), online("ben", "support", capacity=1, skills=["fr"]))
    story.given(opened("c1", optional_skills=["fr"]))
    assert story.owner("c1") == "ben"


def test_ro07_wishes_that_change_later_do_not_bring_dropped_ones_back(story: Story) -> None:
    story.given(desk(ana=0))
    story.given(policy(widening=[{"after_s": 10, "drop_optional_skills": "all"}]))
    story.given(opened("c1", optional_skills=["fr", "it", "wine"])).after(10)
    change = {"conversation_id": "c1", "optional_skills": ["golf", "chess"]}
    story.given(step(ADMIN, "set_conversation", **change))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owner("c1") == "ana"


def test_ro07_dropped_ones_are_wanted_again_by_whom_it_goes_to_next(story: Story) -> None:
    story.given(desk(ana=1))
    story.given(policy(widening=[{"after_s": 10, "drop_optional_skills": "all"}]))
    story.given(opened("c1", optional_skills=["fr"])).after(10)
    assert story.owner("c1") == "ana"
    story.given(online("ben", "support", capacity=9))
    story.given(step(ANA, "release", conversation_id="c1"))
    assert story.reason("c1") == "skill_missing"
    story.after(10)
    assert story.owner("c1") == "ben"


def test_ro12_the_priority_rises_to_nine_at_most(story: Story) -> None:
    story.given(desk(ana=0))
    story.given(policy(widening=[{"after_s": n, "raise_priority": 3} for n in (10, 20)]))
    story.given(opened("c1"), opened("c2", priority=6)).after(10)
    assert story.place("c2") == 1
    priorities = [told["priority"] for told in story.told("conversation_widened")]
    assert priorities == [8, 9]
    story.after(10)
    assert [story.conversation(c).priority for c in ("c1", "c2")] == [9, 9]
    assert story.place("c1") == 1


def test_ro12_invisible_ones_who_agreed_are_alerted_and_never_assigned(story: Story) -> None:
    story.given(desk(ana=0, ben=5, cleo=5), policy(on_slow=[]))
    story.given(step(BEN, "set_preferences", reachable_when_slow=True))
    for hidden in (BEN, CLEO):
        story.given(step(hidden, "set_status", status="invisible"))
    step_one = {"after_s": 10, "include_consenting_invisible": True}
    story.given(policy(widening=[step_one]), opened("c1"))
    story.after(10).then(
        event("widening_due"),
        event("conversation_widened", alert_invisible=True),
        event("conversation_escalated", operator_ids=["ben"]),
    )
    assert story.owner("c1") is None
    story.when(BEN, "reply", conversation_id="c1").then_among_others(
        event("conversation_claimed", operator_id="ben")
    )
    assert story.status("ben") == ("invisible", "chosen")


def test_ro12_alerting_reaches_those_whom_earlier_steps_added(story: Story) -> None:
    story.given(desk(ana=0), group("experts"), online("ben", "experts"), policy(on_slow=[]))
    story.given(step(BEN, "set_preferences", reachable_when_slow=True))
    story.given(step(BEN, "set_status", status="invisible"))
    both = {"after_s": 10, "add_groups": ["experts"], "include_consenting_invisible": True}
    story.given(policy(widening=[both]), opened("c1")).after(10)
    assert story.told("conversation_escalated")[-1]["operator_ids"] == ["ben"]


def test_ro12_a_step_that_finds_nobody_alerts_nobody(story: Story) -> None:
    story.given(desk(ana=0), policy(on_slow=[]))
    story.given(policy(widening=[{"after_s": 10, "include_consenting_invisible": True}]))
    story.given(opened("c1")).after(10).never("conversation_escalated")


# --- measured from --------------------------------------------------------------------------


def test_ro12_steps_are_measured_from_the_beginning_of_the_wait(story: Story) -> None:
    widens(
        story,
        {"after_s": 60, "raise_priority": 1},
        {"after_s": 20, "raise_priority": 2},
        {"after_s": 20, "raise_priority": 1},
    )
    story.given(opened("c1"))
    began = story.at
    story.after(3_600)
    told = [(t["step"], (t["due"] - began) // 1_000) for t in story.told("widening_due")]
    assert told == [(0, 20), (1, 20), (2, 60)]
    assert [t["priority"] for t in story.told("conversation_widened")] == [7, 8, 9]


def test_ro12_an_offer_that_nobody_takes_does_not_start_it_anew(story: Story) -> None:
    story.given(desk(ana=1), group("experts"), online("ben", "experts"))
    step_one = {"after_s": 40, "add_groups": ["experts"]}
    story.given(policy(delivery="offer", widening=[step_one], on_slow=[], rounds_max=1))
    story.given(opened("c1")).after(30)
    assert story.told("offer_expired")[-1]["operator_id"] == "ana"
    story.after(10).then_among_others(event("conversation_offered", operator_id="ben"))


def test_ro12_it_widens_while_one_after_the_other_is_asked(story: Story) -> None:
    story.given(desk(ana=1, cleo=1, dan=1), group("experts"), online("ben", "experts", capacity=9))
    step_one = {"after_s": 40, "add_groups": ["experts"]}
    story.given(policy(delivery="offer", widening=[step_one], on_slow=[]), opened("c1"))
    story.after(30).after(30)
    asked = [told["operator_id"] for told in story.told("conversation_offered")]
    assert asked == ["ana", "cleo", "ben"]
    assert story.load("ben") == 1


def test_ro12_owned_for_a_while_it_begins_to_wait_when_that_ends(story: Story) -> None:
    story.given(desk(ana=1), group("experts"), online("ben", "experts"))
    story.given(policy(widening=[{"after_s": 30, "add_groups": ["experts"]}], on_slow=[]))
    story.given(opened("c1")).after(300).given(step(ANA, "release", conversation_id="c1"))
    story.after(29).then()
    story.after(1)
    assert story.owner("c1") == "ben"


def test_ro12_a_forward_starts_it_anew(story: Story) -> None:
    widens(story, {"after_s": 30, "add_groups": ["experts"]})
    story.given(group("sales"), opened("c1")).after(20)
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "sales"}))
    story.after(29).then()
    story.after(1)
    assert story.owner("c1") == "ben"


def test_ro12_held_by_hours_it_widens_and_waits_all_the_same(story: Story) -> None:
    widens(story, {"after_s": 30, "add_groups": ["experts"]})
    story.given(step(PRESENCE, "shift_ended", entry_point_id="web"), opened("c1")).after(30)
    assert story.reason("c1") == "out_of_hours"
    story.given(step(PRESENCE, "shift_started", entry_point_id="web"))
    assert story.owner("c1") == "ben"


# --- when it ends ---------------------------------------------------------------------------


def test_ro12_t10_it_goes_on_step_by_step_and_stops_when_assigned(story: Story) -> None:
    widens(
        story,
        {"after_s": 10, "raise_priority": 1},
        {"after_s": 20, "add_groups": ["experts"]},
        {"after_s": 30, "add_everyone": True},
    )
    story.given(opened("c1")).after(20)
    assert story.owner("c1") == "ben"
    assert "widen:c1" not in story.workspace.timers
    story.after(100).then()
    assert story.conversation("c1").reach == ()


def test_ro12_reach_ends_with_the_assignment(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]})
    story.given(opened("c1")).after(10).given(step(BEN, "release", conversation_id="c1"))
    assert story.scope("c1") == {"entry_point": "web"}
    assert story.conversation("c1").reach == ()
    assert story.reason("c1") == "all_full"
    assert story.after(9).owner("c1") is None


def test_ro12_reach_ends_with_a_forward(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]})
    story.given(step(BEN, "set_status", status="busy"), group("sales"), opened("c1")).after(10)
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "sales"}))
    story.given(step(BEN, "set_status", status="online"))
    assert story.owner("c1") is None
    assert story.scope("c1") == {"group": "sales"}


def test_ro12_while_it_waits_reach_is_as_good_as_scope(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]})
    story.given(step(BEN, "set_status", status="busy"), opened("c1")).after(10)
    story.given(step(BEN, "set_status", status="online"))
    assert story.owner("c1") == "ben"


def test_ro12_a_group_disabled_or_deleted_meanwhile_is_no_reach(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]})
    story.given(step(BEN, "set_status", status="busy"), opened("c1", "c2")).after(10)
    story.given(step(ADMIN, "update_group", group_id="experts", enabled=False))
    story.given(step(BEN, "set_status", status="online"))
    assert story.owner("c1") is None
    story.given(step(ADMIN, "update_group", group_id="experts", enabled=True))
    assert story.owner("c1") == "ben"
    story.given(step(ADMIN, "delete_group", group_id="experts"), opened("c3")).after(10)
    assert story.told("conversation_widened")[-1]["groups"] == []


def test_ro12_reach_serves_where_the_scope_has_no_enabled_group(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]})
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False), opened("c1"))
    assert story.reason("c1") == "group_disabled"
    story.after(10)
    assert story.owner("c1") == "ben"


def test_ro12_a_fallback_comes_before_reach_where_no_group_is_enabled(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]})
    story.given(step(BEN, "set_status", status="busy"), group("second"))
    story.given(entry_point("web", "support", fallback=[{"group": "second"}]))
    story.given(opened("c1")).after(10)
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False))
    assert story.scope("c1") == {"group": "second"}
    assert story.conversation("c1").reach == ()


def test_ro12_a_fallback_starts_it_anew_by_the_policy_of_its_group(story: Story) -> None:
    widens(story, {"after_s": 60, "raise_priority": 1})
    story.given(group("second"), policy(group_id="second", widening=[]))
    story.given(entry_point("web", "support", fallback=[{"group": "second"}]), opened("c1"))
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False))
    assert story.scope("c1") == {"group": "second"}
    story.after(3_600).then()


def test_ro12_delivery_by_offer_offers_to_the_wider_circle(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]}, delivery="offer")
    story.given(opened("c1"))
    story.after(10).then_among_others(event("conversation_offered", operator_id="ben"))


def test_ro12_a_broadcast_is_told_to_the_wider_circle(story: Story) -> None:
    widens(story, {"after_s": 10, "add_groups": ["experts"]}, delivery="broadcast")
    story.given(opened("c1"))
    assert story.told("conversation_broadcast")[-1]["operator_ids"] == ["ana"]
    story.after(10).then_among_others(event("conversation_broadcast", operator_ids=["ben"]))


def test_ro12_whoever_is_wider_waits_in_the_same_line(story: Story) -> None:
    story.given(desk(ana=0), group("experts"))
    story.given(policy(widening=[{"after_s": 10, "add_groups": ["experts"]}]), opened("c1"))
    story.after(10).given(opened("c2"))
    assert [story.place("c1"), story.place("c2")] == [1, 2]


# --- at the next place, and at the last step --------------------------------------------------


def test_q11_whose_wait_ends_here_is_taken_there_at_once(story: Story) -> None:
    widens(story, {"after_s": 30, "add_groups": ["experts"]})
    story.given(opened("c1"))
    (*_, last) = story.after(30).happened()
    assert (last.name, last.fields["operator_id"]) == ("conversation_assigned", "ben")


@pytest.mark.parametrize("delivery", ["auto", "offer", "manual", "broadcast"])
def test_q12_at_the_last_step_it_waits_and_no_timer_runs(story: Story, delivery: str) -> None:
    widens(story, {"after_s": 10, "raise_priority": 1}, delivery=delivery)
    story.given(opened("c1")).after(10)
    assert [t for t in story.workspace.timers if t.startswith("widen")] == []
    position = story.workspace.position
    assert story.after(86_400).workspace.position == position


def test_q12_steps_without_effect_end_too(story: Story) -> None:
    story.given(desk(ana=0), policy(widening=[{"after_s": n} for n in (1, 2)], on_slow=[]))
    story.given(opened("c1")).after(10)
    assert len(story.told("conversation_widened")) == 2
    assert story.workspace.timers == {}


# --- a policy that changes meanwhile ----------------------------------------------------------


def test_ro12_steps_set_while_it_waits_hold_for_what_waits(story: Story) -> None:
    story.given(desk(ana=0), group("experts"), online("ben", "experts"), opened("c1")).after(20)
    story.given(policy(widening=[{"after_s": 30, "add_groups": ["experts"]}])).after(10)
    assert story.owner("c1") == "ben"


def test_ro12_steps_taken_away_while_it_waits_are_not_taken(story: Story) -> None:
    widens(story, {"after_s": 30, "add_groups": ["experts"]})
    story.given(opened("c1"), policy(widening=None)).after(3_600).then()
    assert story.owner("c1") is None


def test_ro12_a_shorter_time_holds_for_what_has_waited_longer_already(story: Story) -> None:
    story.given(desk(ana=0), group("experts"), online("ben", "experts"))
    story.given(policy(widening=[{"after_s": 300, "add_groups": ["experts"]}]), opened("c1"))
    story.after(100).given(policy(widening=[{"after_s": 60, "add_groups": ["experts"]}])).after(0)
    assert story.owner("c1") == "ben"


def test_ro12_steps_of_the_group_hold_before_those_of_the_workspace(story: Story) -> None:
    story.given(desk(ana=0), group("x"), registered("ben", "x"), policy(on_slow=[]))
    story.given(policy(group_id="support", widening=[{"after_s": 5, "raise_priority": 1}]))
    story.given(policy(widening=[{"after_s": 2, "raise_priority": 4}]), opened("c1")).after(60)
    assert story.conversation("c1").priority == 6
