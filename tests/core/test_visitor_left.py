"""Visitors who leave, fall silent and come back; and what waits while nobody can take it."""

from typing import Any

import pytest

from shared.routing.events import Actor
from tests.core.phrases import PRESENCE, accepts, offering, shift_ended, shift_started
from tests.core.story import (
    ADMIN,
    ANA,
    VERA,
    WIM,
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
    step,
)

V1 = Actor("visitor", "visitor-c1")
LEFT = step(V1, "visitor_left")
BACK = step(V1, "visitor_back")


def rule(on_visitor_left: str = "park", **more: Any) -> Steps:
    return policy(on_visitor_left=on_visitor_left, on_slow=[], **more)


def hours_end() -> Steps:
    return step(PRESENCE, "shift_ended", entry_point_id="web")


def hours_begin() -> Steps:
    return step(PRESENCE, "shift_started", entry_point_id="web")


# --- parked ---------------------------------------------------------------------------------


def test_tm06_who_left_keeps_the_place_and_is_not_assigned(story: Story) -> None:
    story.given(rule(), desk(ana=0), opened("c1", "c2"))
    story.now(LEFT).then(
        event("visitor_left", visitor_id="visitor-c1", due=None),
        event("conversation_queued", conversation_id="c1", hold="visitor_away"),
    )
    assert [story.place("c1"), story.place("c2")] == [1, 2]
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owners("c1", "c2") == [None, "ana"]
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=2))
    assert story.reason("c1") == "visitor_away"
    story.now(BACK).then(
        event("visitor_back", visitor_id="visitor-c1"),
        event("conversation_assigned", conversation_id="c1", operator_id="ana"),
    )


SIGNS: dict[str, Steps] = {
    "visitor_back": BACK,
    "write": step(V1, "write", conversation_id="c1"),
    "open": step(V1, "open", conversation_id="other", entry_point_id="web"),
    "identify": step(V1, "identify", contact_id="k7"),
    "unassign": step(V1, "unassign_visitor", visitor_id="visitor-c1"),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_tm06_any_sign_brings_it_back(story: Story, sign: str) -> None:
    story.given(rule(), desk(ana=5), step(ANA, "set_status", status="busy"), opened("c1"), LEFT)
    story.given(step(ANA, "set_status", status="online"))
    assert story.owner("c1") is None
    story.now(SIGNS[sign]).then_among_others(
        event("visitor_back", visitor_id="visitor-c1"),
        event("conversation_assigned", conversation_id="c1", operator_id="ana"),
    )


def test_tm06_a_close_needs_nobody_to_come_back_for_long(story: Story) -> None:
    story.given(rule(), desk(ana=1), opened("c1"), step(ANA, "reply", conversation_id="c1"), LEFT)
    story.when(V1, "close", conversation_id="c1").then(
        event("visitor_back"), event("conversation_closed")
    )


def test_tm06_leaving_twice_is_leaving_once_and_strangers_leave_nothing(story: Story) -> None:
    story.given(rule(), desk(ana=0), opened("c1"), LEFT)
    story.now(LEFT).then()
    story.given(BACK)
    story.now(BACK).then()
    story.when(WIM, "visitor_left").then()
    story.when(WIM, "visitor_back").then()


def test_tm06_what_is_owned_stays_with_its_owner(story: Story) -> None:
    story.given(rule(), desk(ana=1), opened("c1"), LEFT).after(3_600)
    assert story.owner("c1") == "ana"
    story.given(step(ANA, "release", conversation_id="c1"))
    assert story.reason("c1") == "visitor_away"


def test_tm06_what_is_offered_stays_offered_but_no_further(story: Story) -> None:
    story.given(rule(), offering(ana=1, ben=1), opened("c1"), LEFT)
    assert story.conversation("c1").state == "offered"
    story.after(30).then_among_others(
        event("offer_expired", operator_id="ana"),
        event("conversation_queued", hold="visitor_away"),
    )
    story.given(BACK, accepts("ben", "c1", 2))
    assert story.owner("c1") == "ben"


def test_tm06_all_that_the_visitor_has_open_is_parked(story: Story) -> None:
    story.given(rule(), desk(ana=0))
    for its_id in ("c1", "c2"):
        story.given(step(VERA, "open", conversation_id=its_id, entry_point_id="web"))
    story.given(step(VERA, "visitor_left"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=9))
    assert story.reasons("c1", "c2") == ["visitor_away"] * 2
    story.given(step(VERA, "write", conversation_id="c2"))
    assert story.owners("c1", "c2") == ["ana", "ana"]


# --- or kept, or closed ---------------------------------------------------------------------


def test_tm06_keep_changes_nothing(story: Story) -> None:
    story.given(rule("keep"), desk(ana=0), opened("c1"))
    story.now(LEFT).then(event("visitor_left"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owner("c1") == "ana"


def test_tm06_close_closes_what_was_answered(story: Story) -> None:
    story.given(rule("close"), desk(ana=1), opened("c1"), step(ANA, "reply", conversation_id="c1"))
    story.now(LEFT).then(
        event("visitor_left"), event("conversation_closed", owner="ana", reason="abandoned")
    )
    assert story.load("ana") == 0


def test_tm06_and_keeps_what_was_not_as_missed(story: Story) -> None:
    story.given(rule("close", missed_delivery="manual"), desk(ana=1), opened("c1"))
    story.now(LEFT).then(
        event("visitor_left"),
        event("conversation_missed", owner="ana"),
        event("conversation_queued", hold="parked_missed"),
    )
    story.given(BACK)
    story.now(LEFT).then(event("visitor_left"))


def test_tm06_each_conversation_by_its_own_policy(story: Story) -> None:
    story.given(rule("close"), desk(ana=9), entry_point("app", "support"))
    story.given(policy(entry_point_id="app", on_visitor_left="keep"))
    for its_id, where in (("c1", "web"), ("c2", "app")):
        story.given(step(VERA, "open", conversation_id=its_id, entry_point_id=where))
        story.given(step(ANA, "reply", conversation_id=its_id))
    story.given(step(VERA, "visitor_left"))
    assert [story.conversation(c).state for c in ("c1", "c2")] == ["closed", "assigned"]


# --- silence --------------------------------------------------------------------------------


def test_tm06_without_a_sign_for_so_long_the_visitor_has_left(story: Story) -> None:
    story.given(rule(visitor_gone_after_s=120), desk(ana=0), opened("c1")).after(119).then()
    story.after(1).then(
        event("visitor_left", visitor_id="visitor-c1", due=story.at),
        event("conversation_queued", hold="visitor_away"),
    )
    story.after(3_600).then()
    story.given(BACK).after(120).then_among_others(event("visitor_left"))


def test_tm06_every_message_is_a_sign(story: Story) -> None:
    story.given(rule(visitor_gone_after_s=120), desk(ana=0), opened("c1")).after(119)
    story.given(step(V1, "write", conversation_id="c1")).after(119).then()
    story.after(1).then_among_others(event("visitor_left"))


def test_tm06_a_command_that_changes_nothing_is_a_sign_too(story: Story) -> None:
    story.given(rule(visitor_gone_after_s=120), desk(ana=0), opened("c1"))
    story.after(59).now(BACK).then()
    story.after(2).now(BACK).then(event("visitor_seen", visitor_id="visitor-c1"))
    story.after(119).then()
    story.after(1).then_among_others(event("visitor_left"))


def test_tm06_in_whatever_conversation(story: Story) -> None:
    story.given(rule(), desk(ana=9), entry_point("app", "support"))
    story.given(policy(entry_point_id="app", visitor_gone_after_s=120))
    for its_id, where in (("c1", "web"), ("c2", "app")):
        story.given(step(VERA, "open", conversation_id=its_id, entry_point_id=where))
    story.after(119).given(step(VERA, "write", conversation_id="c1")).after(119).then()
    story.after(1).then_among_others(event("visitor_left", visitor_id="vera"))


def test_tm06_nobody_is_missed_who_has_nothing_open(story: Story) -> None:
    story.given(rule(visitor_gone_after_s=120), desk(ana=9), opened("c1"))
    story.given(step(ANA, "close", conversation_id="c1")).after(3_600).then()
    assert story.workspace.timers == {}


def test_tm06_with_close_silence_closes(story: Story) -> None:
    story.given(rule("close", visitor_gone_after_s=120), desk(ana=1), opened("c1"))
    story.given(step(ANA, "reply", conversation_id="c1")).after(120).then(
        event("visitor_left", due=story.at), event("conversation_closed", reason="abandoned")
    )


@pytest.mark.parametrize("who", ["visitor", "operator"])
def test_tm06_what_nobody_uses_is_closed(story: Story, who: str) -> None:
    story.given(rule(close_after_idle_s=600, waiting_frees_slot_after_s=0))
    story.given(desk(ana=1), opened("c1")).after(599)
    actor, verb = (V1, "write") if who == "visitor" else (ANA, "reply")
    story.given(step(actor, verb, conversation_id="c1")).after(599).then()
    story.after(1).then(
        event("conversation_unused", conversation_id="c1", due=story.at),
        event("conversation_closed", owner="ana", reason="abandoned"),
    )


def test_tm06_unless_it_is_to_stay_open(story: Story) -> None:
    story.given(rule(), desk(ana=1), opened("c1")).after(31_536_000).then()
    assert story.conversation("c1").state == "assigned"


# --- a night ----------------------------------------------------------------------------------


def test_q13_what_waited_since_yesterday_is_served_when_the_shift_begins(story: Story) -> None:
    story.given(rule(), desk(ana=2), shift_ended("ana"), opened("c1", "c2", "c3"))
    assert story.reasons("c1", "c2", "c3") == ["nobody_online"] * 3
    story.after(50_000).given(shift_started("ana"))
    assert story.owners("c1", "c2", "c3") == ["ana", "ana", None]
    assert story.reason("c3") == "all_full"


def test_b09_closing_hours_leave_what_waits_where_it_is_until_they_open(story: Story) -> None:
    story.given(rule(), desk(ana=0), opened("c1", "c2"))
    story.now(hours_end()).then(
        event("hours_closed", entry_point_id="web"),
        event("entry_point_mode_changed", mode="messenger"),
        event("conversation_queued", conversation_id="c1", hold="out_of_hours"),
        event("conversation_queued", conversation_id="c2", hold="out_of_hours"),
    )
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1)).after(40_000)
    assert story.owners("c1", "c2") == [None, None]
    assert story.reasons("c1", "c2") == ["out_of_hours"] * 2
    story.given(hours_begin())
    assert story.owners("c1", "c2") == ["ana", None]


def test_b09_or_send_each_to_the_fallback_once(story: Story) -> None:
    story.given(rule(), group("support"), group("night"))
    story.given(entry_point("web", "support", fallback=[{"group": "night"}]))
    story.given(online("ana", "support", capacity=0), online("nora", "night", capacity=1))
    story.given(opened("c1", "c2"))
    story.now(hours_end()).then_among_others(
        event("conversation_redirected", conversation_id="c1", reason="out_of_hours"),
        event("conversation_assigned", conversation_id="c1", operator_id="nora"),
        event("conversation_redirected", conversation_id="c2", reason="out_of_hours"),
        event("conversation_queued", conversation_id="c2", reason="all_full"),
    )
    story.given(hours_begin(), hours_end()).after(3_600)
    assert len(story.told("conversation_redirected")) == 2


def test_b09_what_somebody_has_goes_on_after_hours(story: Story) -> None:
    story.given(rule(), desk(ana=1), opened("c1"), hours_end()).after(3_600)
    assert story.owner("c1") == "ana"
    story.given(step(ANA, "log_out", session_id="ana-1"), logged_in("ana"))
    story.given(step(V1, "write", conversation_id="c1"))
    assert story.owner("c1") == "ana"
