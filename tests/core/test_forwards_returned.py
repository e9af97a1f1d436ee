"""Forwards on offer that nobody accepted: back to the sender, or home if he is gone."""

import pytest

from tests.core.phrases import (
    BEN_ALONE,
    EXPERTS,
    accepts,
    asked,
    at_anas,
    declines,
    directed,
    idle,
    lapsed,
    offering,
    offers,
    on_offer,
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
    group,
    online,
    opened,
    policy,
    registered,
    step,
)

# --- back to the sender ---------------------------------------------------------------------


def test_fw05_w08_declined_he_keeps_it_and_learns_why(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.now(declines("ben", "c1", reason="wrong_skill")).then(
        event("offer_declined", operator_id="ben", reason="wrong_skill"),
        event("forward_returned", sender="ana", reason="declined", kept=True),
    )
    assert (story.owner("c1"), story.scope("c1")) == ("ana", {"entry_point": "web"})
    assert (story.load("ana"), story.load("ben")) == (1, 0)
    story.after(3_600).then()


def test_fw05_w07_unanswered_it_expires_and_he_keeps_it(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.after(29).then()
    story.after(1).then(
        event("offer_expired", operator_id="ben", counted=True, due=BEGINNING + 30_000),
        event("forward_expired", due=BEGINNING + 30_000),
        event("forward_returned", sender="ana", reason="expired", kept=True),
    )
    assert story.owner("c1") == "ana"
    story.now(accepts("ben", "c1")).refused("offer_ended", how="expired")


def test_fw05_of04_a_forward_that_nobody_answers_counts_as_missed(story: Story) -> None:
    at_anas(story, ben=1).given(policy(unresponsive_after=1))
    story.given(on_offer("ana", "c1", EXPERTS)).after(30).then_among_others(
        event("operator_unresponsive", operator_id="ben")
    )
    assert story.status("ben") == ("busy", "unresponsive")


def test_fw05_the_deadline_is_the_timeout_where_it_is_sent(story: Story) -> None:
    at_anas(story, ben=1).given(policy(group_id="experts", offer_timeout_s=7))
    story.given(policy(group_id="support", offer_timeout_s=11))
    story.given(on_offer("ana", "c1", EXPERTS)).after(7)
    assert asked(story, "c1") is None
    story.given(on_offer("ana", "c1", BEN_ALONE)).after(10)
    assert asked(story, "c1") == ("ben", 2)
    story.after(1)
    assert asked(story, "c1") is None


def test_fw05_the_sender_may_take_it_back(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.when(BEN, "recall_offer", conversation_id="c1").refused("not_involved", owner="ana")
    story.when(ANA, "recall_offer", conversation_id="c1").then(
        event("forward_recalled", sender="ana"),
        event("offer_rescinded", operator_id="ben", reason="recalled"),
        event("forward_returned", sender="ana", reason="recalled", kept=True),
    )
    story.when(ANA, "recall_offer", conversation_id="c1").refused("no_offer")
    story.now(accepts("ben", "c1")).refused("offer_ended", how="rescinded")
    assert (story.owner("c1"), story.load("ben")) == ("ana", 0)


def test_fw05_a_receiver_who_goes_away_is_not_waited_for(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.when(BEN, "set_status", status="busy").then_among_others(
        event("offer_rescinded", operator_id="ben", reason="unavailable"),
        event("forward_returned", reason="nobody_reachable", kept=True),
    )
    assert story.owner("c1") == "ana"


# --- a group --------------------------------------------------------------------------------


def test_fw05_of_a_group_one_after_the_other_is_asked(story: Story) -> None:
    at_anas(story, ben=3, cleo=2, dan=1).given(on_offer("ana", "c1", EXPERTS)).after(10)
    story.now(declines("ben", "c1", 1)).then(
        event("offer_declined", operator_id="ben"),
        event("conversation_offered", operator_id="cleo", offer=2, expires_at=BEGINNING + 30_000),
    )
    story.given(declines("cleo", "c1", 2), accepts("dan", "c1", 3))
    assert (story.owner("c1"), offers(story, "c1")) == ("dan", ["ben", "cleo", "dan"])


def test_fw05_declined_by_all_of_a_group_it_comes_back(story: Story) -> None:
    at_anas(story, ben=3, cleo=2).given(on_offer("ana", "c1", EXPERTS))
    story.given(declines("ben", "c1", 1))
    story.now(declines("cleo", "c1", 2)).then(
        event("offer_declined", operator_id="cleo"),
        event("forward_returned", reason="declined", kept=True),
    )
    story.after(3_600).then()


def test_fw05_the_deadline_stands_however_many_were_asked(story: Story) -> None:
    at_anas(story, ben=3, cleo=2, dan=1).given(on_offer("ana", "c1", EXPERTS)).after(29)
    story.given(declines("ben", "c1", 1))
    story.after(1).then(
        event("offer_expired", operator_id="cleo", offer=2),
        event("forward_expired"),
        event("forward_returned", reason="expired", kept=True),
    )
    assert offers(story, "c1") == ["ben", "cleo"]


def test_fw05_who_of_a_group_goes_away_is_replaced_by_the_next(story: Story) -> None:
    at_anas(story, ben=3, cleo=2).given(on_offer("ana", "c1", EXPERTS))
    story.when(BEN, "set_status", status="busy").then_among_others(
        event("offer_rescinded", operator_id="ben", reason="unavailable"),
        event("conversation_offered", operator_id="cleo", offer=2, expires_at=BEGINNING + 30_000),
    )
    story.when(CLEO, "log_out", session_id="cleo-1").then_among_others(
        event("forward_returned", reason="nobody_reachable", kept=True)
    )


def test_fw05_everyone_is_asked_like_a_group(story: Story) -> None:
    story.given(policy(on_slow=[]), desk(ana=1, ben=0), opened("c1"), online("cleo", capacity=3))
    story.given(on_offer("ana", "c1", {"everyone": True}))
    assert asked(story, "c1") == ("cleo", 1)
    story.given(accepts("cleo", "c1"))
    assert story.scope("c1") == {"everyone": True}


def test_fw05_turns_of_a_group_are_counted_for_that_group(story: Story) -> None:
    at_anas(story, ben=9, cleo=9).given(policy(group_id="experts", ranking="round_robin"))
    story.given(on_offer("ana", "c1", EXPERTS), declines("ben", "c1", 1), declines("cleo", "c1", 2))
    story.given(on_offer("ana", "c1", EXPERTS))
    assert offers(story, "c1") == ["ben", "cleo", "ben"]
    assert set(story.operator("ben").last_assigned_in) == {("experts",)}


# --- the sender is gone ---------------------------------------------------------------------


@pytest.mark.parametrize("how", ["set_status", "log_out", "idle", "grace"])
def test_fw05_w07_sender_gone_it_waits_at_home_at_its_old_age(story: Story, how: str) -> None:
    at_anas(story, ben=1).given(registered("dan", "support"), policy(offer_timeout_s=300)).after(60)
    story.given(on_offer("ana", "c1", BEN_ALONE))
    match how:
        case "set_status":
            story.given(step(ANA, "set_status", status="offline"))
        case "log_out":
            story.given(step(ANA, "log_out", session_id="ana-1"))
        case "idle":
            story.given(idle("ana"))
        case _:
            story.given(lapsed("ana")).after(150)
    assert (story.owner("c1"), asked(story, "c1")) == ("ana", ("ben", 1))
    story.now(declines("ben", "c1")).then(
        event("offer_declined"),
        event("forward_returned", sender="ana", reason="declined", kept=False),
        event("conversation_queued", reason="nobody_online"),
    )
    assert (story.owner("c1"), story.load("ana")) == (None, 0)
    assert story.conversation("c1").queued_at == BEGINNING
    assert story.scope("c1") == {"entry_point": "web"}


def test_fw05_busy_the_sender_is_not_gone(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.given(step(ANA, "set_status", status="busy"), declines("ben", "c1"))
    assert story.owner("c1") == "ana"


def test_fw05_accepted_it_does_not_matter_that_the_sender_is_gone(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.given(step(ANA, "log_out", session_id="ana-1"), accepts("ben", "c1"))
    assert story.owner("c1") == "ben"


def test_fw05_it_ends_with_a_sender_who_leaves_or_is_removed(story: Story) -> None:
    at_anas(story, ben=1, cleo=1).given(opened("c2"), directed("c2", "cleo"))
    story.given(on_offer("ana", "c1", BEN_ALONE))
    story.when(ANA, "leave", conversation_id="c1").then_among_others(
        event("offer_rescinded", operator_id="ben", reason="forwarded"),
        event("conversation_queued", conversation_id="c1"),
    )
    story.given(on_offer("cleo", "c2", BEN_ALONE))
    story.when(ADMIN, "remove_operator", operator_id="cleo").then_among_others(
        event("offer_rescinded", conversation_id="c2", operator_id="ben")
    )
    assert (story.load("ben"), story.owners("c1", "c2")) == (0, [None, "ana"])


# --- overtaken ------------------------------------------------------------------------------


def test_fw05_fw04_the_same_forward_again_writes_nothing(story: Story) -> None:
    at_anas(story, ben=1).given(step(ADMIN, "update_operator", operator_id="ana", capacity=5))
    story.given(on_offer("ana", "c1", BEN_ALONE))
    story.now(on_offer("ana", "c1", BEN_ALONE)).then()
    story.now(on_offer("ana", "c1", {"operator": "ana"})).then()
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ana"}).then()
    assert asked(story, "c1") == ("ben", 1)


def test_fw05_fw04_sent_directly_after_all_it_moves_at_once(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.when(ANA, "forward", conversation_id="c1", to=BEN_ALONE, mode="direct").then(
        event("conversation_forwarded", previous_owner="ana"),
        event("offer_rescinded", operator_id="ben", reason="forwarded"),
        event("conversation_assigned", operator_id="ben", reason="directed", excess=False),
    )
    story.after(3_600).never("forward_returned")


def test_fw05_fw08_another_forward_takes_its_place(story: Story) -> None:
    at_anas(story, ben=1, cleo=1).given(on_offer("ana", "c1", BEN_ALONE)).after(20)
    story.now(on_offer("ana", "c1", {"operator": "cleo"})).then(
        event("forward_offered", sender="ana", deadline=BEGINNING + 50_000),
        event("offer_rescinded", operator_id="ben", reason="forwarded"),
        event("conversation_offered", operator_id="cleo", offer=2, expires_at=BEGINNING + 50_000),
    )
    story.after(10).then()
    story.given(directed("c1", "ben"))
    assert (story.owner("c1"), asked(story, "c1"), story.load("cleo")) == ("ben", None, 0)


def test_fw05_fw04_a_forward_ends_the_offers_of_the_queue(story: Story) -> None:
    story.given(offering(ana=1), group("experts"), online("ben", "experts"), opened("c1"))
    story.given(on_offer("ana", "c1", EXPERTS))
    assert asked(story, "c1") == ("ben", 2)
    assert story.conversation("c1").forward is None


def test_fw05_closing_ends_it(story: Story) -> None:
    at_anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.when(ANA, "close", conversation_id="c1").then(
        event("conversation_closed", owner="ana"),
        event("offer_rescinded", operator_id="ben", reason="closed"),
    )
    story.after(3_600).then()
    assert story.load("ben") == 0
