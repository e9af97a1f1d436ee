"""Connections, their loss and their return; idleness; breaks: what presence reports and implies."""

from typing import Any

import pytest

from shared.routing.events import Actor
from tests.core.phrases import active, idle, lapsed, returned, shift_ended
from tests.core.story import (
    ADMIN,
    ANA,
    BEGINNING,
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
    registered,
    step,
)

GRACE_S = 150
QUIETLY = policy(on_slow=[])

# --- what is reported -----------------------------------------------------------------------


def test_st03_only_the_presence_service_reports(story: Story) -> None:
    story.given(desk(ana=1))
    fields = {"operator_id": "ana", "session_id": "ana-1"}
    for actor in (ANA, ADMIN, Actor("service", "shop")):
        story.when(actor, "session_lapsed", **fields).refused("not_allowed")


def test_st03_reports_about_the_unknown_are_refused_or_write_nothing(story: Story) -> None:
    story.given(desk(ana=1))
    story.now(lapsed("ana", "never-seen")).then()
    story.now(returned("ana")).then()
    story.now(lapsed("nobody")).refused("unknown_operator")
    story.now(idle("nobody")).refused("unknown_operator")


def test_st03_reporting_twice_writes_once(story: Story) -> None:
    story.given(desk(ana=1), lapsed("ana"))
    story.now(lapsed("ana")).then()
    story.given(returned("ana"), idle("ana"))
    story.now(returned("ana")).then()
    story.now(idle("ana")).then()
    story.given(active("ana"))
    story.now(active("ana")).then()


# --- the lease ------------------------------------------------------------------------------


def test_st03_connected_while_any_device_lives(story: Story) -> None:
    story.given(QUIETLY, desk(ana=5), logged_in("ana", "phone"))
    story.now(lapsed("ana")).then(event("session_lapsed", session_id="ana-1"))
    assert story.operator("ana").connected
    story.given(opened("c1")).after(3_600).then()
    assert story.owner("c1") == "ana"


def test_st03_with_the_last_one_no_new_work_comes_at_once(story: Story) -> None:
    story.given(desk(ana=5), logged_in("ana", "phone"), lapsed("ana"))
    story.now(lapsed("ana", "phone")).then(event("session_lapsed", session_id="phone"))
    story.given(opened("c1"))
    assert story.owner("c1") is None
    assert story.status("ana") == ("online", "chosen")


def test_st03_still_assignable_and_entry_points_as_they_were(story: Story) -> None:
    story.given(desk(ana=5), online("ben"), opened("c1", "c2"), lapsed("ana"))
    assert story.mode("web") == "live"
    story.when(ANA, "reply", conversation_id="c1").then(event("operator_replied"))
    story.given(opened("c3"), step(BEN, "claim", conversation_id="c3"))
    story.given(step(BEN, "forward", conversation_id="c3", to={"operator": "ana"}))
    assert (story.owner("c3"), story.conversation("c3").entry_mode) == ("ana", "live")


def test_st03_p02_back_within_the_grace_it_is_one_event_and_nothing_else(story: Story) -> None:
    story.given(QUIETLY, desk(ana=5), opened("c1"), lapsed("ana")).after(GRACE_S - 1).then()
    story.now(returned("ana")).then(event("session_returned", session_id="ana-1"))
    story.after(86_400).then()
    assert story.status("ana") == ("online", "chosen")
    assert story.owner("c1") == "ana"


def test_st03_back_within_the_grace_he_gets_what_waited(story: Story) -> None:
    story.given(desk(ana=5), lapsed("ana"), opened("c1"))
    story.now(returned("ana")).then(
        event("session_returned"), event("conversation_assigned", operator_id="ana")
    )


def test_st03_a_new_device_within_the_grace_is_a_return_too(story: Story) -> None:
    story.given(QUIETLY, desk(ana=5), lapsed("ana"))
    story.now(logged_in("ana", "phone")).then(event("operator_logged_in", session_id="phone"))
    story.after(GRACE_S).then()


def test_st03_p03_the_machine_dies_and_after_the_grace_he_is_offline(story: Story) -> None:
    story.given(QUIETLY, policy(on_owner_offline="reassign"), desk(ana=5), opened("c1"))
    story.given(online("ben", "support", capacity=1), lapsed("ana")).after(GRACE_S - 1).then()
    assert story.owner("c1") == "ana"
    story.after(1).then(
        event("disconnect_grace_ended", operator_id="ana", due=BEGINNING + GRACE_S * 1_000),
        event("operator_status_changed", effective="offline", cause="disconnected"),
        event("conversation_reassigned", operator_id="ana", reason="owner_offline"),
        event("conversation_assigned", operator_id="ben"),
    )


def test_st03_the_grace_runs_from_the_lapse_of_the_last_device(story: Story) -> None:
    story.given(QUIETLY, desk(ana=5), logged_in("ana", "phone"), lapsed("ana")).after(100)
    story.given(lapsed("ana", "phone")).after(GRACE_S - 1).then()
    story.after(1).then_among_others(
        event("disconnect_grace_ended", due=BEGINNING + (100 + GRACE_S) * 1_000)
    )


def test_st03_how_long_the_grace_is_is_a_policy(story: Story) -> None:
    story.given(policy(disconnect_grace_s=20), desk(ana=5), lapsed("ana")).after(19).then()
    story.after(1)
    assert story.status("ana") == ("offline", "disconnected")
    assert story.mode("web") == "messenger"


def test_st03_after_the_grace_any_device_brings_him_back(story: Story) -> None:
    story.given(desk(ana=5), lapsed("ana")).after(GRACE_S)
    story.now(returned("ana")).then(
        event("session_returned"),
        event("operator_status_changed", effective="online", cause="chosen"),
        event("entry_point_mode_changed", mode="live"),
    )
    story.given(lapsed("ana")).after(GRACE_S)
    story.given(logged_in("ana", "phone"))
    assert story.status("ana") == ("online", "chosen")


def test_st03_devices_that_fell_silent_long_ago_do_not_keep_new_ones_out(story: Story) -> None:
    story.given(registered("ana"))
    for day in range(120):
        story.given(logged_in("ana", f"day-{day}"), lapsed("ana", f"day-{day}"))
    story.given(logged_in("ana", "today"))
    assert story.operator("ana").connected
    story.now(returned("ana", "day-119")).then(event("session_returned"))
    for device in range(98):
        story.given(logged_in("ana", f"device-{device}"))
    story.now(logged_in("ana", "one-more")).refused("too_many")


def test_st03_st13_the_grace_ends_at_its_instant_however_long_nobody_looked(story: Story) -> None:
    story.given(QUIETLY, desk(ana=5), lapsed("ana")).after(86_400).then(
        event("disconnect_grace_ended", operator_id="ana", due=BEGINNING + GRACE_S * 1_000),
        event("operator_status_changed", effective="offline", cause="disconnected"),
        event("entry_point_mode_changed", mode="messenger"),
    )
    assert [recorded.envelope.at for recorded in story.last] == [story.at] * 3


def test_st13_after_a_pause_graces_end_before_any_later_command_is_decided(story: Story) -> None:
    story.given(QUIETLY, desk(ana=5), lapsed("ana"))
    story.after(3_600)
    story.given(returned("ana"))
    names = [fields["effective"] for fields in story.told("operator_status_changed")]
    assert names == ["online", "offline", "online"]


# --- leaving by oneself ---------------------------------------------------------------------


def test_st04_logging_out_of_the_last_living_device_is_offline_at_once(story: Story) -> None:
    story.given(desk(ana=5), logged_in("ana", "phone"), lapsed("ana", "phone"))
    story.when(ANA, "log_out", session_id="ana-1").then(
        event("operator_logged_out", session_id="ana-1"),
        event("operator_status_changed", effective="offline", cause="logout"),
        event("entry_point_mode_changed", mode="messenger"),
    )
    story.after(3_600).then()
    story.now(returned("ana", "phone")).then_among_others(
        event("session_returned"), event("operator_status_changed", effective="online")
    )


def test_st04_a_late_sign_of_what_was_logged_out_changes_nothing(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "log_out", session_id="ana-1"))
    story.now(returned("ana")).then()
    story.now(lapsed("ana")).then()
    story.now(active("ana")).then()
    story.after(3_600).then()
    assert story.status("ana") == ("offline", "logout")


def test_st04_logging_out_within_the_grace_ends_the_grace(story: Story) -> None:
    story.given(desk(ana=5), lapsed("ana")).after(10)
    story.when(ANA, "log_out", session_id="ana-1").then_among_others(
        event("operator_status_changed", effective="offline", cause="logout")
    )
    story.after(3_600).never("disconnect_grace_ended")


def test_st04_logging_out_after_the_grace_changes_the_cause(story: Story) -> None:
    story.given(desk(ana=5), lapsed("ana")).after(GRACE_S)
    story.when(ADMIN, "log_out_operator", operator_id="ana").then(
        event("operator_logged_out", session_id=None),
        event("operator_status_changed", effective="offline", cause="logout"),
    )


# --- idleness -------------------------------------------------------------------------------


def test_st05_idle_is_offline_although_connected(story: Story) -> None:
    story.given(desk(ana=5), opened("c1"))
    story.now(idle("ana")).then(
        event("operator_idle", operator_id="ana"),
        event("operator_status_changed", effective="offline", cause="idle"),
        event("entry_point_mode_changed", mode="messenger"),
    )
    assert story.operator("ana").connected
    assert story.owner("c1") == "ana"


def test_st05_st06_activity_brings_the_chosen_status_back(story: Story) -> None:
    story.given(desk(ana=5), idle("ana"), opened("c1"))
    story.now(active("ana")).then(
        event("operator_active"),
        event("operator_status_changed", effective="online", cause="chosen"),
        event("entry_point_mode_changed", mode="live"),
        event("conversation_assigned", operator_id="ana"),
    )


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("claim", {"conversation_id": "c2"}),
        ("reply", {"conversation_id": "c1"}),
        ("set_conversation", {"conversation_id": "c1", "priority": 9}),
        ("set_preferences", {"reachable_when_slow": True}),
        ("assign_visitor", {"visitor_id": "v", "to": {"everyone": True}}),
        ("log_in", {"session_id": "phone"}),
        ("log_in", {"session_id": "ana-1"}),
        ("set_status", {"status": "online"}),
        ("claim", {"conversation_id": "c1"}),
    ],
)
def test_st05_any_accepted_command_is_activity_even_one_that_changes_nothing(
    story: Story, command: str, fields: dict[str, Any]
) -> None:
    story.given(desk(ana=5), opened("c1"), policy(delivery="manual"), opened("c2"), idle("ana"))
    story.when(ANA, command, **fields).then_among_others(
        event("operator_active", operator_id="ana"),
        event("operator_status_changed", effective="online", cause="chosen"),
    )


def test_st05_a_refused_command_is_none(story: Story) -> None:
    story.given(desk(ana=5), idle("ana"))
    story.when(ANA, "claim", conversation_id="no").refused("unknown_conversation")
    assert story.status("ana") == ("offline", "idle")


def test_st05_logging_out_while_idle_does_not_show_online_in_between(story: Story) -> None:
    story.given(desk(ana=5), idle("ana"))
    story.when(ANA, "log_out", session_id="ana-1").then(
        event("operator_active"),
        event("operator_logged_out"),
        event("operator_status_changed", effective="offline", cause="logout"),
    )


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_st06_p05_what_was_chosen_is_back_after_reconnecting_and_activity(
    story: Story, status: str
) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status=status), lapsed("ana")).after(GRACE_S)
    story.given(returned("ana"))
    assert story.status("ana") == (status, "chosen")
    story.given(idle("ana"))
    assert story.status("ana") == ("offline", "idle")
    story.given(active("ana"))
    assert story.status("ana") == (status, "chosen")


def test_st06_a_returning_connection_is_no_longer_idle(story: Story) -> None:
    story.given(desk(ana=5), idle("ana"), lapsed("ana"))
    story.now(returned("ana")).then_among_others(
        event("session_returned"), event("operator_status_changed", effective="online")
    )


# --- what holds -----------------------------------------------------------------------------


def test_st02_three_facts_stand_side_by_side(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="busy"), shift_ended("ana"))
    story.given(lapsed("ana")).after(GRACE_S)
    ana = story.operator("ana")
    assert (ana.chosen, ana.connected, ana.off_shift) == ("busy", False, True)
    story.given(step(ANA, "set_status", status="invisible"))
    assert (ana.chosen, ana.connected, ana.off_shift) == ("invisible", False, True)
    assert story.status("ana") == ("offline", "disconnected")


def test_st11_causes_hold_in_their_order(story: Story) -> None:
    story.given(group("support"), entry_point("web", "support"), registered("ana", "support"))
    causes = [story.status("ana")[1]]
    story.given(policy(delivery="offer", unresponsive_after=1), logged_in("ana"))
    story.given(opened("c1")).after(30)
    story.given(idle("ana"), shift_ended("ana"), lapsed("ana")).after(GRACE_S)
    story.given(step(ADMIN, "log_out_operator", operator_id="ana"))
    causes += [
        fields["cause"]
        for fields in story.told("operator_status_changed")
        if fields["operator_id"] == "ana"
    ]
    assert causes == [
        "never_logged_in",
        "chosen",
        "unresponsive",
        "idle",
        "shift_end",
        "disconnected",
        "logout",
    ]


def test_st12_a_change_of_the_cause_alone_is_a_change(story: Story) -> None:
    story.given(desk(ana=5), idle("ana"))
    story.now(shift_ended("ana")).then(
        event("shift_ended"),
        event("operator_status_changed", effective="offline", cause="shift_end"),
    )
    story.given(lapsed("ana")).after(GRACE_S).then(
        event("disconnect_grace_ended"),
        event("operator_status_changed", effective="offline", cause="disconnected"),
    )


def test_st12_what_does_not_show_is_no_change(story: Story) -> None:
    story.given(desk(ana=5), shift_ended("ana"))
    story.now(idle("ana")).then(event("operator_idle"))
    story.now(active("ana")).then(event("operator_active"))
    story.when(ANA, "set_status", status="busy").then(event("status_chosen"))


@pytest.mark.parametrize("absent", [idle("ana"), lapsed("ana"), shift_ended("ana")])
def test_p06_whoever_is_not_plainly_online_and_connected_gets_nothing(
    story: Story, absent: Steps
) -> None:
    story.given(desk(ana=5), absent, opened("c1"))
    assert story.owner("c1") is None


# --- breaks ---------------------------------------------------------------------------------


def test_st01_a_break_ends_while_nobody_is_connected(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="busy", for_s=600))
    story.given(lapsed("ana")).after(600).then_among_others(
        event("disconnect_grace_ended"),
        event("operator_status_changed", cause="disconnected"),
        event("status_break_ended", status="online", due=BEGINNING + 600_000),
    )
    story.given(returned("ana"))
    assert story.status("ana") == ("online", "chosen")


def test_st01_a_break_survives_a_log_out_and_a_log_in(story: Story) -> None:
    story.given(desk(ana=5), step(ANA, "set_status", status="invisible", for_s=600))
    story.given(step(ANA, "log_out", session_id="ana-1"), logged_in("ana", "2"))
    assert story.status("ana") == ("invisible", "chosen")
    story.after(600)
    assert story.status("ana") == ("online", "chosen")


# --- bots -----------------------------------------------------------------------------------


def test_p11_a_bot_has_no_heartbeat_and_may_be_chosen(story: Story) -> None:
    story.given(group("support"), registered("robo", kind="bot", capacity=1))
    story.given(entry_point("web", "support", first_responder="robo"), opened("c1", "c2"))
    assert story.owners("c1", "c2") == ["robo", None]
    assert (story.status("robo"), story.load("robo")) == (("online", "chosen"), 1)
    story.now(idle("robo")).then()
    story.now(lapsed("robo", "x")).then()
    story.after(86_400)
    assert story.status("robo") == ("online", "chosen")
