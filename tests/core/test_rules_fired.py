"""Rules as they are reported: which reports do something; assignments and invitations."""

from typing import Any

import pytest

from shared.routing.events import Actor
from tests.core.phrases import lapsed
from tests.core.rule_phrases import (
    HELLO,
    RULES,
    TO_BEN,
    TO_FRENCH,
    does_nothing,
    fired,
    fires,
    rule,
    saved,
    shop,
    vera_opens,
    visitor,
)
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    VERA,
    Story,
    entry_point,
    event,
    group,
    logged_in,
    policy,
    registered,
    role,
    step,
)

TO_DESK: dict[str, Any] = {"assign": {"group": "support"}}


def test_tr08_a_firing_is_recorded_with_its_version_and_what_held(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    version = saved(story, "r").version
    fires(story, "r", held=["when.all[0]", "when.all[1].any[0]"], page="https://a.org/").then(
        event(
            "rule_fired",
            rule_id="r",
            version=version,
            visitor_id="vera",
            session_id="s1",
            entry_point_id="web",
            held=["when.all[0]", "when.all[1].any[0]"],
        ),
        event("visitor_assigned", visitor_id="vera", to={"group": "fr"}, source="rule"),
    )
    (recorded,) = story.told("rule_fired")
    assert recorded["page"].endswith("-page.hash")


def test_tr08_only_the_trigger_evaluator_reports(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    fields: dict[str, Any] = {
        "rule_id": "r",
        "version": saved(story, "r").version,
        "visitor_id": "vera",
        "session_id": "s1",
        "entry_point_id": "web",
    }
    for other in (ADMIN, ANA, VERA, Actor("service", "shop"), Actor("service", "presence")):
        story.when(other, "rule_fired", **fields).refused("not_allowed")
    session = {"visitor_id": "vera", "session_id": "s1"}
    story.when(ADMIN, "visitor_session_ended", **session).refused("not_allowed")
    story.when(VERA, "visitor_seen", visitor_id="vera").refused("not_allowed")
    story.when(RULES, "rule_fired", **fields).then_among_others(event("rule_fired"))


def test_tr08_another_version_than_the_saved_one_does_nothing(story: Story) -> None:
    """Each firing names the rule that is in force, whatever the evaluator knew."""
    shop(story).given(rule("r", TO_FRENCH))
    old = saved(story, "r").version
    story.given(rule("r", TO_BEN))
    does_nothing(fires(story, "r", version=old), "other_version")
    fires(story, "r", version=old + 1).then(
        event("rule_fired", version=old + 1), event("visitor_assigned", to={"operator": "ben"})
    )


def test_tr08_what_is_switched_off_or_unknown_does_nothing(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH, enabled=False))
    does_nothing(fires(story, "r"), "disabled")
    does_nothing(fires(story, "nothing"), "unknown_rule")
    fires(story, "r", entry_point_id="nowhere").refused("unknown_entry_point")
    assert "vera" not in story.workspace.visitors


def test_t03_a_report_that_comes_twice_does_one_thing(story: Story) -> None:
    shop(story).given(rule("tag", {"add_tag": "t"}), rule("fr", TO_FRENCH), rule("hi", HELLO))
    for rule_id, again in (("tag", "fired_before"), ("fr", "so_already"), ("hi", "fired_before")):
        fired(story, rule_id)
        does_nothing(fires(story, rule_id), again)


def test_t03_the_same_command_again_is_a_repeat(story: Story) -> None:
    shop(story).given(rule("hi", HELLO, frequency="always"))
    fires(story, "hi", cmd="k1").then(event("rule_fired"), event("visitor_invited"))
    fires(story, "hi", cmd="k1")
    assert story.repeated is not None


# --- assigning ------------------------------------------------------------------------------


def test_tr04_fw12_a_rule_assigns_the_visitor_for_its_session(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    fired(story, "r")
    for conversation_id in ("c1", "c2"):
        story.now(vera_opens(conversation_id)).then(
            event("conversation_opened", scope={"group": "fr"}, scope_source="rule"),
            event("conversation_assigned", operator_id="ben"),
        )
    story.opens("c3")
    assert story.owner("c3") == "ana"


def test_fw12_a_later_match_replaces_it(story: Story) -> None:
    shop(story).given(rule("fr", TO_FRENCH), rule("ben", TO_BEN))
    fired(story, "fr")
    fires(story, "ben").then(
        event("rule_fired"), event("visitor_assigned", to={"operator": "ben"}, source="rule")
    )
    story.now(vera_opens("c1")).then(
        event("conversation_opened", scope={"operator": "ben"}, scope_source="rule"),
        event("conversation_assigned", operator_id="ben", reason="directed"),
    )


def test_t01_rules_that_undo_each_other_write_once_for_each_report(story: Story) -> None:
    """What a rule does is no page view: it fires nothing."""
    shop(story).given(rule("fr", TO_FRENCH), rule("desk", TO_DESK))
    for rule_id in ("fr", "desk", "fr", "desk"):
        fires(story, rule_id).then(
            event("rule_fired", rule_id=rule_id), event("visitor_assigned", source="rule")
        )
    assert visitor(story).ahead["rule"].group == "support"


def test_fw12_w11_r04_it_moves_no_running_conversation(story: Story) -> None:
    """A rule and a person say at once where it goes: what runs goes where the person says."""
    shop(story).given(rule("r", TO_FRENCH), vera_opens("c1"))
    fires(story, "r").then(event("rule_fired"), event("visitor_assigned"))
    assert story.owner("c1") == "ana"
    story.when(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}).then(
        event("conversation_forwarded", previous_owner="ana"),
        event("conversation_assigned", operator_id="ben"),
    )
    story.given(rule("desk", TO_DESK))
    fires(story, "desk").then(event("rule_fired"), event("visitor_assigned"))
    assert story.owner("c1") == "ben"


@pytest.mark.parametrize("rule_first", [True, False])
def test_tr05_fw12_r04_what_people_chose_stands_above_a_rule(
    story: Story, *, rule_first: bool
) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    by_hand = step(ADMIN, "assign_visitor", visitor_id="vera", to={"group": "support"})
    if rule_first:
        fired(story, "r").given(by_hand)
    else:
        fired(story.given(by_hand), "r")
    story.now(vera_opens("c1")).then_among_others(
        event("conversation_opened", scope={"group": "support"}, scope_source="person")
    )
    story.now(vera_opens("c2")).then_among_others(
        event("conversation_opened", scope={"group": "fr"}, scope_source="rule")
    )


def test_tr05_fw12_and_so_does_what_the_visitor_chose(story: Story) -> None:
    shop(story).given(entry_point("web", "support", ask_group=True), rule("r", TO_FRENCH))
    story.given(step(VERA, "assign_visitor", visitor_id="vera", to={"group": "support"}))
    fired(story, "r").now(vera_opens("c1")).then_among_others(
        event("conversation_opened", scope={"group": "support"}, scope_source="visitor")
    )
    story.now(vera_opens("c2", group_id="support")).then_among_others(
        event("conversation_opened", scope={"group": "support"}, scope_source="visitor")
    )


def test_tr05_a_rule_that_says_so_overrides_what_people_chose(story: Story) -> None:
    shop(story).given(entry_point("web", "support", ask_group=True))
    story.given(rule("r", TO_FRENCH, override=True))
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to={"operator": "ana"}))
    story.given(step(VERA, "assign_visitor", visitor_id="vera", to={"group": "support"}))
    fires(story, "r").then(
        event("rule_fired"),
        event("visitor_unassigned", visitor_id="vera", source="person"),
        event("visitor_unassigned", visitor_id="vera", source="visitor"),
        event("visitor_assigned", to={"group": "fr"}, source="rule"),
    )
    does_nothing(fires(story, "r"), "so_already")
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to={"operator": "ana"}))
    fires(story, "r").then(event("rule_fired"), event("visitor_unassigned", source="person"))


@pytest.mark.parametrize(
    "why", ["full", "offline", "busy", "invisible", "unskilled", "unpermitted"]
)
def test_t11_fw12_an_operator_who_could_not_get_it_by_himself_gives_way(
    story: Story, why: str
) -> None:
    """A person may direct to whoever is there; a rule may not fill anybody up."""
    shop(story).given(rule("r", TO_BEN), role("guest"))
    story.given(
        {
            "full": step(ADMIN, "update_operator", operator_id="ben", capacity=0),
            "offline": step(BEN, "log_out", session_id="ben-1"),
            "busy": step(BEN, "set_status", status="busy"),
            "invisible": step(BEN, "set_status", status="invisible"),
            "unskilled": step(ADMIN, "update_operator", operator_id="ana", skills=["it"]),
            "unpermitted": step(ADMIN, "update_operator", operator_id="ben", role_id="guest"),
        }[why]
    )
    fired(story, "r")
    wishes = {"skills": ["it"]} if why == "unskilled" else {}
    story.now(vera_opens("c1", **wishes)).then(
        event(
            "conversation_opened", scope={"entry_point": "web"}, scope_source="target_unavailable"
        ),
        event("conversation_assigned", operator_id="ana", reason="routed"),
    )


def test_t11_fw12_a_group_that_a_rule_names_is_waited_for(story: Story) -> None:
    shop(story).given(group("it"), registered("cleo", "it"), rule("r", {"assign": {"group": "it"}}))
    fired(story, "r").now(vera_opens("c1")).then(
        event("conversation_opened", scope={"group": "it"}, scope_source="rule"),
        event("conversation_queued", reason="nobody_online"),
    )


def test_fw12_the_weight_of_the_entry_point_counts(story: Story) -> None:
    shop(story).given(entry_point("web", "support", weight=3), rule("r", TO_BEN))
    fired(story, "r").now(vera_opens("c1")).then_among_others(
        event("conversation_opened", scope_source="target_unavailable")
    )


# --- how often ------------------------------------------------------------------------------


def test_tr06_once_per_session_is_again_in_the_next(story: Story) -> None:
    shop(story).given(rule("r", HELLO))
    fires(story, "r", "s1").then(event("rule_fired"), event("visitor_invited"))
    does_nothing(fires(story, "r", "s1"), "fired_before")
    fires(story, "r", "s2").then(event("rule_fired"), event("visitor_invited"))
    fires(story, "r", "s1", visitor_id="wim").then(event("rule_fired"), event("visitor_invited"))


def test_tr06_once_per_visitor_is_never_again(story: Story) -> None:
    shop(story).given(rule("r", HELLO, frequency="once_per_visitor"))
    fired(story, "r", "s1")
    does_nothing(fires(story, "r", "s2"), "fired_before")
    story.given(rule("r", HELLO, frequency="once_per_visitor", name="better"))
    does_nothing(fires(story, "r", "s3"), "fired_before")
    fired(story, "r", visitor_id="wim")


def test_tr06_always_is_every_time(story: Story) -> None:
    shop(story).given(rule("r", HELLO, frequency="always"))
    for _ in range(3):
        fires(story, "r").then(event("rule_fired"), event("visitor_invited"))


# --- invitations ----------------------------------------------------------------------------


def test_tr04_tr06_an_invitation_names_its_entry_point_and_its_text(story: Story) -> None:
    shop(story).given(rule("r", HELLO))
    (action,) = saved(story, "r").then
    fires(story, "r").then(
        event("rule_fired"),
        event(
            "visitor_invited",
            visitor_id="vera",
            entry_point_id="web",
            rule_id="r",
            message=action.invite,
        ),
    )


def test_tr06_nobody_is_invited_to_where_nobody_is_and_that_does_not_count(story: Story) -> None:
    shop(story).given(rule("r", HELLO, frequency="once_per_visitor"))
    story.given(step(ANA, "log_out", session_id="ana-1"))
    assert story.mode("web") == "messenger"
    does_nothing(fires(story, "r"), "not_live")
    story.given(logged_in("ana"))
    fires(story, "r").then(event("rule_fired"), event("visitor_invited"))


def test_tr06_unless_the_rule_lifts_it(story: Story) -> None:
    shop(story).given(rule("r", HELLO, only_when_live=False))
    story.given(step(ANA, "log_out", session_id="ana-1"))
    fires(story, "r").then(event("rule_fired"), event("visitor_invited"))


def test_tr06_gr09_live_is_meant_for_this_visitor(story: Story) -> None:
    """Where its own conversation would go by what the very rule assigns."""
    shop(story).given(rule("r", TO_FRENCH, HELLO), step(BEN, "log_out", session_id="ben-1"))
    fires(story, "r").then(event("rule_fired"), event("visitor_assigned"))
    does_nothing(fires(story, "r"), "not_live")
    story.given(logged_in("ben"), step(ANA, "log_out", session_id="ana-1"))
    fires(story, "r").then(event("rule_fired"), event("visitor_invited"))
    does_nothing(fires(story, "r"), "fired_before")


def test_tr06_whoever_talks_already_is_not_invited(story: Story) -> None:
    shop(story).given(rule("r", HELLO), vera_opens("c1"))
    does_nothing(fires(story, "r"), "in_conversation")
    story.given(step(ANA, "close", conversation_id="c1"))
    fires(story, "r").then(event("rule_fired"), event("visitor_invited"))


# --- nothing is held up ---------------------------------------------------------------------


def test_t07_rules_that_can_do_nothing_hold_up_no_conversation(story: Story) -> None:
    shop(story).given(rule("r", TO_BEN), step(ADMIN, "remove_operator", operator_id="ben"))
    fired(story, "r").now(vera_opens("c1")).then_among_others(
        event("conversation_assigned", operator_id="ana")
    )


def test_tr05_what_waits_is_not_moved_by_a_rule_either(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH), policy(delivery="manual"), vera_opens("c1"))
    fired(story, "r").never("conversation_assigned")
    assert story.scope("c1") == {"entry_point": "web"}


def test_fw12_ro16_an_operator_assigned_to_any_may_be_away(story: Story) -> None:
    """Where policy lets conversations come to whoever is lost just now, a rule may name him too."""
    shop(story).given(policy(assign_to="any"), rule("r", TO_BEN))
    story.given(lapsed("ben"))
    fired(story, "r").now(vera_opens("c1")).then_among_others(
        event("conversation_opened", scope={"operator": "ben"}, scope_source="rule")
    )
