"""Hours of operators, entry points and the workspace: what can be set, and what that alone does."""

from typing import Any

import pytest

from shared.routing.schedule import date_exists
from tests.core.phrases import PRESENCE, shift_ended, shift_started
from tests.core.story import (
    ADMIN,
    ANA,
    Steps,
    Story,
    desk,
    entry_point,
    event,
    logged_in,
    opened,
    policy,
    registered,
    step,
)

OFFICE = {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}
NIGHT = {"fri": [["22:00", "06:00"]]}
SET = {"weekly": {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}, "exceptions": {}}


def hours(**fields: Any) -> Steps:
    return step(ADMIN, "set_schedule", **fields)


# --- whose hours ----------------------------------------------------------------------------


@pytest.mark.parametrize("whose", [{"operator_id": "ana"}, {"entry_point_id": "web"}, {}])
def test_st07_hours_are_set_once_and_taken_back_once(story: Story, whose: dict[str, str]) -> None:
    story.given(desk(ana=1))
    told = {"operator_id": None, "entry_point_id": None, **whose}
    full = {**SET, "timezone": "Europe/Berlin", "auto_online": True}
    setting = hours(weekly=OFFICE, timezone="Europe/Berlin", **whose)
    story.now(setting).then(event("schedule_set", schedule=full, **told))
    story.now(setting).then()
    clearing = hours(clear=True, **whose)
    story.now(clearing).then(event("schedule_set", schedule=None, **told))
    story.now(clearing).then()


def test_st07_the_same_hours_said_in_another_way_are_the_same(story: Story) -> None:
    story.given(hours(weekly={**OFFICE, **NIGHT}, exceptions={"2026-12-25": [], "2026-01-01": []}))
    turned = {"sun": [], "fri": NIGHT["fri"], "mon": OFFICE["mon"][::-1]}
    story.now(hours(weekly=turned, exceptions={"2026-01-01": [], "2026-12-25": []})).then()
    assert story.workspace.schedule is not None
    assert list(story.workspace.schedule.weekly) == ["mon", "fri"]
    assert list(story.workspace.schedule.exceptions) == ["2026-01-01", "2026-12-25"]


def test_st07_a_schedule_is_replaced_as_a_whole(story: Story) -> None:
    story.given(hours(weekly=OFFICE, timezone="Asia/Tokyo", auto_online=False))
    story.now(hours(weekly=NIGHT)).then(
        event(
            "schedule_set",
            schedule={"weekly": NIGHT, "exceptions": {}, "timezone": None, "auto_online": True},
        )
    )


def test_gr09_an_entry_point_that_is_defined_anew_keeps_its_hours(story: Story) -> None:
    story.given(desk(ana=1), hours(entry_point_id="web", weekly=OFFICE))
    story.given(entry_point("web", "support", weight=2))
    story.now(hours(entry_point_id="web", weekly=OFFICE)).then()


def test_st07_whoever_is_registered_again_has_no_hours(story: Story) -> None:
    story.given(desk(ana=1), hours(operator_id="ana", weekly=OFFICE))
    story.given(step(ADMIN, "remove_operator", operator_id="ana"), registered("ana"))
    assert story.operator("ana").schedule is None


def test_st07_hours_of_the_unknown_are_refused(story: Story) -> None:
    story.given(desk(ana=1))
    story.now(hours(operator_id="nobody", weekly=OFFICE)).refused("unknown_operator")
    story.now(hours(entry_point_id="nowhere", weekly=OFFICE)).refused("unknown_entry_point")


def test_gr06_hours_are_for_whoever_may_manage(story: Story) -> None:
    story.given(desk(ana=1))
    story.when(ANA, "set_schedule", weekly=OFFICE).refused("no_permission", missing=["manage"])
    story.given(step(ADMIN, "update_operator", operator_id="ana", role_id="manager"))
    story.when(ANA, "set_schedule", weekly=OFFICE).then(event("schedule_set"))


# --- what hours cannot be -------------------------------------------------------------------

IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "of two": ({"operator_id": "ana", "entry_point_id": "web", "weekly": {}}, "entry_point_id"),
    "none at all": ({}, "weekly"),
    "cleared and set": ({"clear": True, "weekly": OFFICE}, "clear"),
    "cleared with exceptions": ({"clear": True, "exceptions": {"2026-12-25": []}}, "clear"),
    "an empty span": ({"weekly": {"mon": [["09:00", "09:00"]]}}, "weekly.mon[0]"),
    "a whole day as nothing": ({"weekly": {"mon": [["00:00", "00:00"]]}}, "weekly.mon[0]"),
    "from the end of the day": ({"weekly": {"mon": [["24:00", "06:00"]]}}, "weekly.mon[0]"),
    "one within another": (
        {"weekly": {"mon": [["08:00", "18:00"], ["09:00", "10:00"]]}},
        "weekly.mon[1]",
    ),
    "one before another, and into it": (
        {"weekly": {"tue": [["10:00", "12:00"], ["08:00", "10:01"]]}},
        "weekly.tue[0]",
    ),
    "two nights at once": (
        {"weekly": {"fri": [["22:00", "06:00"], ["23:00", "01:00"]]}},
        "weekly.fri[1]",
    ),
    "overlapping on a date": (
        {"weekly": {}, "exceptions": {"2026-12-24": [["08:00", "12:00"], ["11:00", "13:00"]]}},
        "exceptions.2026-12-24[1]",
    ),
    "a date that is not": (
        {"weekly": {}, "exceptions": {"2026-02-29": []}},
        "exceptions.2026-02-29",
    ),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_st07_impossible_hours_are_refused_with_their_place(story: Story, what: str) -> None:
    story.given(desk(ana=1))
    fields, path = IMPOSSIBLE[what]
    story.now(hours(**fields)).refused("malformed", path=path)


POSSIBLE: dict[str, dict[str, Any]] = {
    "never": {"weekly": {}},
    "the whole day": {"weekly": {"mon": [["00:00", "24:00"]]}},
    "one after the other": {"weekly": {"mon": [["09:00", "12:00"], ["12:00", "13:00"]]}},
    "until midnight, said as the next day": {"weekly": {"mon": [["20:00", "00:00"]]}},
    "a day, then the night": {"weekly": {"mon": [["22:00", "06:00"], ["08:00", "18:00"]]}},
    "a night into a day that has hours": {
        "weekly": {"mon": [["22:00", "06:00"]], "tue": [["05:00", "08:00"]]}
    },
    "a leap day": {"weekly": {}, "exceptions": {"2028-02-29": [["10:00", "14:00"]]}},
}


@pytest.mark.parametrize("what", POSSIBLE)
def test_st07_unusual_hours_are_hours(story: Story, what: str) -> None:
    story.given(desk(ana=1))
    story.now(hours(**POSSIBLE[what])).then(event("schedule_set"))


@pytest.mark.parametrize(
    ("date", "there_is"),
    [
        ("2000-02-29", True),
        ("2100-02-29", False),
        ("2024-02-29", True),
        ("2023-02-29", False),
        ("2023-04-31", False),
        ("2023-12-31", True),
        ("0001-01-01", True),
        ("0000-01-01", False),
        ("9999-12-31", True),
    ],
)
def test_st07_the_calendar_is_the_gregorian_one(date: str, *, there_is: bool) -> None:
    assert date_exists(date) is there_is


# --- what they do by themselves: nothing ----------------------------------------------------


def test_st07_b06_changing_hours_takes_nobody_away(story: Story) -> None:
    story.given(desk(ana=1))
    for weekly in (OFFICE, NIGHT, {}):
        story.now(hours(weekly=weekly)).then(event("schedule_set"))
        story.now(hours(entry_point_id="web", weekly=weekly)).then(event("schedule_set"))
    assert story.status("ana") == ("online", "chosen")
    assert story.mode("web") == "live"
    story.given(opened("c1"))
    assert story.owner("c1") == "ana"


def test_st13_while_nothing_is_reported_the_last_known_shift_stands(story: Story) -> None:
    story.given(desk(ana=1), hours(weekly=OFFICE), shift_ended("ana"))
    story.now(hours(clear=True)).then(event("schedule_set"))
    story.after(86_400)
    assert story.status("ana") == ("offline", "shift_end")
    story.now(shift_started("ana")).then_among_others(
        event("operator_status_changed", effective="online", cause="chosen")
    )


def test_gr09_hours_of_an_entry_point_stand_until_they_are_reported(story: Story) -> None:
    story.given(desk(ana=1), step(PRESENCE, "shift_ended", entry_point_id="web"))
    story.given(hours(entry_point_id="web", weekly=OFFICE), hours(entry_point_id="web", clear=True))
    assert story.workspace.entry_points["web"].closed  # type: ignore[index]


# --- operators' own -------------------------------------------------------------------------


def test_st07_operators_set_their_own_hours_and_take_them_back(story: Story) -> None:
    story.given(desk(ana=1))
    own = event("schedule_set", operator_id="ana", entry_point_id=None)
    story.when(ANA, "set_preferences", weekly=OFFICE).then(own)
    story.when(ANA, "set_preferences", weekly=OFFICE).then()
    story.when(ANA, "set_preferences", exceptions={"2026-12-25": []}).then(own)
    schedule = story.operator("ana").schedule
    assert schedule is not None
    assert schedule.weekly == {"mon": (("09:00", "12:00"), ("13:00", "17:00"))}
    assert schedule.exceptions == {"2026-12-25": ()}
    story.when(ANA, "set_preferences", weekly=None).then(
        event("schedule_set", operator_id="ana", schedule=None)
    )
    story.when(ANA, "set_preferences", weekly=None).then()


def test_st07_own_hours_keep_the_zone_that_was_set_for_them(story: Story) -> None:
    story.given(desk(ana=1))
    zone = "America/New_York"
    story.given(hours(operator_id="ana", weekly=NIGHT, timezone=zone, auto_online=False))
    story.when(ANA, "set_preferences", weekly=OFFICE).then(
        event("schedule_set", schedule={**SET, "timezone": zone, "auto_online": False})
    )


def test_st07_exceptions_need_hours_that_they_except(story: Story) -> None:
    story.given(desk(ana=1))
    dated: dict[str, Any] = {"exceptions": {"2026-12-25": []}}
    story.when(ANA, "set_preferences", **dated).refused("malformed", path="exceptions")
    story.when(ANA, "set_preferences", weekly=None, **dated).refused("malformed", path="exceptions")
    story.when(ANA, "set_preferences", exceptions={}).then()


@pytest.mark.parametrize("named", [{"weekly": OFFICE}, {"weekly": None}, {"exceptions": {}}])
def test_st07_own_hours_can_be_forbidden(story: Story, named: dict[str, Any]) -> None:
    story.given(desk(ana=1), policy(own_schedule="deny"))
    story.when(ANA, "set_preferences", **named).refused("not_allowed", policy="own_schedule")
    story.when(ANA, "set_preferences", email_missed=True).then(event("preferences_set"))
    story.now(hours(operator_id="ana", weekly=OFFICE)).then(event("schedule_set"))
    story.when(ADMIN, "update_operator", operator_id="ana", weekly=NIGHT).then(
        event("schedule_set", operator_id="ana")
    )


def test_st07_hours_can_be_given_with_the_registration(story: Story) -> None:
    dated = {"2026-12-24": [["09:00", "12:00"]]}
    full = {**SET, "exceptions": dated, "timezone": None, "auto_online": True}
    story.now(registered("eve", weekly=OFFICE, exceptions=dated)).then_among_others(
        event("operator_registered", operator_id="eve"),
        event("schedule_set", operator_id="eve", schedule=full),
    )
    story.given(logged_in("eve"))
    assert story.status("eve") == ("online", "chosen")


def test_st07_impossible_hours_register_nobody(story: Story) -> None:
    story.now(registered("eve", weekly={"mon": [["09:00", "09:00"]]})).refused(
        "malformed", path="weekly.mon[0]"
    )
