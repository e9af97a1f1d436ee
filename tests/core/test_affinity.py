"""Visitors who come back and the operator they know."""

from typing import Any

import pytest

from shared.routing.events import Actor
from shared.routing.ids import VisitorId
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
    step,
)

SHOP = "shop"


def comes(visitor_id: str, conversation_id: str, **fields: Any) -> Steps:
    """The visitor opens a conversation; a back end speaks for it, so that it may ask for skills."""
    visitor = Actor("visitor", visitor_id, service=SHOP)
    wishes = {"entry_point_id": "web", **fields}
    return step(visitor, "open", conversation_id=conversation_id, **wishes)


def vera_knows_ana(story: Story, **settings: Any) -> None:
    """Ana and Ben with two slots each; Ana once answered Vera, and Ben has more room now."""
    story.given(desk(ana=2, ben=2), policy(on_slow=[]))
    story.given(comes("vera", "v0"), step(ANA, "close", conversation_id="v0"))
    assert story.workspace.visitors[VisitorId("vera")].last_operator == "ana"
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=9), policy(**settings))


def ana_is_full(story: Story) -> None:
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=0))


# --- prefer, off ----------------------------------------------------------------------------


def test_ro06_f07_a_returning_visitor_goes_to_whom_it_knows(story: Story) -> None:
    vera_knows_ana(story)
    story.given(opened("c1"))
    assert story.owner("c1") == "ben"
    key = [-2, story.operator("ana").last_assigned]
    story.now(comes("vera", "v1")).then(
        event("conversation_opened"),
        event(
            "conversation_assigned",
            operator_id="ana",
            reason="affinity",
            ranking="most_free_slots",
            key=key,
            tie_break=None,
            pool_size=2,
        ),
    )


def test_ro06_off_is_ranking_alone(story: Story) -> None:
    vera_knows_ana(story, affinity="off")
    story.now(comes("vera", "v1")).then_among_others(
        event("conversation_assigned", operator_id="ben", reason="routed")
    )


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
@pytest.mark.parametrize("affinity", ["prefer", "wait"])
def test_ro06_f07_not_there_is_normal_routing(story: Story, affinity: str, status: str) -> None:
    vera_knows_ana(story, affinity=affinity)
    story.given(step(ANA, "set_status", status=status))
    story.now(comes("vera", "v1")).then_among_others(
        event("conversation_assigned", operator_id="ben", reason="routed")
    )


def test_ro06_f07_full_is_normal_routing_unless_policy_waits(story: Story) -> None:
    vera_knows_ana(story)
    ana_is_full(story)
    story.now(comes("vera", "v1")).then_among_others(
        event("conversation_assigned", operator_id="ben", reason="routed")
    )


def test_ro06_never_overrides_the_scope(story: Story) -> None:
    vera_knows_ana(story)
    story.given(group("phone"), entry_point("tel", "phone"), online("cleo", "phone"))
    story.given(comes("vera", "v1", entry_point_id="tel"))
    assert story.owner("v1") == "cleo"


def test_ro06_never_overrides_skills(story: Story) -> None:
    vera_knows_ana(story)
    story.given(step(ADMIN, "update_operator", operator_id="ben", skills=["fr"]))
    story.given(comes("vera", "v1", skills=["fr"]))
    assert story.owner("v1") == "ben"


def test_ro06_never_overrides_permission(story: Story) -> None:
    vera_knows_ana(story)
    story.given(step(ADMIN, "define_role", role_id="reader", permissions={}))
    story.given(step(ADMIN, "update_operator", operator_id="ana", role_id="reader"))
    story.given(comes("vera", "v1"))
    assert story.owner("v1") == "ben"


def test_ro06_somebody_removed_is_nobody(story: Story) -> None:
    vera_knows_ana(story, affinity="wait")
    story.given(step(ADMIN, "remove_operator", operator_id="ana"), comes("vera", "v1"))
    assert story.owner("v1") == "ben"


def test_ro06_offered_first_to_whom_it_knows_and_then_to_the_next(story: Story) -> None:
    vera_knows_ana(story, delivery="offer")
    story.now(comes("vera", "v1")).then_among_others(
        event("conversation_offered", operator_id="ana", reason="affinity", tie_break=None)
    )
    story.when(ANA, "decline_offer", conversation_id="v1", offer=1).then(
        event("offer_declined", operator_id="ana"),
        event("conversation_offered", operator_id="ben", reason="routed"),
    )


# --- who is known ---------------------------------------------------------------------------


def test_ro06_a_contact_is_known_on_every_device(story: Story) -> None:
    story.given(desk(ana=2, ben=2))
    story.given(comes("phone", "p1", contact_id="k"), step(ANA, "close", conversation_id="p1"))
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=9))
    story.given(comes("laptop", "l1", contact_id="k"), comes("other", "o1", contact_id="j"))
    assert story.owners("l1", "o1") == ["ana", "ben"]


def test_ro06_who_was_identified_while_talking_is_known_as_that_contact(story: Story) -> None:
    story.given(desk(ana=2, ben=2), comes("phone", "p1"))
    story.given(step(Actor("visitor", "phone"), "identify", contact_id="k"))
    story.given(step(ANA, "close", conversation_id="p1"))
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=9))
    story.given(comes("laptop", "l1", contact_id="k"))
    assert story.owner("l1") == "ana"


def test_ro06_a_contact_nobody_spoke_to_is_known_by_its_device(story: Story) -> None:
    vera_knows_ana(story)
    story.given(comes("vera", "v1", contact_id="k"))
    assert story.owner("v1") == "ana"


def test_ro06_the_contact_counts_before_the_device(story: Story) -> None:
    vera_knows_ana(story)
    story.given(comes("wim", "w1", contact_id="k"), step(BEN, "close", conversation_id="w1"))
    story.given(comes("vera", "v1", contact_id="k"))
    assert story.owner("v1") == "ben"


def test_ro06_the_last_conversations_operator_counts(story: Story) -> None:
    vera_knows_ana(story)
    story.given(comes("vera", "v1"))
    story.given(step(ADMIN, "forward", conversation_id="v1", to={"operator": "ben"}))
    story.given(step(BEN, "close", conversation_id="v1"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=20))
    story.given(comes("vera", "v2"))
    assert story.owner("v2") == "ben"


def test_ro06_a_bot_is_nobody_to_come_back_to(story: Story) -> None:
    story.given(desk(), step(ADMIN, "register_operator", operator_id="rob", kind="bot"))
    story.given(entry_point("web", "support", first_responder="rob"))
    story.given(online("ana", "support"), comes("vera", "v1"))
    rob = Actor("operator", "rob")
    story.given(step(rob, "close", conversation_id="v1"))
    story.given(online("ben", "support", capacity=9), comes("vera", "v2"))
    story.given(step(rob, "forward", conversation_id="v2", to={"group": "support"}))
    assert story.owner("v2") == "ben"


def test_ro06_what_a_bot_hands_on_goes_to_whom_the_visitor_knows(story: Story) -> None:
    vera_knows_ana(story)
    story.given(step(ADMIN, "register_operator", operator_id="rob", kind="bot"))
    story.given(entry_point("web", "support", first_responder="rob"), comes("vera", "v1"))
    assert story.owner("v1") == "rob"
    rob = Actor("operator", "rob")
    story.when(rob, "forward", conversation_id="v1", to={"group": "support"}).then(
        event("conversation_forwarded", previous_owner="rob"),
        event("conversation_assigned", operator_id="ana", reason="affinity"),
    )


def test_ro06_tm05_a_reopened_one_that_is_routed_as_new_counts_too(story: Story) -> None:
    vera_knows_ana(story)
    story.given(step(ANA, "set_status", status="busy")).after(90_000)
    story.given(step(ANA, "set_status", status="online"))
    story.given(step(ADMIN, "reopen", conversation_id="v0"))
    assert story.owner("v0") == "ana"


def test_ro06_what_came_out_of_hours_goes_to_whom_it_knows_when_these_begin(story: Story) -> None:
    vera_knows_ana(story)
    hours = Actor("service", "presence")
    story.given(step(hours, "shift_ended", entry_point_id="web"), comes("vera", "v1"))
    assert story.reason("v1") == "out_of_hours"
    story.when(hours, "shift_started", entry_point_id="web").then_among_others(
        event("conversation_assigned", operator_id="ana", reason="affinity")
    )


# --- wait -----------------------------------------------------------------------------------


def vera_waits_for_ana(story: Story, **settings: Any) -> None:
    vera_knows_ana(story, affinity="wait", affinity_wait_s=60, **settings)
    ana_is_full(story)
    story.now(comes("vera", "v1")).then_among_others(
        event("conversation_queued", hold="affinity_wait", reason="affinity_wait", pool_size=1)
    )


def test_ro06_waits_while_the_known_one_is_merely_full(story: Story) -> None:
    vera_waits_for_ana(story)
    assert story.reason("v1") == "affinity_wait"
    story.when(ADMIN, "update_operator", operator_id="ana", capacity=1).then_among_others(
        event("conversation_assigned", operator_id="ana", reason="affinity")
    )
    assert "affinity:v1" not in story.workspace.timers


def test_ro06_after_the_wait_anybody_may_have_it(story: Story) -> None:
    vera_waits_for_ana(story)
    story.after(59).then()
    began = story.conversation("v1").queued_at
    story.after(1).then(
        event("affinity_wait_ended", conversation_id="v1", due=began + 60_000),
        event("conversation_assigned", operator_id="ben", reason="routed"),
    )


def test_ro06_after_the_wait_it_is_not_waited_again(story: Story) -> None:
    vera_waits_for_ana(story)
    story.given(step(BEN, "set_status", status="busy")).after(60)
    assert story.reason("v1") == "all_full"
    story.when(BEN, "set_status", status="online").then_among_others(
        event("conversation_assigned", operator_id="ben")
    )


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_ro06_the_wait_ends_when_the_known_one_goes(story: Story, status: str) -> None:
    vera_waits_for_ana(story)
    story.when(ANA, "set_status", status=status).then_among_others(
        event("conversation_assigned", conversation_id="v1", operator_id="ben", reason="routed")
    )


@pytest.mark.parametrize(
    "change",
    [
        step(ADMIN, "leave_group", operator_id="ana", group_id="support"),
        step(ADMIN, "remove_operator", operator_id="ana"),
        step(ADMIN, "set_conversation", conversation_id="v1", skills=["fr"]),
        policy(affinity="prefer"),
        step(Actor("operator", "ana"), "log_out", session_id="ana-1"),
        step(Actor("service", "presence"), "shift_ended", operator_id="ana"),
        step(Actor("service", "presence"), "session_lapsed", operator_id="ana", session_id="ana-1"),
    ],
)
def test_ro06_the_wait_ends_when_the_known_one_is_no_longer_merely_full(
    story: Story, change: Steps
) -> None:
    vera_waits_for_ana(story)
    story.given(step(ADMIN, "update_operator", operator_id="ben", skills=["fr"]))
    story.now(change).then_among_others(event("conversation_assigned", operator_id="ben"))


def test_ro06_a_skill_the_known_one_loses_ends_the_wait(story: Story) -> None:
    vera_knows_ana(story, affinity="wait")
    for operator_id in ("ana", "ben"):
        story.given(step(ADMIN, "update_operator", operator_id=operator_id, skills=["fr"]))
    ana_is_full(story)
    story.given(comes("vera", "v1", skills=["fr"]))
    assert story.reason("v1") == "affinity_wait"
    story.when(ADMIN, "update_operator", operator_id="ana", skills=[]).then_among_others(
        event("conversation_assigned", operator_id="ben")
    )


def test_ro06_waiting_for_one_lets_others_pass(story: Story) -> None:
    vera_waits_for_ana(story)
    story.given(opened("c1"))
    assert story.owner("c1") == "ben"
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owner("v1") == "ana"


def test_ro06_a_slot_goes_to_whoever_waits_longest_known_or_not(story: Story) -> None:
    vera_knows_ana(story, affinity="wait")
    ana_is_full(story)
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=0), opened("c1"))
    story.after(5).given(comes("vera", "v1"))
    assert story.reasons("c1", "v1") == ["all_full", "all_full"]
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owners("c1", "v1") == ["ana", None]


def test_ro06_the_wait_with_offers_ends_once_and_never_makes_a_second_offer(story: Story) -> None:
    vera_waits_for_ana(story, delivery="offer", offer_timeout_s=100)
    story.after(50).given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.conversation("v1").offer is not None
    story.after(20).never("conversation_offered")
    assert story.load("ben") == 0
    story.when(ANA, "accept_offer", conversation_id="v1", offer=1).then(event("offer_accepted"))
    assert story.owner("v1") == "ana"


def test_ro06_an_offer_withdrawn_within_the_wait_does_not_prolong_it(story: Story) -> None:
    vera_waits_for_ana(story, delivery="offer")
    story.after(40).given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=0))
    story.given(step(ANA, "decline_offer", conversation_id="v1", offer=1))
    assert story.conversation("v1").offer is not None
    story.after(30)
    assert story.told("conversation_offered")[-1]["operator_id"] == "ben"


def test_ro06_a_reopened_wait_starts_afresh(story: Story) -> None:
    vera_waits_for_ana(story)
    story.given(step(Actor("visitor", "vera"), "visitor_left"))
    assert story.reason("v1") == "visitor_away"
    story.after(300).given(step(Actor("visitor", "vera"), "visitor_back"))
    assert story.owner("v1") == "ben"


def test_ro06_closed_while_it_waits_leaves_no_timer(story: Story) -> None:
    vera_waits_for_ana(story)
    story.given(step(ADMIN, "close", conversation_id="v1")).after(61).then()


def test_ro06_the_known_one_who_comes_back_online_is_asked_like_any_other(story: Story) -> None:
    vera_knows_ana(story, affinity="wait")
    for its_id in ("ana", "ben"):
        story.given(step(Actor("operator", its_id), "log_out", session_id=f"{its_id}-1"))
    story.given(comes("vera", "v1"))
    assert story.reason("v1") == "nobody_online"
    story.given(logged_in("ben"))
    assert story.owner("v1") == "ben"
