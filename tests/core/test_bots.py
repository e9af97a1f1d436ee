"""Bots: the first to answer where an entry point has one, and in no pool that is ranked."""

import pytest

from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
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

ROB = Actor("operator", "rob")
PRESENCE = Actor("service", "presence")


def bot(*groups: str, capacity: int = 100) -> Steps:
    return registered("rob", *groups, kind="bot", capacity=capacity)


def first_response(story: Story, capacity: int = 100) -> None:
    """Rob answers first at the web, and Ana stands behind him."""
    story.given(desk(ana=2), bot(capacity=capacity))
    story.given(entry_point("web", "support", first_responder="rob"))


def test_ro14_the_first_responder_gets_it_first(story: Story) -> None:
    first_response(story)
    story.opens("c1").then(
        event("conversation_opened"),
        event(
            "conversation_assigned",
            operator_id="rob",
            reason="first_responder",
            ranking=None,
            key=[],
            tie_break=None,
        ),
    )
    assert story.conversation("c1").scope.entry_point == "web"


def test_ro14_where_none_is_named_people_answer(story: Story) -> None:
    first_response(story)
    story.given(entry_point("web", "support", first_responder=None), opened("c1"))
    assert story.owner("c1") == "ana"


@pytest.mark.parametrize("delivery", ["auto", "offer", "broadcast", "manual"])
def test_ro14_it_comes_before_any_delivery(story: Story, delivery: str) -> None:
    first_response(story)
    story.given(policy(delivery=delivery), opened("c1"))
    assert story.owner("c1") == "rob"


def test_ro14_a_full_or_removed_bot_is_passed_over(story: Story) -> None:
    first_response(story, capacity=1)
    story.given(opened("c1", "c2"))
    assert story.owners("c1", "c2") == ["rob", "ana"]
    story.given(step(ADMIN, "remove_operator", operator_id="rob"))
    assert story.owner("c1") == "ana"
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=9), opened("c3"))
    assert story.owner("c3") == "ana"


def test_ro14_a_bot_that_may_not_receive_is_passed_over(story: Story) -> None:
    first_response(story)
    story.given(step(ADMIN, "define_role", role_id="reader", permissions={}))
    story.given(step(ADMIN, "update_operator", operator_id="rob", role_id="reader"), opened("c1"))
    assert story.owner("c1") == "ana"


def test_ro14_what_waits_for_people_is_not_taken_back_by_a_bot_with_room(story: Story) -> None:
    first_response(story, capacity=0)
    story.given(policy(delivery="manual"), opened("c1"))
    assert story.reason("c1") == "manual"
    story.given(step(ADMIN, "update_operator", operator_id="rob", capacity=9))
    story.given(policy(ranking="fewest_open"))
    assert story.reason("c1") == "manual"


def test_ro14_what_is_opened_for_somebody_goes_to_that_one(story: Story) -> None:
    first_response(story)
    story.given(online("ben"))
    ahead = {"visitor_id": "visitor-c1", "to": {"operator": "ben"}}
    story.given(step(ADMIN, "assign_visitor", **ahead), opened("c1"))
    assert story.owner("c1") == "ben"


def test_ro14_it_answers_out_of_hours_and_when_nobody_is_there(story: Story) -> None:
    first_response(story)
    story.given(step(ANA, "log_out", session_id="ana-1"))
    story.given(step(PRESENCE, "shift_ended", entry_point_id="web"), opened("c1"))
    assert story.owner("c1") == "rob"
    story.given(step(ROB, "forward", conversation_id="c1", to={"everyone": True}))
    assert story.reason("c1") == "nobody_online"


# --- in no pool -----------------------------------------------------------------------------


def test_ro14_bots_are_in_no_ranked_pool(story: Story) -> None:
    story.given(desk(), bot("support"), opened("c1"))
    assert story.reason("c1") == "group_empty"
    assert story.mode("web") == "messenger"
    story.given(online("ana", "support", capacity=1))
    (assigned,) = story.told("conversation_assigned")
    assert (assigned["operator_id"], assigned["pool_size"]) == ("ana", 1)


@pytest.mark.parametrize("delivery", ["offer", "broadcast"])
def test_ro14_bots_are_neither_offered_nor_told_anything(story: Story, delivery: str) -> None:
    story.given(desk(), bot("support"), policy(delivery=delivery, assign_to="any"), opened("c1"))
    assert story.conversation("c1").state == "waiting"
    assert story.told("conversation_broadcast") == story.told("conversation_offered") == []


def test_ro14_a_bot_does_not_inherit_from_an_owner_who_leaves(story: Story) -> None:
    story.given(desk(ana=1), bot("support"), opened("c1"))
    story.given(step(ANA, "add_participant", conversation_id="c1", operator_id="rob"))
    story.given(step(ANA, "leave", conversation_id="c1"))
    assert (story.owner("c1"), story.participants("c1")) == (None, ["rob"])


def test_ro14_a_person_may_direct_a_conversation_to_a_bot(story: Story) -> None:
    story.given(desk(ana=1), bot(), opened("c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"operator": "rob"}))
    assert story.owner("c1") == "rob"


# --- handing on -----------------------------------------------------------------------------


def test_ro14_its_hand_off_is_a_forward_and_the_assignment_mutes_it(story: Story) -> None:
    first_response(story)
    story.given(opened("c1"))
    story.when(ROB, "forward", conversation_id="c1", to={"group": "support"}).then(
        event("conversation_forwarded", previous_owner="rob"),
        event("conversation_assigned", operator_id="ana", reason="routed"),
    )
    assert (story.owner("c1"), story.participants("c1")) == ("ana", [])
    assert story.load("rob") == 0


def test_ro14_with_nobody_there_it_waits_and_the_bot_is_out_all_the_same(story: Story) -> None:
    first_response(story)
    story.given(step(ANA, "set_status", status="busy"), opened("c1"))
    story.given(step(ROB, "forward", conversation_id="c1", to={"group": "support"}))
    assert (story.owner("c1"), story.reason("c1")) == (None, "nobody_online")


def test_ro14_on_offer_the_bot_keeps_it_until_somebody_accepts(story: Story) -> None:
    first_response(story)
    story.given(opened("c1"), policy(forward_mode="offer"))
    story.given(step(ROB, "forward", conversation_id="c1", to={"group": "support"}))
    assert story.owner("c1") == "rob"
    story.when(ANA, "accept_offer", conversation_id="c1", offer=1).then(event("offer_accepted"))
    assert (story.owner("c1"), story.participants("c1")) == ("ana", [])


@pytest.mark.parametrize("name", ["release", "leave"])
def test_ro14_it_is_not_given_back_what_it_gave_up(story: Story, name: str) -> None:
    first_response(story)
    story.given(opened("c1"), step(ROB, name, conversation_id="c1"))
    assert story.owner("c1") == "ana"
    story.given(step(ANA, "release", conversation_id="c1"), policy(ranking="fewest_open"))
    assert story.owner("c1") != "rob"


def test_ro14_what_the_bot_hands_to_a_second_level_stays_with_that(story: Story) -> None:
    first_response(story)
    story.given(group("experts"), online("cleo", "experts"), opened("c1"))
    story.given(step(ROB, "forward", conversation_id="c1", to={"group": "experts"}))
    assert story.owner("c1") == "cleo"


def test_ro14_a_conversation_taken_up_again_begins_with_the_bot(story: Story) -> None:
    first_response(story)
    story.given(opened("c1"), step(ROB, "forward", conversation_id="c1", to={"everyone": True}))
    story.given(step(ANA, "close", conversation_id="c1"), step(ANA, "set_status", status="busy"))
    story.given(step(Actor("visitor", "visitor-c1"), "write", conversation_id="c1"))
    assert story.owner("c1") == "rob"


# --- always on ------------------------------------------------------------------------------


def test_ro14_p11_a_bot_needs_no_heartbeat(story: Story) -> None:
    first_response(story)
    assert story.status("rob") == ("online", "chosen")
    story.after(86_400).given(opened("c1"))
    assert story.owner("c1") == "rob"


def test_ro14_p11_what_presence_says_of_a_bot_does_not_matter(story: Story) -> None:
    first_response(story)
    story.given(logged_in("rob"), opened("c1"))
    story.when(PRESENCE, "session_lapsed", operator_id="rob", session_id="rob-1")
    story.after(1_000)
    story.when(PRESENCE, "operator_idle", operator_id="rob").then()
    story.given(step(PRESENCE, "shift_ended", operator_id="rob"))
    story.given(step(ROB, "log_out", session_id="rob-1"), opened("c2"))
    assert story.status("rob") == ("online", "chosen")
    assert story.owners("c1", "c2") == ["rob", "rob"]


def test_ro14_a_bot_never_counts_as_unresponsive(story: Story) -> None:
    story.given(desk(ana=9), bot(), policy(unresponsive_after=1, on_slow=[]))
    story.given(opened("c1"))
    offered = {"to": {"operator": "rob"}, "mode": "offer"}
    story.given(step(ANA, "forward", conversation_id="c1", **offered)).after(30)
    assert story.told("offer_expired")[-1]["counted"] is False
    assert story.status("rob") == ("online", "chosen")


def test_ro14_p11_its_capacity_holds_like_anybodys(story: Story) -> None:
    first_response(story, capacity=2)
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=0))
    story.given(opened("c1", "c2", "c3"))
    assert story.owners("c1", "c2", "c3") == ["rob", "rob", None]


# --- who may be named -----------------------------------------------------------------------


def test_ro14_the_first_responder_is_a_bot(story: Story) -> None:
    story.given(desk(ana=1))
    fields = {"entry_point_id": "web", "first_responder": "ana"}
    story.when(ADMIN, "define_entry_point", **fields).refused("malformed")
    fields["first_responder"] = "nobody"
    story.when(ADMIN, "define_entry_point", **fields).refused("unknown_operator")


def test_ro14_registered_again_as_a_person_it_answers_first_no_more(story: Story) -> None:
    first_response(story)
    story.given(step(ADMIN, "remove_operator", operator_id="rob"))
    story.given(online("rob", capacity=100), opened("c1"))
    assert story.owner("c1") == "ana"
