"""How a conversation reaches people: assigned at once, told to all, or left to be claimed."""

import pytest

from tests.core.proof import restore
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
    logged_in,
    online,
    opened,
    policy,
    registered,
    role,
    step,
)


def test_ro02_auto_assigns_at_once(story: Story) -> None:
    story.given(desk(ana=1))
    story.opens("c1").then(
        event("conversation_opened"),
        event("conversation_assigned", operator_id="ana", reason="routed", tie_break="sole"),
    )


def test_ro02_manual_waits_until_somebody_claims_it(story: Story) -> None:
    story.given(desk(ana=5), policy(delivery="manual"))
    story.opens("c1").then(
        event("conversation_opened"), event("conversation_queued", hold="manual")
    )
    story.given(online("ben", "support"), step(ANA, "set_status", status="busy"))
    assert story.owner("c1") is None
    story.when(ANA, "claim", conversation_id="c1").then(
        event("conversation_claimed", operator_id="ana")
    )
    story.when(ANA, "claim", conversation_id="c1").then()


def test_ro02_a_broadcast_tells_all_routable_members_and_uses_no_slot(story: Story) -> None:
    story.given(desk(ana=0, ben=1, cleo=1), policy(delivery="broadcast"), online("stranger"))
    story.given(registered("dan", "support"), step(CLEO, "set_status", status="busy"))
    story.opens("c1").then(
        event("conversation_opened"),
        event("conversation_queued", hold="broadcast", reason="broadcast"),
        event("conversation_broadcast", conversation_id="c1", operator_ids=["ana", "ben"]),
    )
    assert (story.load("ana"), story.load("ben")) == (0, 0)


def test_ro02_whoever_becomes_a_routable_member_is_told_once(story: Story) -> None:
    story.given(desk(ana=1), policy(delivery="broadcast"), opened("c1", "c2"))
    story.given(registered("ben", "support"), online("cleo"), role("none"))
    story.given(registered("dan", "support", role_id="none"), logged_in("dan"))
    told = [
        event("conversation_broadcast", conversation_id="c1", operator_ids=["ben"]),
        event("conversation_broadcast", conversation_id="c2", operator_ids=["ben"]),
    ]
    story.now(logged_in("ben")).then_among_others(*told)
    story.given(step(BEN, "set_status", status="busy"))
    story.when(BEN, "set_status", status="online").never("conversation_broadcast")
    story.when(ADMIN, "join_group", operator_id="cleo", group_id="support").then_among_others(
        event("conversation_broadcast", conversation_id="c1", operator_ids=["cleo"])
    )
    story.now(role("none", assigned="write", unassigned="write")).then_among_others(
        event("conversation_broadcast", conversation_id="c1", operator_ids=["dan"])
    )
    heard = [told["operator_ids"] for told in story.told("conversation_broadcast")]
    assert heard == [["ana"], ["ana"], *[["ben"]] * 2, *[["cleo"]] * 2, *[["dan"]] * 2]


def test_ro02_an_arrival_hears_of_several_groups_in_an_order_that_restarts_keep(
    story: Story,
) -> None:
    story.given(group("a"), group("b"), entry_point("late", "b"), entry_point("early", "a"))
    story.given(policy(delivery="broadcast"), registered("ana", "a", "b"))
    story.given(opened("c1", entry_point_id="late"), opened("c2", entry_point_id="early"))
    story.workspace = restore(story.workspace)
    story.given(step(ADMIN, "set_conversation", conversation_id="c1", priority=6))
    story.given(logged_in("ana"))
    told = [told["conversation_id"] for told in story.told("conversation_broadcast")]
    assert told == ["c2", "c1"]


def test_ro02_nobody_there_to_tell_and_then_somebody_is(story: Story) -> None:
    story.given(desk(), policy(delivery="broadcast"), opened("c1"))
    assert story.told("conversation_broadcast") == []
    story.now(online("ana")[:1])
    story.given(step(ADMIN, "join_group", operator_id="ana", group_id="support"))
    story.now(logged_in("ana")).then_among_others(
        event("conversation_broadcast", operator_ids=["ana"])
    )


@pytest.mark.parametrize("how", ["claim", "join", "reply"])
def test_ro02_the_first_to_claim_join_or_reply_owns_the_broadcast(story: Story, how: str) -> None:
    story.given(desk(ana=1, ben=1), policy(delivery="broadcast"), opened("c1"))
    story.when(BEN, how, conversation_id="c1").then_among_others(
        event("conversation_claimed", operator_id="ben")
    )
    assert story.owner("c1") == "ben"
    assert story.load("ben") == 1
    story.given(online("cleo", "support"))
    assert story.told("conversation_broadcast")[-1]["operator_ids"] == ["ana", "ben"]


def test_ro02_claims_are_open_to_strangers_and_may_exceed_capacity(story: Story) -> None:
    story.given(desk(ana=1), group("x"), online("ben", "x", capacity=1), opened("c1", "c2", "c3"))
    story.given(step(BEN, "claim", conversation_id="c2"), step(BEN, "claim", conversation_id="c3"))
    assert story.owners("c1", "c2", "c3") == ["ana", "ben", "ben"]
    assert story.load("ben") == 2
    story.given(step(ANA, "join", conversation_id="c3"))
    assert story.participants("c3") == ["ana"]


def test_ro02_claims_need_no_online_status(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", "c2"), step(ANA, "log_out", session_id="ana-1"))
    story.when(ANA, "claim", conversation_id="c2").then(event("conversation_claimed"))
    assert story.status("ana") == ("offline", "logout")


def test_ro02_delivery_comes_from_the_group_of_the_scope(story: Story) -> None:
    story.given(desk(ana=5), group("x"), online("ben", "x", capacity=5))
    story.given(policy(delivery="manual"), policy(group_id="support", delivery="auto"))
    story.given(policy(entry_point_id="web", delivery="broadcast"), opened("c1"))
    assert story.owner("c1") == "ana"
    story.given(entry_point("web", "support", "x"), opened("c2"))
    assert story.reason("c2") == "broadcast"
    story.given(step(ADMIN, "clear_policy", scope={"entry_point": "web"}))
    assert story.reason("c2") == "manual"
    story.given(policy(delivery=None))
    assert story.owner("c2") == "ben"


@pytest.mark.parametrize("delivery", ["manual", "broadcast"])
def test_f10_once_switched_from_automatic_nothing_is_pushed(story: Story, delivery: str) -> None:
    story.given(desk(ana=1), opened("c1", "c2"))
    story.now(policy(delivery=delivery)).then_among_others(
        event("conversation_queued", conversation_id="c2", hold=delivery)
    )
    story.when(ANA, "close", conversation_id="c1").then(event("conversation_closed"))
    story.opens("c3").never("conversation_assigned")
    story.now(policy(delivery="auto")).then_among_others(
        event("policy_set"), event("conversation_assigned", conversation_id="c2")
    )
    assert story.owners("c2", "c3") == ["ana", None]


def test_f10_a_policy_is_recorded_with_the_decisions_made_under_it(story: Story) -> None:
    story.given(desk(ana=5), opened("c1"), policy(ranking="fewest_open"))
    position = story.workspace.position
    story.given(opened("c2"))
    versions = [told["policy_version"] for told in story.told("conversation_assigned")]
    assert versions == [0, position]
    story.now(policy(ranking="fewest_open")).then()
    story.when(ADMIN, "clear_policy", scope={"group": "support"}).then()
    story.when(ADMIN, "clear_policy", scope={"group": "no"}).refused("unknown_group")
    story.when(ADMIN, "clear_policy", scope={"entry_point": "no"}).refused("unknown_entry_point")


# --- two at once ----------------------------------------------------------------------------


def test_ro15_r01_of_two_claims_one_wins_and_the_other_learns_who(story: Story) -> None:
    story.given(desk(ana=1, ben=1), policy(delivery="manual"), opened("c1"))
    story.when(BEN, "claim", conversation_id="c1").then(
        event("conversation_claimed", operator_id="ben")
    )
    story.when(ANA, "claim", conversation_id="c1").refused("already_owned", owner="ben")
    assert len(story.told("conversation_claimed")) == 1
    assert story.load("ana") == 0


def test_ro15_at_any_position_there_is_at_most_one_owner(story: Story) -> None:
    story.given(desk(ana=1, ben=1), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"operator": "ana"}))
    assert story.owner("c1") == "ana"
    assert story.owned("ana", "ben") == [1, 0]


def test_r03_what_a_supervisor_assigned_first_stays(story: Story) -> None:
    story.given(desk(ana=0, ben=0), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}))
    story.when(ADMIN, "update_operator", operator_id="ana", capacity=5).then(
        event("operator_updated")
    )
    assert story.owner("c1") == "ben"


def test_r10_a_close_signalled_twice_frees_one_slot(story: Story) -> None:
    story.given(desk(ana=2), opened("c1", "c2", "c3"))
    story.when(ANA, "close", conversation_id="c1").then(
        event("conversation_closed", owner="ana"),
        event("conversation_assigned", conversation_id="c3"),
    )
    story.when(ADMIN, "close", conversation_id="c1").refused("already_closed")
    assert story.load("ana") == 2


def test_r13_of_ten_waiting_one_goes_to_the_one_free_slot(story: Story) -> None:
    waiting = [f"c{number}" for number in range(10)]
    story.given(desk(), opened(*waiting), online("ana", "support", capacity=1))
    assert story.owners(*waiting) == ["ana", *[None] * 9]
    assert len(story.told("conversation_assigned")) == 1


def test_r15_of_two_who_take_the_same_transfer_one_wins(story: Story) -> None:
    story.given(desk(ana=5), group("x"), online("ben", "x"), online("cleo", "x"))
    story.given(policy(group_id="x", delivery="broadcast"), opened("c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "x"}))
    assert story.told("conversation_broadcast")[-1]["operator_ids"] == ["ben", "cleo"]
    story.given(step(CLEO, "claim", conversation_id="c1"))
    story.when(BEN, "claim", conversation_id="c1").refused("already_owned", owner="cleo")


def test_r01_a_retried_command_changes_nothing_and_a_reused_id_is_refused(story: Story) -> None:
    story.given(desk(ana=1, ben=1), policy(delivery="manual"), opened("c1"))
    story.when(ANA, "claim", conversation_id="c1", cmd="k1").then(event("conversation_claimed"))
    position = story.workspace.position
    story.given(step(ANA, "release", conversation_id="c1"))
    story.when(ANA, "claim", conversation_id="c1", cmd="k1")
    assert story.repeated is not None
    assert story.repeated.position == position
    assert story.owner("c1") is None
    story.when(ANA, "join", conversation_id="c1", cmd="k1").refused("command_id_reused")
    story.when(BEN, "claim", conversation_id="c1", cmd="k1").then(event("conversation_claimed"))
