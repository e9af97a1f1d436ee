"""Simulations of small stories: a change makes exactly the difference that it should."""

import pytest

from shared.audit.changes import BadChange
from shared.audit.playing import ASSUMED_ACCEPT_MS, ASSUMED_CLAIM_MS
from tests.audit.simulated import assumed, capacity, differing, loads, policies, simulated, waited
from tests.core.phrases import accepts, declines, lapsed, offering
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Story,
    desk,
    entry_point,
    group,
    online,
    opened,
    policy,
    step,
)

LATER = step(ADMIN, "create_group", group_id="later", name="Later")
"""Says nothing but that the log goes on until then."""

VISITOR_C1 = opened("c1")[0].actor


@pytest.fixture
def story() -> Story:
    return Story()


def one_at_a_time(story: Story) -> Story:
    """Ana has room for one: the second visitor waits for a minute."""
    story.given(desk(ana=1), opened("c1", "c2")).after(10)
    story.given(step(ANA, "reply", conversation_id="c1")).after(50)
    story.given(step(ANA, "close", conversation_id="c1")).after(5)
    return story.given(step(ANA, "reply", conversation_id="c2")).after(60)


def test_au06_one_slot_more_and_nobody_waits(story: Story) -> None:
    report = simulated(one_at_a_time(story).log, capacity("ana", 2))
    assert differing(report) == {
        "c2": (waited("ana", 60_000, "all_full"), waited("ana", 0)),
    }
    assert (loads(report)["ana"].peak_load, loads(report)["ana"].assignments) == (2, 2)
    assert report.baseline.outcome == report.recorded.outcome


def test_au06_without_changes_nothing_is_different(story: Story) -> None:
    report = simulated(one_at_a_time(story).log)
    assert report.recorded.outcome == report.baseline.outcome == report.simulated.outcome
    assert (report.differences_total, report.artefacts_total) == (0, 0)
    assert report.baseline == report.simulated


def test_au06_work_takes_as_long_whoever_does_it(story: Story) -> None:
    """Ana answers and closes c1; with one slot less it is ben, and c2 is first to wait for him."""
    story.given(desk(ana=2, ben=1), opened("c1")).after(10)
    story.given(step(ANA, "reply", conversation_id="c1")).after(20)
    story.given(step(ANA, "close", conversation_id="c1"), opened("c2")).after(30)
    report = simulated(story.log, capacity("ana", 0))
    assert differing(report) == {
        "c1": (waited("ana", 0), waited("ben", 0)),
        "c2": (waited("ana", 0), waited("ben", 0)),
    }
    assert report.simulated.tally is not None
    assert (report.simulated.tally.acts, report.simulated.tally.left_out) == (2, {})


def test_au06_ranking_spreads_the_load(story: Story) -> None:
    story.given(desk(ana=10, ben=5), opened("c1", "c2", "c3", "c4"))
    report = simulated(story.log, policies(ranking="round_robin"))
    assert [load.assignments for load in report.baseline.outcome.loads] == [4, 0]
    assert [load.assignments for load in report.simulated.outcome.loads] == [2, 2]
    assert list(differing(report)) == ["c2", "c4"]


def test_au06_widening_reaches_others_after_its_time(story: Story) -> None:
    story.given(desk(ana=0), group("experts"), online("cleo", "experts"), opened("c1")).after(90)
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    wider = [{"after_s": 30, "add_groups": ["experts"]}]
    report = simulated(story.log, policies(widening=wider))
    was, now = differing(report)["c1"]
    assert was == waited("ana", 90_000, "all_full")
    assert now == waited("cleo", 30_000, "all_full")


def test_au06_a_member_more(story: Story) -> None:
    story.given(desk(ana=1), group("billing"), entry_point("shop", "billing"))
    story.given(online("ben"), opened("c1", entry_point_id="shop")).after(40).given(LATER)
    change = {"join_group": {"operator_id": "ben", "group_id": "billing"}}
    was, now = differing(simulated(story.log, change))["c1"]
    assert was == waited(None, 40_000, "group_empty", True)
    assert now == waited("ben", 0)


# --- what nobody did ------------------------------------------------------------------------


def test_au06_offers_that_nobody_made_are_accepted_after_a_while(story: Story) -> None:
    story.given(desk(ana=1), opened("c1")).after(60)
    report = simulated(story.log, policies(delivery="offer"))
    _, now = differing(report)["c1"]
    assert now == waited("ana", ASSUMED_ACCEPT_MS)
    numbers = {"offers": 1, "after_ms": ASSUMED_ACCEPT_MS, "measured": 0}
    assert assumed(report)["offers_accepted_after"].numbers == numbers


def test_au06_offers_are_answered_as_they_were(story: Story) -> None:
    """Ben declined after 7 seconds, ana accepted after 4; with ranking turned over as well."""
    story.given(offering(ana=1, ben=2), opened("c1")).after(7)
    story.given(declines("ben", "c1")).after(4).given(accepts("ana", "c1", offer=2)).after(60)
    report = simulated(story.log, capacity("ana", 3))
    was, now = differing(report)["c1"]
    assert was == waited("ana", 11_000)
    assert now == waited("ana", 4_000)
    assert assumed(report)["offers_as_recorded"].numbers == {"offers": 1}


def test_au06_an_offer_of_which_nothing_is_known_takes_the_usual_time(story: Story) -> None:
    story.given(offering(ana=1, ben=1), opened("c1")).after(4).given(accepts("ana", "c1"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=5)).after(60)
    report = simulated(story.log, capacity("ben", 9))
    _, now = differing(report)["c1"]
    assert now == waited("ben", 4_000)
    numbers = {"offers": 1, "after_ms": 4_000, "measured": 1}
    assert assumed(report)["offers_accepted_after"].numbers == numbers


def test_au06_what_is_to_be_claimed_is_claimed_when_somebody_can(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", "c2")).after(600)
    report = simulated(story.log, policies(delivery="manual"))
    (_, c1) = differing(report)["c1"]
    assert c1 == waited("ana", ASSUMED_CLAIM_MS, "manual")
    assert report.simulated.outcome.waiting_still == 1
    assert assumed(report)["claimed_after"].numbers["claims"] == 1


def test_au06_claims_have_no_point_where_it_is_assigned(story: Story) -> None:
    story.given(policy(delivery="manual"), desk(ana=1, ben=2), opened("c1")).after(20)
    story.given(step(ANA, "claim", conversation_id="c1")).after(5)
    story.given(step(ANA, "reply", conversation_id="c1")).after(60)
    report = simulated(story.log, policies(delivery="auto"))
    was, now = differing(report)["c1"]
    assert (was, now) == (waited("ana", 20_000, "manual"), waited("ben", 0))
    assert assumed(report)["acts_not_reached"].numbers == {"acts": 1}
    assert report.simulated.tally is not None
    assert report.simulated.tally.acts == 1


def test_au06_what_waited_to_the_end_is_answered_and_closed_as_usual(story: Story) -> None:
    """Of c2 nothing is known but that it waited: a slot more has it answered like c1."""
    story.given(desk(ana=1), opened("c1")).after(10)
    story.given(step(ANA, "reply", conversation_id="c1")).after(20)
    story.given(step(ANA, "close", conversation_id="c1"), opened("c3"), opened("c2")).after(300)
    report = simulated(story.log, capacity("ana", 2))
    assert report.recorded.outcome.waiting_still == 1
    assert report.simulated.outcome.waiting_still == 0
    assert assumed(report)["answered_after"].numbers == {"replies": 1, "after_ms": 10_000}
    assert assumed(report)["closed_after"].numbers == {"closes": 1, "after_ms": 30_000}


# --- what does not fit ----------------------------------------------------------------------


def test_au06_acts_that_do_not_fit_are_left_out_and_counted(story: Story) -> None:
    """Ben came in and left again; with the conversation his, he has nothing to leave."""
    story.given(desk(ana=2, ben=1), opened("c1"), step(BEN, "join", conversation_id="c1"))
    story.given(step(BEN, "leave", conversation_id="c1")).after(10)
    report = simulated(story.log, capacity("ben", 3))
    assert report.simulated.tally is not None
    assert report.simulated.tally.left_out == {"owns_it_now": 1}
    assert assumed(report)["acts_left_out"].numbers == {"acts": 1}
    assert report.simulated.outcome.assigned == 1


def test_au06_whoever_is_away_does_nothing_in_anothers_place(story: Story) -> None:
    story.given(policy(on_owner_offline="keep"), desk(ana=2, ben=1), opened("c1")).after(5)
    story.given(step(BEN, "log_out", session_id="ben-1")).after(30)
    story.given(step(ANA, "close", conversation_id="c1")).after(600)
    report = simulated(story.log, capacity("ben", 3))
    assert assumed(report)["owner_must_be_there"].numbers == {"acts": 1}
    assert assumed(report)["acts_not_reached"].numbers == {"acts": 1}
    assert differing(report)["c1"][1] == waited("ben", 0)


def test_au06_visitors_write_and_close_at_the_pace_of_the_conversation(story: Story) -> None:
    """Answered five seconds later, the visitor thanks and goes five seconds later."""
    story.given(desk(ana=1), opened("c1")).after(1)
    story.given(step(ANA, "reply", conversation_id="c1")).after(2)
    story.given(step(VISITOR_C1, "write", conversation_id="c1")).after(1)
    story.given(step(VISITOR_C1, "close", conversation_id="c1")).after(4)
    report = simulated(story.given(opened("c2")).log, policies(delivery="offer"))
    assert assumed(report)["visitors_keep_pace"].numbers == {"wrote": 1}
    assert report.simulated.outcome.missed == report.baseline.outcome.missed == 0
    assert assumed(report)["acts_not_reached"].numbers == {"acts": 1}
    assert report.simulated.outcome.waiting_still == 1


def test_au06_who_gave_up_waiting_does_not_if_it_is_answered(story: Story) -> None:
    one_at_a_time(story).given(opened("c3", "c4")).after(30)
    visitor = opened("c4")[0].actor
    story.given(step(visitor, "close", conversation_id="c4")).after(60).given(LATER)
    report = simulated(story.log, capacity("ana", 3))
    assert (report.baseline.outcome.missed, report.simulated.outcome.missed) == (1, 0)
    assert differing(report)["c4"][1] == waited("ana", 0)


def test_au06_who_left_the_page_is_gone_at_the_same_time(story: Story) -> None:
    """Reached by widening after half a minute, the visitor is no longer there."""
    story.given(desk(ana=0), group("experts"), online("cleo", "experts"), opened("c1")).after(2)
    story.given(step(VISITOR_C1, "visitor_left")).after(88).given(LATER)
    wider = [{"after_s": 30, "add_groups": ["experts"]}]
    assert differing(simulated(story.log, policies(widening=wider))) == {}
    keeping = policies(widening=wider, on_visitor_left="keep")
    assert differing(simulated(story.log, keeping))["c1"][1] == waited("cleo", 30_000, "all_full")


# --- what changes -----------------------------------------------------------------------------


def test_au06_changes_outlive_what_was_set_later(story: Story) -> None:
    story.given(desk(ana=9, ben=5), policy(ranking="longest_idle", affinity="off"))
    story.given(policy(ranking="most_free_slots"), opened("c1", "c2", "c3", "c4"))
    report = simulated(story.log, policies(ranking="round_robin"))
    assert [load.assignments for load in report.simulated.outcome.loads] == [2, 2]


def test_au06_a_capacity_outlives_what_was_set_later(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "update_operator", operator_id="ana", skills=["fr"]))
    story.given(opened("c1", "c2", "c3"))
    report = simulated(story.log, capacity("ana", 2))
    assert report.simulated.outcome.assigned == 2
    assert loads(report)["ana"].capacity == 2


def test_au06_whoever_is_not_to_be_a_member_does_not_become_one(story: Story) -> None:
    story.given(desk(ana=1, ben=3), opened("c1"))
    story.given(step(ADMIN, "leave_group", operator_id="ben", group_id="support"))
    change = {"leave_group": {"operator_id": "ben", "group_id": "support"}}
    assert differing(simulated(story.log, change))["c1"][1] == waited("ana", 0)


def test_au06_a_change_of_what_never_was_is_refused(story: Story) -> None:
    story.given(desk(ana=1))
    with pytest.raises(BadChange, match="change 2: unknown_operator: there is no operator dan"):
        simulated(story.log, policies(ranking="round_robin"), capacity("dan", 1))


def test_au06_a_change_that_no_admin_may_make_is_refused(story: Story) -> None:
    story.given(desk(ana=1))
    change = {"scope": {"group": "support"}, "policy": {"idle_timeout_s": 60}}
    with pytest.raises(BadChange) as caught:
        simulated(story.log, change)
    assert caught.value.refused.code == "invalid_policy"
    assert caught.value.refused.detail == {"path": "policy.idle_timeout_s"}


def test_au06_a_group_that_widening_names_may_come_later(story: Story) -> None:
    story.given(desk(ana=0), group("experts"), online("cleo", "experts"), opened("c1")).after(90)
    wider = policies(widening=[{"after_s": 30, "add_groups": ["experts"]}])
    assert simulated(story.log, wider).simulated.outcome.assigned == 1
    with pytest.raises(BadChange, match="there is no group nobody"):
        simulated(story.log, policies(widening=[{"after_s": 30, "add_groups": ["nobody"]}]))


def test_au06_forwards_follow_the_policy_that_they_followed(story: Story) -> None:
    story.given(desk(ana=2, ben=1), opened("c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"operator": "ben"}))
    story.after(60).given(LATER)
    report = simulated(story.log, policies(forward_mode="offer"))
    assert report.simulated.tally is not None
    assert report.simulated.tally.offers_supposed == 1
    assert report.simulated.tally.left_out == {}
    assert loads(report)["ben"].assignments == 1


def test_au06_a_lapsed_connection_ends_when_it_would_have(story: Story) -> None:
    """The grace is a policy: shorter, and the conversation moves on earlier."""
    story.given(policy(on_owner_offline="reassign"), desk(ana=2, ben=1), opened("c1"))
    story.given(lapsed("ana")).after(150).after(50).given(LATER)
    report = simulated(story.log, policies(disconnect_grace_s=10))
    before = {str(load.operator_id): load for load in report.baseline.outcome.loads}["ben"]
    now = loads(report)["ben"]
    assert (before.assignments, now.assignments) == (1, 1)
    assert (before.mean_load_thousandths, now.mean_load_thousandths) == (250, 950)
