"""Shifts of operators: who is on duty, and what a shift's end does not touch."""

import pytest

from shared.routing.events import Actor
from tests.core.phrases import active, idle, lapsed, returned, shift_ended, shift_started
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    VERA,
    Story,
    desk,
    event,
    logged_in,
    online,
    opened,
    policy,
    registered,
    step,
)

NIGHT_S = 12 * 3_600
QUIETLY = policy(on_slow=[])


def test_st07_off_shift_is_offline_whatever_was_chosen(story: Story) -> None:
    story.given(desk(ana=5))
    story.now(shift_ended("ana")).then(
        event("shift_ended", operator_id="ana"),
        event("operator_status_changed", effective="offline", cause="shift_end"),
        event("entry_point_mode_changed", mode="messenger"),
    )
    story.given(step(ANA, "set_status", status="busy"), opened("c1"))
    assert story.status("ana") == ("offline", "shift_end")
    assert story.operator("ana").chosen == "busy"
    assert story.owner("c1") is None


def test_st07_nobody_who_is_off_shift_is_assignable(story: Story) -> None:
    story.given(desk(ana=5), online("ben", capacity=0), shift_ended("ben"), opened("c1"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"}).refused(
        "operator_offline", cause="shift_end"
    )


def test_st07_the_shift_begins_and_what_waits_is_served(story: Story) -> None:
    story.given(desk(ana=5), shift_ended("ana"), opened("c1"))
    story.now(shift_started("ana")).then(
        event("shift_started", operator_id="ana", goes_online=False),
        event("operator_status_changed", effective="online", cause="chosen"),
        event("entry_point_mode_changed", mode="live"),
        event("conversation_assigned", operator_id="ana"),
    )


def test_st07_repeated_reports_write_nothing(story: Story) -> None:
    story.given(desk(ana=5))
    story.now(shift_started("ana")).then()
    story.given(shift_ended("ana"))
    story.now(shift_ended("ana")).then()


@pytest.mark.parametrize(
    "fields", [{}, {"operator_id": "ana", "entry_point_id": "web"}, {"auto_online": True}]
)
def test_st07_a_report_is_about_one_operator_or_one_entry_point(
    story: Story, fields: dict[str, str]
) -> None:
    story.given(desk(ana=5))
    presence = Actor("service", "presence")
    story.when(presence, "shift_started", **fields).refused("malformed")
    story.when(presence, "shift_started", operator_id="x").refused("unknown_operator")
    story.when(presence, "shift_started", entry_point_id="x").refused("unknown_entry_point")
    story.when(ADMIN, "shift_started", operator_id="ana").refused("not_allowed")


# --- what was chosen before -----------------------------------------------------------------


def test_st07_offline_from_before_the_last_shifts_end_is_forgotten(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="offline")).after(60)
    story.given(shift_ended("ana")).after(NIGHT_S)
    story.now(shift_started("ana")).then_among_others(
        event("shift_started", goes_online=True),
        event("operator_status_changed", effective="online", cause="chosen"),
    )
    assert story.operator("ana").chosen == "online"


def test_st07_offline_chosen_after_the_shifts_end_stays(story: Story) -> None:
    story.given(desk(ana=5), shift_ended("ana")).after(60)
    story.given(step(ANA, "set_status", status="offline")).after(NIGHT_S)
    story.now(shift_started("ana")).then_among_others(event("shift_started", goes_online=False))
    assert story.status("ana") == ("offline", "chosen")


def test_st07_without_auto_online_offline_stays(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="offline")).after(60)
    story.given(shift_ended("ana")).after(NIGHT_S)
    story.now(shift_started("ana", auto_online=False)).then_among_others(
        event("shift_started", goes_online=False)
    )
    assert story.status("ana") == ("offline", "chosen")


@pytest.mark.parametrize("status", ["busy", "invisible"])
def test_st07_p05_b07_busy_and_invisible_stay(story: Story, status: str) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status=status)).after(60)
    story.given(shift_ended("ana")).after(NIGHT_S)
    story.given(shift_started("ana"))
    assert story.status("ana") == (status, "chosen")


def test_st07_st06_offline_is_turned_online_by_nothing_but_a_shift(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="offline"))
    story.given(lapsed("ana"), returned("ana"), idle("ana"), active("ana"))
    story.given(logged_in("ana", "2"), shift_started("ana"))
    assert story.status("ana") == ("offline", "chosen")


def test_st07_a_shift_makes_nobody_online_who_is_not_there(story: Story) -> None:
    story.given(desk(), registered("ana", "support"), shift_ended("ana"))
    story.now(shift_started("ana")).then(event("shift_started"))
    assert story.status("ana") == ("offline", "never_logged_in")


def test_st07_a_break_goes_on_over_the_shifts_end(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="busy", for_s=600)).after(60)
    story.given(shift_ended("ana")).after(60).given(shift_started("ana"))
    assert story.status("ana") == ("busy", "chosen")
    story.after(480)
    assert story.status("ana") == ("online", "chosen")


# --- what is running ------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["reassign", "reassign_after", "reassign_on_next_message"])
def test_st07_running_conversations_stay_while_he_is_connected(story: Story, rule: str) -> None:
    story.given(QUIETLY, policy(on_owner_offline=rule), desk(ana=5))
    story.given(step(VERA, "open", conversation_id="c1", entry_point_id="web"))
    story.given(online("ben", "support"), shift_ended("ana")).after(3_600)
    story.given(step(VERA, "write", conversation_id="c1")).after(3_600)
    assert story.owner("c1") == "ana"
    story.when(ANA, "reply", conversation_id="c1").then(event("operator_replied"))


def test_st07_gone_altogether_after_the_shift_the_policy_decides(story: Story) -> None:
    story.given(QUIETLY, policy(on_owner_offline="reassign"), desk(ana=5), opened("c1"))
    story.given(online("ben", "support"), shift_ended("ana"))
    assert story.owner("c1") == "ana"
    story.given(lapsed("ana")).after(150)
    assert story.owner("c1") == "ben"


def test_st07_logging_out_after_the_shift_is_going(story: Story) -> None:
    story.given(QUIETLY, policy(on_owner_offline="reassign"), desk(ana=5), opened("c1"))
    story.given(online("ben", "support"), shift_ended("ana"))
    story.when(ANA, "log_out", session_id="ana-1").then_among_others(
        event("operator_status_changed", effective="offline", cause="logout"),
        event("conversation_assigned", operator_id="ben"),
    )


def test_st07_claiming_is_open_to_whoever_is_off_shift(story: Story) -> None:
    story.given(desk(ana=5), online("ben", "support"), step(BEN, "set_status", status="busy"))
    story.given(shift_ended("ana"), opened("c1"))
    story.given(step(ANA, "claim", conversation_id="c1"))
    assert (story.owner("c1"), story.status("ana")) == ("ana", ("offline", "shift_end"))
