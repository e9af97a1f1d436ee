"""Status: what is chosen, what holds, and what brings it back."""

import pytest

from tests.core.story import (
    ADMIN,
    ANA,
    BEGINNING,
    BEN,
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


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_st01_an_operator_chooses_a_status(story: Story, status: str) -> None:
    story.given(desk(ana=1))
    story.when(ANA, "set_status", status=status)
    story.then_among_others(
        event("status_chosen", operator_id="ana", status=status, until=None, afterwards=None),
        event("operator_status_changed", operator_id="ana", effective=status, cause="chosen"),
    )
    story.when(ANA, "set_status", status="online")
    assert story.status("ana") == ("online", "chosen")


def test_st01_offline_is_refused_where_the_policy_denies_it(story: Story) -> None:
    story.given(desk(ana=1), policy(manual_offline="deny"))
    story.when(ANA, "set_status", status="offline").refused("status_not_selectable")
    story.when(ANA, "set_status", status="offline", for_s=60).refused("status_not_selectable")
    story.when(ANA, "set_status", status="busy")
    assert story.status("ana") == ("busy", "chosen")


def test_st01_denying_offline_is_for_the_whole_workspace_only(story: Story) -> None:
    story.given(desk(ana=1))
    deny = {"manual_offline": "deny"}
    story.when(ADMIN, "set_policy", scope={"group": "support"}, policy=deny)
    story.refused("invalid_policy", path="policy.manual_offline")


def test_st01_after_a_break_the_previous_choice_returns(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", "c2"))
    story.when(ANA, "set_status", status="busy", for_s=600)
    story.then_among_others(
        event("status_chosen", status="busy", until=BEGINNING + 600_000, afterwards="online")
    )
    story.given(step(ANA, "close", conversation_id="c1"))
    story.after(599).then(event("conversation_slow"))
    assert story.owner("c2") is None
    story.after(1).then(
        event("status_break_ended", operator_id="ana", status="online", due=BEGINNING + 600_000),
        event("operator_status_changed", effective="online", cause="chosen"),
        event("entry_point_mode_changed", entry_point_id="web", mode="live"),
        event("conversation_assigned", conversation_id="c2", operator_id="ana"),
    )


def test_st01_a_break_within_a_break_returns_to_what_was_before_both(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status="invisible"))
    story.given(step(ANA, "set_status", status="busy", for_s=600)).after(60)
    story.when(ANA, "set_status", status="offline", for_s=60)
    story.then_among_others(event("status_chosen", status="offline", afterwards="invisible"))
    story.after(60).then_among_others(event("status_break_ended", status="invisible"))
    story.after(600).then()


def test_st01_choosing_ends_the_break(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status="busy", for_s=600))
    story.when(ANA, "set_status", status="busy").then(event("status_chosen", until=None))
    story.after(600).then()
    assert story.status("ana") == ("busy", "chosen")


def test_st01_breaks_that_end_together_end_one_after_the_other(story: Story) -> None:
    story.given(desk(ben=1, ana=1), opened("c1", "c2", "c3", "c4"))
    story.given(step(BEN, "set_status", status="busy", for_s=60))
    story.given(step(ANA, "set_status", status="busy", for_s=30))
    story.given(*(step(ADMIN, "close", conversation_id=done) for done in ("c1", "c2")))
    story.after(3_600).then_among_others(
        event("status_break_ended", operator_id="ana", due=BEGINNING + 30_000),
        event("conversation_assigned", conversation_id="c3", operator_id="ana"),
        event("status_break_ended", operator_id="ben", due=BEGINNING + 60_000),
        event("conversation_assigned", conversation_id="c4", operator_id="ben"),
    )


def test_st02_what_was_chosen_outlives_the_connection(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status="busy"))
    story.when(ANA, "log_out", session_id="ana-1")
    assert story.operator("ana").chosen == "busy"
    assert story.status("ana") == ("offline", "logout")
    story.when(ANA, "set_status", status="invisible")
    assert story.operator("ana").chosen == "invisible"
    assert story.status("ana") == ("offline", "logout")


def test_st04_the_last_log_out_is_offline_at_once(story: Story) -> None:
    story.given(desk(ana=1), logged_in("ana", "phone"))
    story.when(ANA, "log_out", session_id="ana-1").then(event("operator_logged_out"))
    assert story.status("ana") == ("online", "chosen")
    story.when(ANA, "log_out", session_id="phone").then(
        event("operator_logged_out", session_id="phone"),
        event("operator_status_changed", effective="offline", cause="logout"),
        event("entry_point_mode_changed", mode="messenger"),
    )
    story.when(ANA, "log_out", session_id="phone").then()


def test_st04_an_admin_logs_out_all_sessions_of_an_operator(story: Story) -> None:
    story.given(desk(ana=1), logged_in("ana", "phone"))
    story.when(ADMIN, "log_out_operator", operator_id="ana").then_among_others(
        event("operator_logged_out", session_id=None),
        event("operator_status_changed", effective="offline", cause="logout"),
    )
    story.when(ADMIN, "log_out_operator", operator_id="ana").then()


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_st06_p05_the_chosen_status_is_back_after_the_next_log_in(
    story: Story, status: str
) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status=status))
    story.given(step(ANA, "log_out", session_id="ana-1"), opened("c1"))
    story.when(ANA, "log_in", session_id="ana-2").never("conversation_assigned")
    assert story.status("ana") == (status, "chosen")
    assert story.owner("c1") is None


def test_st06_a_new_operator_is_offline_until_the_first_log_in(story: Story) -> None:
    story.given(registered("ana"))
    assert story.operator("ana").chosen == "online"
    assert story.status("ana") == ("offline", "never_logged_in")
    story.when(ANA, "log_in", session_id="s").then(
        event("operator_logged_in"),
        event("operator_status_changed", effective="online", cause="chosen"),
    )


def test_st08_busy_is_passed_over_but_a_person_may_direct_there(story: Story) -> None:
    story.given(desk(ana=5, ben=5), step(ANA, "set_status", status="busy"), opened("c1", "c2"))
    assert story.owners("c1", "c2") == ["ben", "ben"]
    story.when(BEN, "forward", conversation_id="c1", to={"operator": "ana"})
    assert story.owner("c1") == "ana"


def test_st09_invisible_is_not_routable_and_visitors_see_offline(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="invisible"))
    assert story.mode("web") == "messenger"
    story.given(opened("c1"))
    assert story.owner("c1") is None
    assert story.conversation("c1").entry_mode == "messenger"


def test_st09_invisible_is_assignable_and_may_join_by_replying(story: Story) -> None:
    story.given(desk(ana=5, ben=5), step(ANA, "set_status", status="invisible"))
    story.given(opened("c1", "c2"))
    story.when(BEN, "forward", conversation_id="c1", to={"operator": "ana"})
    assert story.owner("c1") == "ana"
    story.when(ANA, "reply", conversation_id="c2").then(
        event("participant_joined", operator_id="ana", added_by=None), event("operator_replied")
    )
    assert story.status("ana") == ("invisible", "chosen")


def test_st11_the_status_comes_with_the_first_cause_that_holds(story: Story) -> None:
    story.given(group("support"), entry_point("web", "support"), registered("ana"))
    assert story.status("ana") == ("offline", "never_logged_in")
    story.given(step(ANA, "set_status", status="busy"))
    assert story.status("ana") == ("offline", "never_logged_in")
    story.given(logged_in("ana"))
    assert story.status("ana") == ("busy", "chosen")
    story.given(step(ANA, "log_out", session_id="ana-1"))
    assert story.status("ana") == ("offline", "logout")
    story.given(step(ANA, "set_status", status="offline"), logged_in("ana", "2"))
    assert story.status("ana") == ("offline", "chosen")


def test_st12_repeating_a_status_writes_nothing(story: Story) -> None:
    story.given(desk(ana=1))
    story.when(ANA, "set_status", status="online").then()
    story.given(step(ANA, "set_status", status="busy"))
    story.when(ANA, "set_status", status="busy").then()
    story.when(ANA, "log_in", session_id="ana-1").then()


def test_st12_each_change_of_the_effective_status_is_one_event(story: Story) -> None:
    story.given(group("support"), entry_point("web", "support"), online("ana"))
    story.given(step(ANA, "set_status", status="busy"), logged_in("ana", "phone"))
    story.given(step(ANA, "set_status", status="busy", for_s=60)).after(60)
    story.given(step(ANA, "log_out", session_id="phone"), step(ANA, "set_status", status="online"))
    changes = [fields["effective"] for fields in story.told("operator_status_changed")]
    assert changes == ["online", "busy", "online"]


def test_st14_online_may_be_chosen_from_within_a_conversation(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status="invisible"), opened("c1"))
    story.when(ANA, "set_status", status="online", conversation_id="c1").then_among_others(
        event("status_chosen", status="online", conversation_id="c1"),
        event("conversation_assigned", conversation_id="c1", operator_id="ana"),
    )
    story.when(ANA, "set_status", status="busy", conversation_id="no").refused(
        "unknown_conversation"
    )


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_p06_only_online_is_routable(story: Story, status: str) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status=status), opened("c1"))
    assert story.owner("c1") is None
    assert story.reason("c1") == "nobody_online"


def test_p10_who_went_offline_is_not_chosen_at_the_next_position(story: Story) -> None:
    story.given(desk(ana=5, ben=1), step(ANA, "log_out", session_id="ana-1"))
    story.opens("c1").then_among_others(
        event("conversation_assigned", operator_id="ben", pool_size=1, tie_break="sole")
    )
