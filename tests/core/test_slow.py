"""Visitors who wait for an answer: the steps of ``on_slow``, and invisible operators alerted."""

from typing import Any

import pytest

from shared.routing.events import Actor
from shared.routing.notify import notifications
from tests.core.phrases import lapsed, offering
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    CLEO,
    DAN,
    Steps,
    Story,
    desk,
    entry_point,
    event,
    group,
    online,
    opened,
    policy,
    role,
    step,
)


def steps(*named: tuple[int, str]) -> Steps:
    return policy(on_slow=[{"after_s": after_s, "action": action} for after_s, action in named])


def writes(conversation_id: str) -> Steps:
    return step(visitor(conversation_id), "write", conversation_id=conversation_id)


def visitor(conversation_id: str) -> Actor:
    return Actor("visitor", f"visitor-{conversation_id}")


def replies(operator_id: str, conversation_id: str) -> Steps:
    return step(Actor("operator", operator_id), "reply", conversation_id=conversation_id)


def reachable(operator_id: str, *groups: str, **settings: Any) -> Steps:
    """Somebody invisible who agreed to be called when visitors wait."""
    actor = Actor("operator", operator_id)
    return (
        online(operator_id, *groups, **settings)
        + step(actor, "set_status", status="invisible")
        + step(actor, "set_preferences", reachable_when_slow=True)
    )


def slow(story: Story) -> list[tuple[int, str]]:
    """When which step was taken, in seconds after the first one could have been."""
    began = story.log[0].envelope.at
    told = story.told("conversation_slow")
    return [((one["due"] - began) // 1_000, one["action"]) for one in told]


def rung(story: Story, message_type: str) -> list[tuple[str, bool]]:
    """To whom the last events of the story gave a message of this type, and whether it rang."""
    told = [n for one in story.last for n in notifications(story.workspace, one.envelope)]
    return [(n.recipient.id, n.alert) for n in told if n.type == message_type]


# --- when a step is due ---------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [1, 0])
def test_tm02_the_steps_count_from_the_opening_owned_or_not(story: Story, capacity: int) -> None:
    story.given(steps((90, "message_visitor"), (30, "notify")), desk(ana=capacity), opened("c1"))
    story.after(29).then()
    story.after(1).then(event("conversation_slow", step=0, action="notify"))
    story.after(59).then()
    story.after(1).then(event("conversation_slow", step=1, action="message_visitor"))
    story.after(3_600)
    assert slow(story) == [(30, "notify"), (90, "message_visitor")]


def test_tm02_from_the_oldest_message_without_an_answer(story: Story) -> None:
    story.given(steps((60, "notify")), desk(ana=1), opened("c1"), replies("ana", "c1"))
    story.after(100)
    story.given(writes("c1")).after(50).given(writes("c1")).after(9).then()
    story.after(1).then(event("conversation_slow", due=story.at))
    story.given(writes("c1")).after(3_600).never("conversation_slow")


@pytest.mark.parametrize("who", ["owner", "participant", "joining", "by mail"])
def test_tm02_t09_any_reply_ends_them(story: Story, who: str) -> None:
    story.given(steps((60, "notify")), desk(ana=1), online("ben"), opened("c1"))
    if who == "participant":
        story.given(step(BEN, "join", conversation_id="c1"))
    if who == "by mail":
        story.given(step(BEN, "log_out", session_id="ben-1"))
    by = ANA if who == "owner" else BEN
    channel = "email" if who == "by mail" else "chat"
    story.after(59).given(step(by, "reply", conversation_id="c1", channel=channel))
    story.after(600)
    assert slow(story) == []


@pytest.mark.parametrize("how", ["close", "forward"])
def test_tm02_so_does_closing_or_forwarding(story: Story, how: str) -> None:
    story.given(steps((60, "notify"), (90, "notify")), desk(ana=1), group("x"), opened("c1"))
    story.after(60)
    to = {"to": {"group": "x"}} if how == "forward" else {}
    story.given(step(ANA, how, conversation_id="c1", **to)).after(600)
    assert slow(story) == [(60, "notify")]


def test_tm02_whoever_gets_it_by_a_forward_is_slow_from_the_next_message_on(story: Story) -> None:
    story.given(steps((60, "notify")), desk(ana=1), group("x"), online("ben", "x"), opened("c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "x"})).after(100)
    story.given(writes("c1")).after(59).then()
    story.after(1).then(event("conversation_slow", action="notify"))
    assert rung(story, "slow") == [("ben", True)]


def test_tm02_being_given_to_another_by_the_engine_ends_nothing(story: Story) -> None:
    story.given(steps((60, "reassign"), (90, "notify")), desk(ana=2, ben=1), opened("c1"))
    story.after(60)
    assert story.owner("c1") == "ben"
    story.after(30).then(event("conversation_slow", step=1, action="notify"))


def test_tm02_each_level_has_its_own(story: Story) -> None:
    story.given(steps((60, "notify")), desk(ana=2), entry_point("app", "support"))
    story.given(policy(entry_point_id="app", on_slow=[]))
    story.given(opened("c1"), opened("c2", entry_point_id="app")).after(600)
    assert [told["conversation_id"] for told in story.told("conversation_slow")] == ["c1"]


def test_tm02_unless_told_otherwise_invisible_ones_are_called_after_a_minute(story: Story) -> None:
    story.given(desk(ana=1), opened("c1")).after(60)
    assert slow(story) == [(60, "escalate_invisible")]


# --- what a step does -----------------------------------------------------------------------


def test_tm02_notify_rings_for_owner_and_participants(story: Story) -> None:
    story.given(steps((60, "notify")), desk(ana=1), online("ben"), opened("c1"))
    story.given(step(BEN, "join", conversation_id="c1"), step(BEN, "set_status", status="busy"))
    story.after(60).then(event("conversation_slow", action="notify"))
    assert rung(story, "slow") == [("ana", True), ("ben", False)]


def test_tm02_message_visitor_rings_for_the_visitor(story: Story) -> None:
    story.given(steps((60, "message_visitor")), desk(ana=1), opened("c1")).after(60)
    assert rung(story, "notice") == [("visitor-c1", True)]
    assert rung(story, "slow") == []


def test_tm02_reassign_gives_it_to_another_and_the_old_owner_is_out(story: Story) -> None:
    story.given(steps((60, "reassign")), desk(ana=2, ben=1), opened("c1")).after(60)
    story.then(
        event("conversation_slow", action="reassign"),
        event("conversation_reassigned", operator_id="ana", reason="slow"),
        event("conversation_assigned", operator_id="ben", reason="routed"),
    )
    assert (story.load("ana"), story.load("ben"), story.participants("c1")) == (0, 1, [])
    assert rung(story, "reassigned") == [("visitor-c1", False)]


OTHERS = {
    "none": (),
    "offline": step(BEN, "log_out", session_id="ben-1"),
    "busy": step(BEN, "set_status", status="busy"),
    "full": step(ADMIN, "update_operator", operator_id="ben", capacity=0),
    "elsewhere": step(ADMIN, "leave_group", operator_id="ben", group_id="support"),
    "unskilled": step(ADMIN, "update_operator", operator_id="ben", skills=["de"]),
}


@pytest.mark.parametrize("other", OTHERS)
def test_tm02_only_if_another_is_eligible_now(story: Story, other: str) -> None:
    story.given(
        steps((60, "reassign")), group("x"), group("support"), entry_point("web", "support")
    )
    story.given(online("ana", "support", skills=["fr"]), opened("c1", skills=["fr"]))
    if other != "none":
        story.given(online("ben", "support", "x", skills=["fr"]), OTHERS[other])
    story.after(60).then(
        event("conversation_slow", action="reassign"),
        event("nobody_else", conversation_id="c1", operator_id="ana"),
    )
    assert story.owner("c1") == "ana"


def test_tm02_who_is_in_it_already_is_nobody_else(story: Story) -> None:
    story.given(steps((60, "reassign")), desk(ana=2, ben=1), opened("c1"))
    story.given(step(BEN, "join", conversation_id="c1")).after(60)
    story.then_among_others(event("nobody_else"))


def test_tm02_the_one_who_was_too_slow_does_not_get_it_back(story: Story) -> None:
    story.given(steps((60, "reassign"), (120, "reassign")), desk(ana=2, ben=1), opened("c1"))
    story.after(60)
    assert story.owner("c1") == "ben"
    story.given(step(BEN, "leave", conversation_id="c1"))
    assert story.owner("c1") == "ana"  # ben had it since: everybody may be asked again


def test_tm02_nobody_to_take_it_from_is_nothing_to_reassign(story: Story) -> None:
    story.given(steps((60, "reassign")), desk(ana=0), opened("c1")).after(60)
    story.then(event("conversation_slow", action="reassign"))
    assert story.reason("c1") == "all_full"


def test_tm02_an_offer_that_nobody_answers_goes_on_being_offered(story: Story) -> None:
    story.given(offering(ana=1, rules={"offer_timeout_s": 100}), steps((60, "notify")))
    story.given(opened("c1")).after(60).then(event("conversation_slow"))
    assert story.conversation("c1").state == "offered"


# --- escalation -----------------------------------------------------------------------------


def test_tm03_only_connected_invisible_ones_in_scope_who_agreed(story: Story) -> None:
    story.given(desk(ana=1), group("x"), role("reader", assigned="read"))
    story.given(reachable("ben", "support"), reachable("cleo", "support"))
    story.given(reachable("elsewhere", "x"), reachable("mute", "support", role_id="reader"))
    story.given(online("shy", "support"), reachable("gone", "support"), reachable("cut", "support"))
    story.given(step(Actor("operator", "shy"), "set_status", status="invisible"))
    story.given(step(Actor("operator", "gone"), "log_out", session_id="gone-1"), lapsed("cut"))
    story.given(reachable("seen", "support", capacity=0))
    story.given(step(Actor("operator", "seen"), "set_status", status="online"), opened("c1"))
    story.after(60).then(
        event("conversation_slow", action="escalate_invisible"),
        event("conversation_escalated", conversation_id="c1", operator_ids=["ben", "cleo"]),
    )
    assert rung(story, "escalated") == [("ben", True), ("cleo", True)]


def test_tm03_their_capacity_does_not_matter_and_none_of_it_is_used(story: Story) -> None:
    story.given(desk(ana=1), reachable("ben", "support", capacity=0), opened("c1")).after(60)
    story.then_among_others(event("conversation_escalated", operator_ids=["ben"]))
    assert (story.owner("c1"), story.load("ben")) == ("ana", 0)


@pytest.mark.parametrize("how", ["claim", "reply"])
def test_tm03_the_first_becomes_owner_and_the_old_owner_a_participant(
    story: Story, how: str
) -> None:
    story.given(desk(ana=1), reachable("ben", "support"), reachable("cleo", "support"))
    story.given(opened("c1")).after(60)
    story.when(BEN, how, conversation_id="c1").then_among_others(
        event("conversation_claimed", operator_id="ben", previous_owner="ana")
    )
    assert (story.owner("c1"), story.participants("c1")) == ("ben", ["ana"])
    assert (story.load("ana"), story.load("ben")) == (0, 1)
    story.when(CLEO, "claim", conversation_id="c1").refused("already_owned", owner="ben")


def test_tm03_until_somebody_replies(story: Story) -> None:
    story.given(desk(ana=1), reachable("ben", "support"), opened("c1")).after(60)
    story.given(replies("ana", "c1"))
    assert not story.operator("ben").escalated
    story.when(BEN, "claim", conversation_id="c1").refused("already_owned", owner="ana")


def test_tm03_the_later_one_who_replies_is_a_participant(story: Story) -> None:
    story.given(desk(ana=1), reachable("ben", "support"), reachable("cleo", "support"))
    story.given(opened("c1")).after(60).given(replies("ben", "c1"), replies("cleo", "c1"))
    assert (story.owner("c1"), story.participants("c1")) == ("ben", ["ana", "cleo"])


def test_tm03_also_when_nobody_is_online(story: Story) -> None:
    story.given(desk(ana=1), reachable("ben", "support"), opened("c1"))
    story.given(step(ANA, "log_out", session_id="ana-1")).after(60)
    story.then_among_others(event("conversation_escalated", operator_ids=["ben"]))


def test_tm03_what_waits_unowned_becomes_his_who_takes_it(story: Story) -> None:
    story.given(desk(ana=0), reachable("ben", "support"), opened("c1")).after(60)
    story.then_among_others(event("conversation_escalated", operator_ids=["ben"]))
    story.given(step(BEN, "claim", conversation_id="c1"))
    assert (story.owner("c1"), story.participants("c1")) == ("ben", [])


def test_tm03_not_for_what_was_opened_as_a_message(story: Story) -> None:
    story.given(desk(), reachable("ben", "support"), opened("c1")).after(60)
    assert story.conversation("c1").entry_mode == "messenger"
    story.then(event("conversation_slow", action="escalate_invisible"))


def test_tm03_each_is_called_once_and_who_came_later_by_a_later_step(story: Story) -> None:
    story.given(steps((60, "escalate_invisible"), (90, "escalate_invisible")), desk(ana=1))
    story.given(reachable("ben", "support"), opened("c1")).after(60)
    story.given(reachable("cleo", "support")).after(30)
    story.then_among_others(event("conversation_escalated", operator_ids=["cleo"]))
    assert set(story.conversation("c1").escalated) == {"ben", "cleo"}


def test_tm03_the_scope_is_that_of_now_and_reach_counts(story: Story) -> None:
    story.given(group("x"), policy(widening=[{"after_s": 30, "add_groups": ["x"]}]), desk(ana=0))
    story.given(reachable("dan", "x"), opened("c1")).after(60)
    story.then_among_others(event("conversation_escalated", operator_ids=["dan"]))
    story.given(step(DAN, "claim", conversation_id="c1"))
    assert story.owner("c1") == "dan"


def test_tm03_escalation_ends_with_the_forward(story: Story) -> None:
    story.given(desk(ana=1), reachable("ben", "support"), group("x"), online("cleo", "x"))
    story.given(opened("c1")).after(60)
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "x"}))
    story.when(BEN, "claim", conversation_id="c1").refused("already_owned", owner="cleo")


def test_tm03_as_a_participant_the_old_owner_uses_a_slot_where_policy_says_so(
    story: Story,
) -> None:
    story.given(policy(participants_use_slot=True), desk(ana=1), reachable("ben", "support"))
    story.given(opened("c1")).after(60).given(step(BEN, "claim", conversation_id="c1"))
    assert (story.load("ana"), story.load("ben")) == (1, 1)
    story.given(step(BEN, "close", conversation_id="c1"))
    assert (story.load("ana"), story.load("ben")) == (0, 0)
