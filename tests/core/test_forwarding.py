"""Moving a conversation by hand."""

import pytest

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
    online,
    opened,
    policy,
    registered,
    step,
)


@pytest.mark.parametrize(
    ("to", "owner"),
    [({"operator": "ben"}, "ben"), ({"group": "x"}, "cleo"), ({"everyone": True}, "ben")],
)
def test_fw01_the_owner_forwards_to_an_operator_a_group_or_everyone(
    story: Story, to: dict[str, object], owner: str
) -> None:
    story.given(desk(ana=1), opened("c1"), online("ben", "support", capacity=9))
    story.given(group("x"), online("cleo", "x"))
    story.when(ANA, "forward", conversation_id="c1", to=to).then_among_others(
        event("conversation_forwarded", to=to, previous_owner="ana", note=None)
    )
    assert story.owner("c1") == owner
    assert story.participants("c1") == []


def test_fw01_an_unowned_one_is_assigned_without_joining(story: Story) -> None:
    story.given(desk(), registered("ana", "support"), opened("c1"), online("ben"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"}).then(
        event("conversation_forwarded", to={"operator": "ben"}, previous_owner=None),
        event("conversation_assigned", operator_id="ben", reason="directed", ranking=None, key=[]),
    )
    assert story.participants("c1") == []


def test_fw01_a_note_goes_along_as_a_reference(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"), online("ben"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"}, note="calls at 5")
    (forwarded,) = story.told("conversation_forwarded")
    assert forwarded["note"] == story.conversation("c1").note
    assert forwarded["note"] is not None
    assert "calls" not in forwarded["note"]


def test_fw01_forwarding_needs_an_open_conversation_that_exists(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"), step(ANA, "close", conversation_id="c1"))
    to = {"everyone": True}
    story.when(ADMIN, "forward", conversation_id="c1", to=to).refused("already_closed")
    story.when(ADMIN, "forward", conversation_id="c2", to=to).refused("unknown_conversation")


def test_fw02_w01_to_somebody_offline_is_refused_and_nothing_changes(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"), registered("ben", "support"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"}).refused(
        "operator_offline", operator_id="ben", cause="never_logged_in"
    )
    assert story.owner("c1") == "ana"
    assert story.scope("c1") == {"entry_point": "web"}


def test_fw02_targets_must_exist(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"), online("ben"))
    story.given(step(ADMIN, "remove_operator", operator_id="ben"))
    for to, code in (
        ({"operator": "nobody"}, "unknown_operator"),
        ({"operator": "ben"}, "operator_removed"),
        ({"group": "nothing"}, "unknown_group"),
        ({"entry_point": "web"}, "malformed"),
    ):
        story.when(ANA, "forward", conversation_id="c1", to=to).refused(code)


@pytest.mark.parametrize("status", ["busy", "invisible"])
def test_fw02_busy_and_invisible_are_assignable_and_may_be_full(story: Story, status: str) -> None:
    story.given(desk(ana=1), opened("c1"), online("ben", capacity=0))
    story.given(step(BEN, "set_status", status=status))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"}).then_among_others(
        event("conversation_assigned", operator_id="ben", excess=True)
    )


def test_fw03_the_delivery_of_the_group_holds(story: Story) -> None:
    story.given(desk(ana=5), group("x"), online("ben", "x"), online("cleo", "x"))
    story.given(policy(group_id="x", delivery="broadcast"), opened("c1", "c2"))
    story.when(ANA, "forward", conversation_id="c1", to={"group": "x"}).then(
        event("conversation_forwarded", to={"group": "x"}),
        event("conversation_queued", hold="broadcast"),
        event("conversation_broadcast", operator_ids=["ben", "cleo"]),
    )
    assert story.owners("c1", "c2") == [None, "ana"]
    assert story.warnings == ()


@pytest.mark.parametrize("delivery", ["auto", "manual", "broadcast"])
def test_fw03_if_nobody_is_reachable_it_waits_there_and_the_answer_says_so(
    story: Story, delivery: str
) -> None:
    story.given(desk(ana=1), group("x"), online("ben", "x"), opened("c1"))
    story.given(policy(group_id="x", delivery=delivery), step(BEN, "set_status", status="busy"))
    story.when(ANA, "forward", conversation_id="c1", to={"group": "x"}).then_among_others(
        event("conversation_queued", reason="nobody_online")
    )
    assert story.warnings == ("nobody_reachable",)
    assert story.owner("c1") is None


def test_fw03_who_is_full_is_reachable(story: Story) -> None:
    story.given(desk(ana=1), group("x"), online("ben", "x", capacity=0), opened("c1"))
    story.when(ANA, "forward", conversation_id="c1", to={"group": "x"})
    assert story.warnings == ()
    assert story.reason("c1") == "all_full"


def test_fw04_w05_the_old_owner_is_out_and_his_slot_is_free(story: Story) -> None:
    story.given(desk(ana=1), group("x"), opened("c1", "c2"), online("ben", capacity=0))
    story.given(step(BEN, "join", conversation_id="c1"))
    story.when(ANA, "forward", conversation_id="c1", to={"group": "x"}).then(
        event("conversation_forwarded", conversation_id="c1", previous_owner="ana"),
        event("conversation_queued", conversation_id="c1", reason="group_empty"),
        event("conversation_assigned", conversation_id="c2", operator_id="ana"),
    )
    assert story.participants("c1") == ["ben"]
    assert list(story.operator("ana").owned) == ["c2"]
    story.when(ANA, "leave", conversation_id="c1").refused("not_involved", owner=None)


def test_fw04_it_is_one_group_of_events(story: Story) -> None:
    story.given(desk(ana=1, ben=1), opened("c1"))
    owner, other = (ANA, BEN) if story.owner("c1") == "ana" else (BEN, ANA)
    story.when(owner, "forward", conversation_id="c1", to={"operator": other.id})
    assert [recorded.envelope.first for recorded in story.last] == [story.last[0].position] * 2
    assert {recorded.envelope.by for recorded in story.last} == {owner}


def test_fw04_w02_to_where_it_is_already_writes_nothing(story: Story) -> None:
    story.given(desk(ana=1), group("x"), online("ben", "x"), opened("c1"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ana"}).then()
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "x"}))
    assert story.owner("c1") == "ben"
    story.when(BEN, "forward", conversation_id="c1", to={"group": "x"}).then()
    story.when(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}).then()
    story.given(step(BEN, "set_status", status="busy"), step(BEN, "release", conversation_id="c1"))
    story.when(ADMIN, "forward", conversation_id="c1", to={"group": "x"}).then()


def test_fw06_age_and_priority_survive(story: Story) -> None:
    story.given(desk(ana=1), group("x"), opened("c1", priority=7)).after(300)
    queued_at = story.conversation("c1").queued_at
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "x"}))
    assert story.conversation("c1").queued_at == queued_at
    assert story.conversation("c1").priority == 7


def test_fw06_earlier_refusals_no_longer_count(story: Story) -> None:
    story.given(desk(ana=5), opened("c1"), step(ANA, "release", conversation_id="c1"))
    assert story.reason("c1") == "all_declined"
    story.when(ADMIN, "forward", conversation_id="c1", to={"group": "support"}).then_among_others(
        event("conversation_assigned", operator_id="ana")
    )


def test_fw08_assigning_again_overrides(story: Story) -> None:
    story.given(desk(), group("a"), group("b"), online("ana"), opened("c1"))
    for to in ({"group": "a"}, {"group": "b"}, {"everyone": True}):
        story.given(step(ADMIN, "forward", conversation_id="c1", to=to))
        assert story.scope("c1") == to
    assert story.owner("c1") == "ana"
    story.given(online("ben"), step(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}))
    assert story.owner("c1") == "ben"
    assert story.scope("c1") == {"operator": "ben"}


def test_fw08_when_an_operators_scope_ends_the_home_scope_holds_again(story: Story) -> None:
    story.given(desk(), group("a"), online("ben"), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "a"}))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}))
    story.given(step(BEN, "release", conversation_id="c1"), online("cleo", "a"))
    assert story.owner("c1") == "cleo"
    assert story.scope("c1") == {"group": "a"}


def test_w15_one_refused_transfer_stops_no_other(story: Story) -> None:
    story.given(desk(ana=3), opened("c1", "c2", "c3"), online("ben", capacity=5))
    story.given(step(ANA, "close", conversation_id="c2"))
    for conversation_id in ("c1", "c2", "c3"):
        story.when(ADMIN, "forward", conversation_id=conversation_id, to={"operator": "ben"})
    assert story.owners("c1", "c3") == ["ben", "ben"]


def test_w16_the_figures_of_both_are_right(story: Story) -> None:
    story.given(desk(ana=3), online("ben", capacity=3), opened("c1", "c2"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"})
    position = story.workspace.position
    ana, ben = story.operator("ana"), story.operator("ben")
    assert (ana.load, ben.load) == (1, 1)
    assert (list(ana.owned), list(ben.owned)) == (["c2"], ["c1"])
    assert (ana.idle_since, ben.idle_since, ben.last_assigned) == (position - 1, position, position)


# --- colleagues -----------------------------------------------------------------------------


def test_fw09_owner_and_participants_add_colleagues(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), online("cleo", capacity=0), opened("c1"))
    story.when(ANA, "add_participant", conversation_id="c1", operator_id="ben").then(
        event("participant_joined", operator_id="ben", added_by="ana")
    )
    story.when(BEN, "add_participant", conversation_id="c1", operator_id="cleo").then(
        event("participant_joined", operator_id="cleo", added_by="ben")
    )
    story.when(ANA, "add_participant", conversation_id="c1", operator_id="ben").then()
    story.when(ANA, "add_participant", conversation_id="c1", operator_id="ana").then()
    assert story.participants("c1") == ["ben", "cleo"]
    assert [story.load(its_id) for its_id in ("ana", "ben", "cleo")] == [1, 0, 0]


def test_fw09_colleagues_must_be_assignable(story: Story) -> None:
    story.given(desk(ana=1), registered("ben"), opened("c1"))
    story.when(ANA, "add_participant", conversation_id="c1", operator_id="ben").refused(
        "operator_offline"
    )
    story.when(ANA, "add_participant", conversation_id="c1", operator_id="x").refused(
        "unknown_operator"
    )


def test_fw09_participants_are_removed_by_those_inside(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), online("cleo"), opened("c1"))
    story.given(step(ANA, "add_participant", conversation_id="c1", operator_id="ben"))
    story.when(CLEO, "remove_participant", conversation_id="c1", operator_id="ben").refused(
        "no_permission"
    )
    story.when(ANA, "remove_participant", conversation_id="c1", operator_id="cleo").refused(
        "not_involved"
    )
    story.when(ANA, "remove_participant", conversation_id="c1", operator_id="ben").then(
        event("participant_left", operator_id="ben")
    )
    assert story.participants("c1") == []


def test_fw09_g01_joining_and_leaving_leaves_it_with_the_owner(story: Story) -> None:
    story.given(desk(ana=1), online("ben", capacity=0), opened("c1"))
    story.given(step(BEN, "join", conversation_id="c1"))
    assert story.owner("c1") == "ana"
    story.when(BEN, "leave", conversation_id="c1").then(event("participant_left"))
    assert story.owner("c1") == "ana"
    assert story.conversation("c1").state == "assigned"
    story.when(BEN, "leave", conversation_id="c1").refused("not_involved", owner="ana")


def test_g03_leaving_after_the_close_opens_nothing(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), opened("c1"), step(BEN, "join", conversation_id="c1"))
    story.given(step(ANA, "close", conversation_id="c1"))
    story.when(BEN, "leave", conversation_id="c1").refused("already_closed")
    story.when(ANA, "leave", conversation_id="c1").refused("already_closed")
    assert story.conversation("c1").state == "closed"


def test_g04_joining_twice_is_joining_once(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), opened("c1"), step(BEN, "join", conversation_id="c1"))
    story.when(BEN, "join", conversation_id="c1").then()
    story.when(ANA, "join", conversation_id="c1").then()
    assert story.participants("c1") == ["ben"]


# --- replying -------------------------------------------------------------------------------


def test_fw10_replying_joins(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), opened("c1"))
    story.when(BEN, "reply", conversation_id="c1").then(
        event("participant_joined", operator_id="ben"), event("operator_replied", channel="chat")
    )
    story.when(BEN, "reply", conversation_id="c1").then(event("operator_replied"))
    story.when(ANA, "reply", conversation_id="c1").then(event("operator_replied"))
    assert story.participants("c1") == ["ben"]


def test_fw10_the_first_reply_to_an_unowned_one_owns_it(story: Story) -> None:
    story.given(desk(ana=0, ben=0), opened("c1"))
    story.when(BEN, "reply", conversation_id="c1").then(
        event("conversation_claimed", operator_id="ben"), event("operator_replied")
    )
    story.when(ANA, "reply", conversation_id="c1")
    assert (story.owner("c1"), story.participants("c1")) == ("ben", ["ana"])


def test_fw10_offline_operators_may_reply_by_mail_and_stay_offline(story: Story) -> None:
    story.given(desk(), registered("ana"), opened("c1"))
    story.when(ANA, "reply", conversation_id="c1", channel="email").then(
        event("conversation_claimed"), event("operator_replied", channel="email")
    )
    assert story.status("ana") == ("offline", "never_logged_in")


# --- leaving --------------------------------------------------------------------------------


def test_fw11_an_owner_who_leaves_hands_over_to_the_longest_participant(story: Story) -> None:
    story.given(desk(ana=1), online("cleo", capacity=0), online("ben"), opened("c1"))
    story.given(step(CLEO, "join", conversation_id="c1"), step(BEN, "join", conversation_id="c1"))
    story.when(ANA, "leave", conversation_id="c1").then(
        event("owner_left", operator_id="ana"),
        event("conversation_assigned", operator_id="cleo", reason="handed_over", excess=True),
    )
    assert story.participants("c1") == ["ben"]


def test_fw11_a_participant_who_is_offline_is_passed_over(story: Story) -> None:
    story.given(desk(ana=1), online("cleo"), online("ben"), opened("c1"))
    story.given(step(CLEO, "join", conversation_id="c1"), step(BEN, "join", conversation_id="c1"))
    story.given(step(CLEO, "set_status", status="offline"))
    story.when(ANA, "leave", conversation_id="c1")
    assert (story.owner("c1"), story.participants("c1")) == ("ben", ["cleo"])


def test_fw11_alone_it_is_routed_in_the_home_scope_without_the_one_who_left(story: Story) -> None:
    story.given(desk(ana=9, ben=0), opened("c1"))
    story.when(ANA, "leave", conversation_id="c1").then(
        event("owner_left"), event("conversation_queued", reason="all_declined")
    )
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=1))
    assert story.owner("c1") == "ben"


def test_fw11_a_release_puts_it_back_and_leaves_participants_in(story: Story) -> None:
    story.given(desk(ana=1, ben=0), opened("c1"), online("cleo"))
    story.given(step(CLEO, "join", conversation_id="c1"))
    story.when(CLEO, "release", conversation_id="c1").refused("not_involved", owner="ana")
    story.when(ANA, "release", conversation_id="c1").then(
        event("conversation_released", operator_id="ana"), event("conversation_queued")
    )
    assert (story.owner("c1"), story.participants("c1")) == (None, ["cleo"])


def test_fw11_it_goes_home_to_a_group_it_was_forwarded_to(story: Story) -> None:
    story.given(desk(ana=1), group("x"), entry_point("app", "x"), online("ben", "x", capacity=1))
    story.given(opened("c1"), step(ANA, "forward", conversation_id="c1", to={"group": "x"}))
    story.given(online("cleo", "x"), step(BEN, "leave", conversation_id="c1"))
    assert story.owner("c1") == "cleo"
