"""What operators prefer: set by themselves, or at first by whoever registers them."""

from typing import Any

import pytest

from shared.routing.queries import answer
from shared.routing.questions import AskMe, AskOperators
from tests.core.story import ADMIN, ANA, Story, desk, event, online, registered, step


def test_no03_preferences_are_set_one_by_one_and_told_as_a_whole(story: Story) -> None:
    story.given(desk(ana=1))
    mine: dict[str, Any] = {
        "operator_id": "ana",
        "reachable_when_slow": False,
        "email_missed": True,
        "idle_timeout_s": None,
    }
    story.when(ANA, "set_preferences", email_missed=True).then(event("preferences_set", **mine))
    mine["idle_timeout_s"] = 120
    story.when(ANA, "set_preferences", idle_timeout_s=120).then(event("preferences_set", **mine))
    story.when(ANA, "set_preferences", email_missed=True, idle_timeout_s=120).then()
    mine |= {"email_missed": False, "idle_timeout_s": None, "reachable_when_slow": True}
    story.when(
        ANA, "set_preferences", email_missed=False, idle_timeout_s=None, reachable_when_slow=True
    ).then(event("preferences_set", **mine))


@pytest.mark.parametrize("seconds", [0, 60, 3_600])
def test_st05_an_idle_time_of_ones_own(story: Story, seconds: int) -> None:
    story.given(desk(ana=1))
    story.when(ANA, "set_preferences", idle_timeout_s=seconds).then(event("preferences_set"))
    assert story.operator("ana").idle_timeout_s == seconds


@pytest.mark.parametrize("seconds", [1, 59])
def test_st05_an_idle_time_of_ones_own_is_a_minute_at_least(story: Story, seconds: int) -> None:
    story.given(desk(ana=1))
    story.when(ANA, "set_preferences", idle_timeout_s=seconds).refused(
        "malformed", path="idle_timeout_s"
    )
    story.now(registered("eve", idle_timeout_s=seconds)).refused("malformed", path="idle_timeout_s")
    story.when(ADMIN, "update_operator", operator_id="ana", idle_timeout_s=seconds).refused(
        "malformed", path="idle_timeout_s"
    )


def test_gr11_a_language_is_one_of_the_settings(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "update_operator", operator_id="ana", skills=["fr"]))
    story.when(ANA, "set_preferences", locale="de").then(
        event("operator_updated", operator_id="ana", locale="de", skills=["fr"], capacity=1)
    )
    story.when(ANA, "set_preferences", locale="de").then()
    story.when(ANA, "set_preferences", locale=None, email_missed=True).then(
        event("operator_updated", locale=None), event("preferences_set", email_missed=True)
    )


def test_no03_preferences_come_with_the_registration_where_they_differ(story: Story) -> None:
    story.now(registered("eve", email_missed=True, idle_timeout_s=60)).then_among_others(
        event("operator_registered", operator_id="eve"),
        event("preferences_set", operator_id="eve", email_missed=True, idle_timeout_s=60),
    )
    story.now(registered("fay", email_missed=False, idle_timeout_s=None)).never("preferences_set")


def test_no03_an_admin_changes_them_beside_other_settings(story: Story) -> None:
    story.given(online("eve", email_missed=True))
    story.when(ADMIN, "update_operator", operator_id="eve", email_missed=False).then(
        event("preferences_set", email_missed=False)
    )
    story.when(ADMIN, "update_operator", operator_id="eve", capacity=2, idle_timeout_s=0).then(
        event("operator_updated", capacity=2), event("preferences_set", idle_timeout_s=0)
    )
    story.when(ADMIN, "update_operator", operator_id="eve", capacity=2, idle_timeout_s=0).then()


def test_qy01_me_and_operators_show_all_of_them(story: Story) -> None:
    story.given(desk(ana=1))
    wishes = {"email_missed": True, "idle_timeout_s": 90, "reachable_when_slow": True}
    weekly = {"mon": [["09:00", "17:00"]]}
    story.given(step(ANA, "set_preferences", locale="de", weekly=weekly, **wishes))
    me = answer(story.workspace, AskMe(), ANA, story.at)
    everybody = answer(story.workspace, AskOperators(), ADMIN, story.at)
    for view in (me, everybody.operators[0]):  # type: ignore[union-attr]
        shown = {name: getattr(view, name) for name in (*wishes, "locale", "schedule")}
        assert shown == {**wishes, "locale": "de", "schedule": story.operator("ana").schedule}
