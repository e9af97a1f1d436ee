"""Who is asked after whom, when everybody was asked, and who does not answer."""

import pytest

from tests.core.phrases import (
    accepts,
    asked,
    declines,
    directed,
    lapsed,
    offering,
    offers,
    returned,
)
from tests.core.story import (
    ADMIN,
    ANA,
    BEGINNING,
    BEN,
    Story,
    event,
    group,
    logged_in,
    online,
    opened,
    policy,
    registered,
    step,
)

ONE_ROUND = {"rounds_max": 1}


def refused_by_all(story: Story, **capacities: int) -> None:
    """One conversation that everybody declined in its only round."""
    story.given(offering(rules=ONE_ROUND, **capacities), opened("c1"))
    for number in range(1, len(capacities) + 1):
        offer = asked(story, "c1")
        assert offer is not None
        story.given(declines(offer[0], "c1", number))
    assert story.reason("c1") == "all_declined"


# --- rounds ---------------------------------------------------------------------------------


def test_of03_in_a_round_everybody_is_asked_once(story: Story) -> None:
    story.given(offering(ana=9, ben=8, cleo=7), opened("c1"))
    story.given(declines("ana", "c1", 1)).after(30)
    assert offers(story, "c1") == ["ana", "ben", "cleo"]
    story.now(declines("cleo", "c1", 3)).then(
        event("offer_declined", operator_id="cleo"),
        event("round_ended", conversation_id="c1", round=1, until=BEGINNING + 45_000),
        event("conversation_queued", conversation_id="c1", hold="offer", reason="back_off"),
    )
    assert story.conversation("c1").state == "waiting"


def test_of03_o04_after_the_back_off_a_new_round_begins(story: Story) -> None:
    story.given(offering(ana=9, ben=8), opened("c1"))
    story.given(declines("ana", "c1", 1), declines("ben", "c1", 2))
    assert story.reason("c1") == "back_off"
    story.after(14).then()
    story.after(1).then(
        event("back_off_ended", conversation_id="c1", due=BEGINNING + 15_000),
        event("conversation_offered", operator_id="ana", offer=3),
    )
    story.given(declines("ana", "c1", 3))
    assert asked(story, "c1") == ("ben", 4)


def test_of03_rounds_and_back_off_are_policies(story: Story) -> None:
    story.given(offering(rules={"decline_backoff_s": 4, "rounds_max": 2}, ana=1), opened("c1"))
    story.given(declines("ana", "c1", 1)).after(3)
    assert asked(story, "c1") is None
    story.after(1)
    story.now(declines("ana", "c1", 2)).then_among_others(event("round_ended", round=2, until=None))
    assert story.reason("c1") == "all_declined"


def test_of03_o02_a_sole_operator_is_asked_again_after_a_pause_and_not_for_ever(
    story: Story,
) -> None:
    story.given(offering(rules={"unresponsive_after": 0}, ana=1), opened("c1"))
    for number in (1, 2):
        story.after(30).then_among_others(
            event("offer_expired", offer=number), event("round_ended", round=number)
        )
        assert asked(story, "c1") is None
        story.after(15)
    story.after(30).then_among_others(event("round_ended", round=3, until=None))
    story.after(86_400).then()
    assert offers(story, "c1") == ["ana", "ana", "ana"]
    assert story.reason("c1") == "all_declined"


def test_of03_refusals_never_end_it_nor_cost_its_place(story: Story) -> None:
    refused_by_all(story, ana=1, ben=1)
    story.after(86_400)
    assert story.conversation("c1").queued_at == BEGINNING
    story.given(step(ANA, "set_status", status="busy"), step(BEN, "set_status", status="busy"))
    story.given(opened("c2"), step(BEN, "set_status", status="online"))
    assert (asked(story, "c1"), asked(story, "c2")) == (("ben", 3), None)


def test_of03_who_declined_gets_other_conversations_meanwhile(story: Story) -> None:
    story.given(offering(ana=2), opened("c1"), declines("ana", "c1"), opened("c2"))
    assert asked(story, "c2") == ("ana", 1)
    assert story.reason("c1") == "back_off"


@pytest.mark.parametrize("reason", ["busy", "wrong_skill", "break", "other"])
def test_of03_o09_a_refusal_pauses_once_whatever_its_reason(story: Story, reason: str) -> None:
    story.given(offering(ana=1), opened("c1"), declines("ana", "c1", reason=reason))
    assert story.operator("ana").missed_offers == 0
    story.after(15)
    assert asked(story, "c1") == ("ana", 2)


def test_of03_a_newcomer_is_asked_without_waiting_for_the_back_off(story: Story) -> None:
    story.given(offering(ana=1), registered("ben", "support"), opened("c1"))
    story.given(declines("ana", "c1")).after(5)
    story.now(logged_in("ben")).then_among_others(
        event("conversation_offered", conversation_id="c1", operator_id="ben", offer=2)
    )
    story.given(declines("ben", "c1", 2))
    assert story.reason("c1") == "back_off"
    story.after(10)
    assert asked(story, "c1") is not None


def test_of03_all_declined_ends_when_somebody_newly_eligible_comes(story: Story) -> None:
    refused_by_all(story, ana=1)
    story.given(online("ben", "support"))
    assert asked(story, "c1") == ("ben", 2)


def test_of03_somebody_may_become_eligible_by_joining_the_group_or_by_a_slot(
    story: Story,
) -> None:
    story.given(group("x"), online("cleo", "x"), offering(rules=ONE_ROUND, ana=2, ben=0))
    story.given(opened("c1"), declines("ana", "c1"))
    assert story.reason("c1") == "all_declined"
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=1))
    assert asked(story, "c1") == ("ben", 2)
    story.given(declines("ben", "c1", 2))
    story.given(step(ADMIN, "join_group", operator_id="cleo", group_id="support"))
    assert asked(story, "c1") == ("cleo", 3)


def test_of03_all_declined_ends_when_an_excluded_operator_sets_a_status(story: Story) -> None:
    refused_by_all(story, ana=1, ben=1)
    story.given(step(BEN, "set_status", status="busy"))
    assert story.reason("c1") == "all_declined"
    story.given(step(BEN, "set_status", status="online"))
    assert asked(story, "c1") == ("ben", 3)


def test_of03_the_status_he_has_already_is_none_that_he_sets(story: Story) -> None:
    refused_by_all(story, ana=1)
    story.when(ANA, "set_status", status="online").then()
    assert story.reason("c1") == "all_declined"


def test_of03_all_declined_ends_when_a_policy_changes(story: Story) -> None:
    refused_by_all(story, ana=1)
    story.now(policy(ranking="longest_idle")).then_among_others(
        event("conversation_offered", operator_id="ana", offer=2, ranking="longest_idle")
    )


def test_of03_a_changed_policy_begins_with_the_first_round_and_ends_the_back_off(
    story: Story,
) -> None:
    story.given(offering(ana=1), opened("c1"), declines("ana", "c1")).after(14)
    story.given(policy(ranking="longest_idle"), declines("ana", "c1", 2))
    assert story.conversation("c1").round == 1
    story.after(14).then()
    story.after(1).then_among_others(event("conversation_offered", offer=3))


def test_of03_a_forward_begins_anew(story: Story) -> None:
    refused_by_all(story, ana=1)
    to = {"everyone": True}
    story.when(ADMIN, "forward", conversation_id="c1", to=to).then_among_others(
        event("conversation_offered", operator_id="ana", offer=2)
    )
    assert story.conversation("c1").round == 0


def test_of03_an_acceptance_forgets_the_rounds(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"), declines("ana", "c1")).after(15)
    story.given(accepts("ana", "c1", 2))
    assert story.conversation("c1").round == 0
    story.after(3_600).never("back_off_ended")


def test_of03_o04_who_declined_and_was_full_just_then_is_asked_again(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"))
    story.given(policy(delivery="manual"), opened("c2"), policy(delivery="offer"))
    story.given(directed("c2", "ana"), declines("ana", "c1"))
    assert story.reason("c1") == "all_full"
    story.after(60)
    story.given(step(ANA, "close", conversation_id="c2"))
    assert asked(story, "c1") == ("ana", 2)


def test_of03_claiming_is_open_in_every_pause(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"), declines("ana", "c1"))
    story.when(ANA, "claim", conversation_id="c1").then(event("conversation_claimed"))
    story.after(3_600).never("back_off_ended")


# --- those who do not answer ----------------------------------------------------------------


def missing(story: Story, times: int) -> None:
    """Ana, alone, lets so many offers expire, one after the other."""
    for _ in range(times):
        assert asked(story, "c1") is not None
        story.after(30)
        if asked(story, "c1") is None:
            story.after(15)


def test_of04_o05_three_expiries_in_a_row_show_as_busy(story: Story) -> None:
    story.given(offering(rules={"rounds_max": 9}, ana=1), opened("c1"))
    missing(story, 2)
    assert story.status("ana") == ("online", "chosen")
    story.after(30).then_among_others(
        event("offer_expired", offer=3, counted=True),
        event("operator_unresponsive", operator_id="ana", missed=3),
        event("operator_status_changed", effective="busy", cause="unresponsive"),
        event("entry_point_mode_changed", mode="messenger"),
    )
    assert story.operator("ana").chosen == "online"
    assert story.reason("c1") == "nobody_online"


def test_of04_an_unresponsive_operator_is_asked_nothing_and_keeps_what_is_his(
    story: Story,
) -> None:
    story.given(offering(rules={"unresponsive_after": 1}, ana=9, ben=1), opened("c1"))
    story.given(accepts("ana", "c1"), opened("c2"), opened("c3"))
    assert (asked(story, "c2"), asked(story, "c3")) == (("ana", 1), ("ana", 1))
    story.after(29).given(opened("c4"))
    assert asked(story, "c4") == ("ana", 1)
    story.after(1).then_among_others(
        event("offer_expired", conversation_id="c2"),
        event("operator_unresponsive"),
        event("offer_rescinded", conversation_id="c3", reason="unavailable"),
        event("offer_rescinded", conversation_id="c4", reason="unavailable"),
    )
    assert story.owner("c1") == "ana"
    assert {offer for its_id in ("c2", "c3", "c4") if (offer := asked(story, its_id))} == {
        ("ben", 2)
    }


def test_of04_an_acceptance_resets_the_count(story: Story) -> None:
    story.given(offering(rules={"rounds_max": 9}, ana=1), opened("c1"))
    missing(story, 2)
    story.given(accepts("ana", "c1", 3), step(ANA, "close", conversation_id="c1"), opened("c2"))
    assert story.operator("ana").missed_offers == 0
    story.after(30).never("operator_unresponsive")


def test_of04_a_refusal_is_an_answer_and_breaks_the_row(story: Story) -> None:
    story.given(offering(rules={"rounds_max": 9}, ana=1), opened("c1"))
    missing(story, 2)
    story.given(declines("ana", "c1", 3)).after(15)
    story.after(30).never("operator_unresponsive")


def test_of04_what_was_rescinded_does_not_count(story: Story) -> None:
    story.given(offering(rules={"unresponsive_after": 1}, ana=1), opened("c1")).after(29)
    story.given(step(ADMIN, "close", conversation_id="c1")).after(30)
    assert story.operator("ana").missed_offers == 0


def test_of04_not_while_disconnected(story: Story) -> None:
    rules = {"unresponsive_after": 1, "assign_to": "any"}
    story.given(offering(rules=rules, ana=1), opened("c1"), lapsed("ana"))
    assert asked(story, "c1") == ("ana", 1)
    story.after(30).then_among_others(event("offer_expired", counted=False))
    story.never("operator_unresponsive")
    story.given(returned("ana")).after(15)
    story.after(30).then_among_others(
        event("offer_expired", counted=True), event("operator_unresponsive")
    )


def test_of04_nought_is_off(story: Story) -> None:
    story.given(offering(rules={"unresponsive_after": 0, "rounds_max": 9}, ana=1), opened("c1"))
    missing(story, 8)
    assert story.status("ana") == ("online", "chosen")
    assert story.told("operator_unresponsive") == []


def unresponsive(story: Story) -> None:
    """Ana let one offer expire, which is enough here; the conversation waits."""
    rules = {"unresponsive_after": 1}
    story.given(offering(rules=rules, ana=1), opened("c1")).after(30)
    assert story.status("ana") == ("busy", "unresponsive")


def test_of04_it_ends_with_a_status_even_the_one_that_was_chosen(story: Story) -> None:
    unresponsive(story)
    story.when(ANA, "set_status", status="online").then_among_others(
        event("status_chosen", status="online"),
        event("operator_status_changed", effective="online", cause="chosen"),
        event("conversation_offered", operator_id="ana", offer=2),
    )


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_of04_or_with_any_other_status(story: Story, status: str) -> None:
    unresponsive(story)
    story.given(step(ANA, "set_status", status=status))
    assert story.status("ana") == (status, "chosen")


def test_of04_it_ends_with_a_claim(story: Story) -> None:
    unresponsive(story)
    story.when(ANA, "claim", conversation_id="c1").then_among_others(
        event("operator_status_changed", effective="online", cause="chosen")
    )


def test_of04_it_ends_with_a_reply(story: Story) -> None:
    unresponsive(story)
    story.given(online("ben"), directed("c1", "ben"))
    story.when(ANA, "reply", conversation_id="c1").then_among_others(
        event("operator_status_changed", effective="online", cause="chosen")
    )


@pytest.mark.parametrize("session_id", ["ana-2", "ana-1"])
def test_of04_it_ends_with_a_log_in_on_whatever_device(story: Story, session_id: str) -> None:
    unresponsive(story)
    story.now(logged_in("ana", session_id)).then_among_others(
        event("operator_logged_in", session_id=session_id),
        event("operator_status_changed", effective="online", cause="chosen"),
    )
    story.now(logged_in("ana", session_id)).then()


def test_of04_it_ends_with_a_log_in_of_a_device_that_had_lapsed(story: Story) -> None:
    unresponsive(story)
    story.given(lapsed("ana"), logged_in("ana", "ana-1"))
    assert story.status("ana") == ("online", "chosen")
    assert story.operator("ana").connected


def test_of04_a_connection_that_returns_does_not_end_it(story: Story) -> None:
    unresponsive(story)
    story.given(lapsed("ana"), returned("ana"))
    assert story.status("ana") == ("busy", "unresponsive")


def test_of04_o04_whoever_answers_again_is_asked_again(story: Story) -> None:
    unresponsive(story)
    story.given(online("ben"), opened("c2"), directed("c2", "ben"))
    story.given(step(ANA, "reply", conversation_id="c2")).after(15)
    assert asked(story, "c1") == ("ana", 2)


def test_of04_the_count_begins_anew_afterwards(story: Story) -> None:
    story.given(offering(rules={"rounds_max": 9}, ana=1), opened("c1"))
    missing(story, 3)
    story.given(step(ANA, "set_status", status="online"))
    missing(story, 2)
    assert story.status("ana") == ("online", "chosen")
