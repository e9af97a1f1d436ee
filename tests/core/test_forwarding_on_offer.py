"""Forwards that wait for the receiver's consent: the sender keeps it until somebody accepts."""

import pytest

from tests.core.phrases import (
    BEN_ALONE,
    EXPERTS,
    accepts,
    asked,
    at_anas,
    directed,
    lapsed,
    on_offer,
    returned,
)
from tests.core.story import (
    ADMIN,
    ANA,
    BEGINNING,
    BEN,
    CLEO,
    Story,
    desk,
    event,
    online,
    opened,
    policy,
    registered,
    role,
    step,
)

# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_fw05_the_named_one_must_be_online(story: Story, status: str) -> None:
    at_anas(story, ben=1).given(step(BEN, "set_status", status=status))
    story.now(on_offer("ana", "c1", BEN_ALONE)).refused("operator_offline", operator_id="ben")
    assert (story.owner("c1"), asked(story, "c1")) == ("ana", None)


def test_fw05_a_lost_connection_is_not_online_enough(story: Story) -> None:
    at_anas(story, ben=1).given(lapsed("ben"))
    story.now(on_offer("ana", "c1", BEN_ALONE)).refused("operator_offline")
    story.given(returned("ben"), on_offer("ana", "c1", BEN_ALONE))


def test_fw05_w09_the_named_one_must_have_room(story: Story) -> None:
    at_anas(story, ben=1).given(opened("c2"), directed("c2", "ben"))
    story.now(on_offer("ana", "c1", BEN_ALONE)).refused("at_capacity", operator_id="ben")
    story.given(step(BEN, "close", conversation_id="c2"), on_offer("ana", "c1", BEN_ALONE))
    assert asked(story, "c1") == ("ben", 1)


def test_fw05_somebody_of_the_group_must_be_online_with_room(story: Story) -> None:
    at_anas(story).given(registered("dan", "experts"))
    story.now(on_offer("ana", "c1", EXPERTS)).refused("nobody_reachable")
    story.given(online("ben", "experts", capacity=0))
    story.now(on_offer("ana", "c1", EXPERTS)).refused("nobody_reachable")
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=1))
    story.given(on_offer("ana", "c1", EXPERTS))
    assert story.owner("c1") == "ana"


def test_fw05_the_owner_and_those_who_take_part_are_nobody_new(story: Story) -> None:
    at_anas(story, ben=1).given(step(BEN, "join", conversation_id="c1"))
    story.given(step(ADMIN, "join_group", operator_id="ana", group_id="experts"))
    story.now(on_offer("ana", "c1", EXPERTS)).refused("nobody_reachable")


def test_fw05_what_else_is_refused_is_as_ever(story: Story) -> None:
    at_anas(story, ben=1).given(role("clerk", assigned="read"))
    story.now(on_offer("ben", "c1", BEN_ALONE)).refused("no_permission")
    story.now(on_offer("ana", "c1", {"operator": "x"})).refused("unknown_operator")
    story.given(step(ADMIN, "update_operator", operator_id="ben", role_id="clerk"))
    story.now(on_offer("ana", "c1", BEN_ALONE)).refused("no_permission")
    story.given(step(ADMIN, "update_group", group_id="experts", enabled=False))
    story.now(on_offer("ana", "c1", EXPERTS)).refused("group_disabled")


def test_fw05_direct_is_the_default_and_a_policy_may_change_it(story: Story) -> None:
    at_anas(story, ben=9).given(opened("c2"))
    story.given(step(ANA, "forward", conversation_id="c1", to=BEN_ALONE))
    assert story.owners("c1", "c2") == ["ben", "ana"]
    story.given(policy(forward_mode="offer"))
    story.given(step(ANA, "forward", conversation_id="c2", to=BEN_ALONE))
    assert (story.owner("c2"), asked(story, "c2")) == ("ana", ("ben", 1))


def test_fw05_what_nobody_owns_is_assigned_at_once(story: Story) -> None:
    story.given(desk(), online("ben"), opened("c1"))
    story.given(on_offer("ben", "c1", BEN_ALONE))
    assert story.owner("c1") == "ben"


# --- while it waits -------------------------------------------------------------------------


def test_fw05_the_sender_stays_owner_until_somebody_accepts(story: Story) -> None:
    at_anas(story, ben=1)
    story.now(on_offer("ana", "c1", BEN_ALONE, note="knows him")).then(
        event(
            "forward_offered",
            conversation_id="c1",
            to=BEN_ALONE,
            sender="ana",
            deadline=BEGINNING + 30_000,
        ),
        event(
            "conversation_offered",
            operator_id="ben",
            offer=1,
            expires_at=BEGINNING + 30_000,
            reason="directed",
            ranking=None,
            key=[],
        ),
    )
    conversation = story.conversation("c1")
    assert (conversation.state, conversation.owner) == ("assigned", "ana")
    assert story.scope("c1") == {"entry_point": "web"}
    assert (story.load("ana"), story.load("ben")) == (1, 1)


def test_fw05_w09_nothing_automatic_takes_the_slot_meanwhile(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE), opened("c2"))
    story.given(step(ADMIN, "join_group", operator_id="ben", group_id="support"))
    assert story.owner("c2") is None
    story.given(accepts("ben", "c1"))
    assert (story.owner("c1"), story.load("ben"), story.owner("c2")) == ("ben", 1, "ana")


def test_fw05_w09_filled_up_by_hand_he_may_still_accept(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.given(opened("c2"), directed("c2", "ben"), accepts("ben", "c1"))
    assert (story.owner("c1"), story.load("ben")) == ("ben", 2)


def test_fw05_the_sender_goes_on_answering(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.when(ANA, "reply", conversation_id="c1").then(event("operator_replied"))
    assert asked(story, "c1") == ("ben", 1)


# --- accepted -------------------------------------------------------------------------------


def test_fw05_acceptance_moves_it_in_one_step_and_ends_the_senders_part(story: Story) -> None:
    at_anas(story, ben=1).given(opened("c2"), on_offer("ana", "c1", BEN_ALONE, note="rush"))
    story.now(accepts("ben", "c1")).then(
        event("offer_accepted", operator_id="ben", offer=1, previous_owner="ana"),
        event("conversation_assigned", conversation_id="c2", operator_id="ana"),
    )
    assert (story.owner("c1"), story.participants("c1")) == ("ben", [])
    assert story.scope("c1") == BEN_ALONE
    assert story.conversation("c1").note is not None
    story.after(3_600).never("forward_returned")


@pytest.mark.parametrize("command", ["reply", "claim"])
def test_fw05_replying_and_claiming_accept(story: Story, command: str) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.when(BEN, command, conversation_id="c1").then_among_others(
        event("offer_accepted", operator_id="ben", previous_owner="ana")
    )
    assert (story.owner("c1"), story.participants("c1")) == ("ben", [])


def test_fw05_other_participants_stay(story: Story) -> None:
    at_anas(story, ben=1, cleo=1).given(step(CLEO, "join", conversation_id="c1"))
    story.given(on_offer("ana", "c1", BEN_ALONE), accepts("ben", "c1"))
    assert story.participants("c1") == ["cleo"]


def test_fw05_a_participant_who_accepts_takes_part_no_more(story: Story) -> None:
    at_anas(story, ben=1).given(step(BEN, "join", conversation_id="c1"))
    story.given(on_offer("ana", "c1", BEN_ALONE), accepts("ben", "c1"))
    assert (story.owner("c1"), story.participants("c1")) == ("ben", [])


def test_fw05_accepted_for_a_group_its_scope_is_that_group(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", EXPERTS), accepts("ben", "c1"))
    assert story.scope("c1") == EXPERTS
    story.given(online("cleo", "experts"), step(BEN, "leave", conversation_id="c1"))
    assert story.owner("c1") == "cleo"
