"""Heartbeats of sessions that the log does not know, knows, or knows to be over."""

from shared.routing.decide.presence import SESSIONS_MAX
from shared.routing.events import Actor
from shared.routing.evolve.operators import ENDED_REMEMBERED_MAX
from tests.core.phrases import idle, lapsed, returned
from tests.core.story import ADMIN, ANA, Story, desk, event, logged_in, registered, step

EVE = Actor("operator", "eve")


def test_st03_a_heartbeat_of_an_unknown_session_is_a_log_in(story: Story) -> None:
    story.given(registered("eve"))
    story.now(returned("eve", "phone")).then(
        event("operator_logged_in", operator_id="eve", session_id="phone"),
        event("operator_status_changed", effective="online", cause="chosen"),
    )
    story.now(returned("eve", "phone")).then()


def test_st06_it_brings_the_chosen_status_back_like_any_log_in(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status="busy"))
    story.given(step(ANA, "log_out", session_id="ana-1"))
    story.now(returned("ana", "tablet")).then_among_others(
        event("operator_status_changed", effective="busy", cause="chosen")
    )


def test_st04_a_late_heartbeat_of_a_session_that_logged_out_changes_nothing(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "log_out", session_id="ana-1"))
    story.now(returned("ana")).then()
    assert story.status("ana") == ("offline", "logout")


def test_st04_nor_does_one_of_a_session_that_an_admin_ended(story: Story) -> None:
    story.given(desk(ana=1), logged_in("ana", "phone"), lapsed("ana", "phone"))
    story.given(step(ADMIN, "log_out_operator", operator_id="ana"))
    story.now(returned("ana")).then()
    story.now(returned("ana", "phone")).then()


def test_st04_nor_after_the_operator_was_removed_and_registered_again(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "remove_operator", operator_id="ana"))
    story.now(returned("ana")).refused("operator_removed")
    story.given(registered("ana"))
    story.now(returned("ana")).then()
    story.now(returned("ana", "new")).then_among_others(event("operator_logged_in"))


def test_st04_logging_in_again_with_the_same_session_counts(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "log_out", session_id="ana-1"), logged_in("ana"))
    story.given(lapsed("ana"))
    story.now(returned("ana")).then(event("session_returned", session_id="ana-1"))


def test_st04_the_sessions_that_ended_last_are_remembered(story: Story) -> None:
    story.given(registered("eve"))
    sessions = [f"s{number}" for number in range(ENDED_REMEMBERED_MAX + 1)]
    for session_id in sessions:
        story.given(logged_in("eve", session_id))
        story.given(step(EVE, "log_out", session_id=session_id))
    assert list(story.operator("eve").ended) == sessions[1:]
    story.now(returned("eve", sessions[1])).then()
    story.now(returned("eve", sessions[0])).then_among_others(event("operator_logged_in"))


def test_st03_a_heartbeat_opens_no_more_sessions_than_a_log_in(story: Story) -> None:
    story.given(registered("eve"))
    for number in range(SESSIONS_MAX):
        story.given(returned("eve", f"s{number}"))
    story.now(returned("eve", "one-more")).refused("too_many", sessions_max=SESSIONS_MAX)
    story.given(lapsed("eve", "s0"))
    story.now(returned("eve", "one-more")).then(event("operator_logged_in"))


def test_st05_nobody_who_is_not_connected_becomes_idle(story: Story) -> None:
    story.given(desk(ana=1), registered("eve"))
    story.now(idle("eve")).then()
    story.given(lapsed("ana"))
    story.now(idle("ana")).then()
    assert story.status("ana") == ("online", "chosen")
    story.given(returned("ana"))
    story.now(idle("ana")).then_among_others(
        event("operator_status_changed", effective="offline", cause="idle")
    )


def test_st05_whoever_is_back_has_to_be_idle_anew(story: Story) -> None:
    story.given(desk(ana=1), idle("ana"), lapsed("ana"), returned("ana"))
    assert story.status("ana") == ("online", "chosen")
