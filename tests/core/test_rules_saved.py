"""Rules as they are saved, changed and deleted, and what is wrong with those that are refused."""

from typing import Any

import pytest

from tests.core.rule_phrases import (
    HELLO,
    ON_FRENCH_PAGES,
    TO_BEN,
    TO_FRENCH,
    fired,
    fires,
    rule,
    saved,
    shop,
    vera_opens,
)
from tests.core.story import ADMIN, ANA, BEN, VERA, Story, event, role, step

ALWAYS: dict[str, Any] = {"always": True}


def test_tr01_a_rule_is_saved_as_a_whole_and_disabled_unless_said_otherwise(story: Story) -> None:
    shop(story)
    when, then = ON_FRENCH_PAGES, [TO_FRENCH]
    story.when(ADMIN, "save_rule", rule_id="r", name="French", order=3, when=when, then=then).then(
        event(
            "rule_saved",
            rule_id="r",
            name="French",
            order=3,
            enabled=False,
            when=when,
            then=then,
            frequency="always",
            override=False,
            only_when_live=True,
        )
    )
    assert saved(story, "r").version == story.workspace.position


def test_tr01_what_an_update_does_not_mention_is_kept(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH, name="French", order=3, override=True))
    before = saved(story, "r")
    story.when(ADMIN, "save_rule", rule_id="r", enabled=False).then(
        event("rule_saved", name="French", order=3, enabled=False, when=ON_FRENCH_PAGES)
    )
    after = saved(story, "r")
    assert after.version == story.workspace.position > before.version
    assert (after.then, after.override, after.frequency) == (before.then, True, "always")


def test_tr01_saving_the_same_again_writes_nothing(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    story.now(rule("r", TO_FRENCH)).then()
    story.when(ADMIN, "save_rule", rule_id="r").then()
    story.when(ADMIN, "save_rule", rule_id="r", name="r", order=1, enabled=True).then()


def test_tr01_true_is_not_one(story: Story) -> None:
    one = {"field": "custom.pro", "op": "equals", "value": 1}
    shop(story).given(rule("r", TO_FRENCH, when=one))
    story.when(ADMIN, "save_rule", rule_id="r", when={**one, "value": True}).then(
        event("rule_saved", when={**one, "value": True})
    )


@pytest.mark.parametrize(
    ("then", "frequency"),
    [
        ([TO_FRENCH], "always"),
        ([HELLO], "once_per_session"),
        ([TO_FRENCH, HELLO], "once_per_session"),
        ([{"add_tag": "t"}], "once_per_session"),
    ],
)
def test_tr01_how_often_it_fires_if_nothing_is_said(
    story: Story, then: list[dict[str, Any]], frequency: str
) -> None:
    shop(story).given(rule("r", *then))
    assert saved(story, "r").frequency == frequency


def test_au09_what_visitors_are_asked_stands_in_the_log_as_a_reference(story: Story) -> None:
    shop(story).given(rule("r", {"add_tag": "t"}, HELLO))
    (kept,) = [fields["then"] for fields in story.told("rule_saved")]
    assert kept == [{"add_tag": "t"}, {"invite": kept[1]["invite"]}]
    assert "help" not in kept[1]["invite"]
    assert kept[1]["invite"].endswith(".hash")


def test_tr01_those_who_manage_save_rules_and_nobody_else(story: Story) -> None:
    shop(story).given(role("boss", manage=True))
    fields: dict[str, Any] = {
        "rule_id": "r",
        "name": "n",
        "order": 1,
        "when": ALWAYS,
        "then": [TO_FRENCH],
    }
    story.when(ANA, "save_rule", **fields).refused("no_permission", missing=["manage"])
    story.when(VERA, "save_rule", **fields).refused("not_allowed")
    story.given(step(ADMIN, "update_operator", operator_id="ana", role_id="boss"))
    story.when(ANA, "save_rule", **fields).then(event("rule_saved"))
    story.when(BEN, "delete_rule", rule_id="r").refused("no_permission")
    story.when(ANA, "delete_rule", rule_id="r").then(event("rule_deleted", rule_id="r"))


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("name", "malformed"),
        ("order", "malformed"),
        ("when", "invalid_rule"),
        ("then", "invalid_rule"),
    ],
)
def test_tr01_t04_a_new_rule_needs_a_condition_and_all_the_rest(
    story: Story, missing: str, code: str
) -> None:
    to_all = {"assign": {"everyone": True}}
    fields: dict[str, Any] = {"name": "n", "order": 1, "when": ALWAYS, "then": [to_all]}
    del fields[missing]
    story.when(ADMIN, "save_rule", rule_id="r", **fields).refused(code, path=missing)


def _field(field: str, op: str, value: Any = None) -> dict[str, Any]:
    """A condition on a field, without a value if there is none."""
    return {"field": field, "op": op, **({} if value is None else {"value": value})}


@pytest.mark.parametrize(
    ("when", "path"),
    [
        (_field("current_uri", "equals", "x"), "when.field"),
        (_field("custom.", "equals", "x"), "when.field"),
        (_field("customs.plan", "equals", "x"), "when.field"),
        (_field("operators_online.nobody", "gt", 0), "when.field"),
        ({"all": [ALWAYS, _field("pages", "gt", 1)]}, "when.all[1].field"),
        ({"any": [{"not": _field("title", "gt", 1)}]}, "when.any[0].not.op"),
        (_field("title", "gt", "a"), "when.op"),
        (_field("returning", "gt", 1), "when.op"),
        (_field("pages_seen", "contains", "1"), "when.op"),
        (_field("local_time", "matches", "1.:00"), "when.op"),
        (_field("pages_seen", "gt", "1"), "when.value"),
        (_field("pages_seen", "gt", value=True), "when.value"),
        (_field("pages_seen", "gt"), "when.value"),
        (_field("pages_seen", "in", [1, "2"]), "when.value"),
        (_field("title", "equals", 1), "when.value"),
        (_field("title", "contains", ""), "when.value"),
        (_field("title", "in", "a"), "when.value"),
        (_field("title", "in", []), "when.value"),
        (_field("title", "exists", "yes"), "when.value"),
        (_field("returning", "equals", "true"), "when.value"),
        (_field("returning", "equals"), "when.value"),
        (_field("open_hours", "equals", 1), "when.value"),
        (_field("local_time", "gte", "9:00"), "when.value"),
        (_field("local_time", "lt", "24:00"), "when.value"),
        (_field("local_time", "lt", "12:60"), "when.value"),
        (_field("local_time", "lt", 12), "when.value"),
        (_field("local_time", "lt", "\u0661\u0662:\u0661\u0662"), "when.value"),
        (_field("url_query.n", "gt", "1"), "when.value"),
        (_field("custom.plan", "matches", 1), "when.value"),
        (_field("custom.plan", "in", []), "when.value"),
    ],
)
def test_tr01_tr03_a_condition_that_makes_no_sense_is_refused_with_its_place(
    story: Story, when: dict[str, Any], path: str
) -> None:
    shop(story)
    steps = rule("r", TO_FRENCH, when=when)
    story.now(steps).refused("invalid_rule", path=path)


@pytest.mark.parametrize(
    "when",
    [
        ALWAYS,
        {"all": [ON_FRENCH_PAGES, {"not": {"any": [ALWAYS, ALWAYS]}}]},
        _field("operators_online.fr", "gte", 1),
        _field("operators_online", "equals", 0),
        _field("url_query.utm", "in", ["a", 1, True]),
        _field("url_query.n", "gt", 1),
        _field("custom.plan", "not_equals", "free"),
        _field("local_time", "gte", "09:00"),
        _field("local_time", "in", ["09:00", "23:59"]),
        _field("returning", "equals", value=True),
        _field("open_hours", "not_equals", value=True),
        _field("referrer", "equals", ""),
        _field("referrer", "exists"),
        _field("title", "exists", value=True),
        _field("url_path", "wildcard", "/shop/*"),
        _field("country", "in", ["FR", "BE"]),
        _field("time_on_page_s", "gt", 30),
        _field("entry_point", "equals", "web"),
    ],
)
def test_tr01_a_condition_that_makes_sense_is_kept_as_it_is(
    story: Story, when: dict[str, Any]
) -> None:
    shop(story)
    story.now(rule("r", TO_FRENCH, when=when)).then(event("rule_saved", when=when))


def test_tr01_a_thousand_conditions_are_enough(story: Story) -> None:
    shop(story)
    story.now(rule("r", TO_FRENCH, when={"all": [ALWAYS] * 999})).then(event("rule_saved"))
    story.now(rule("r", TO_FRENCH, when={"all": [ALWAYS] * 1_000})).refused(
        "invalid_rule", path="when"
    )


@pytest.mark.parametrize(
    ("then", "path"),
    [
        ([{"assign": {"operator": "nobody"}}], "then[0].assign"),
        ([{"assign": {"operator": "cleo"}}], "then[0].assign"),
        ([{"assign": {"group": "nothing"}}], "then[0].assign"),
        ([{"assign": {"entry_point": "web"}}], "then[0].assign"),
        ([HELLO, {"ask_group": ["fr", "nothing"]}], "then[1].ask_group[1]"),
        ([TO_FRENCH, HELLO, TO_BEN], "then[2].assign"),
        ([HELLO, HELLO], "then[1].invite"),
        ([{"set_priority": 1}, {"set_priority": 2}], "then[1].set_priority"),
    ],
)
def test_tr01_tr04_an_action_on_what_does_not_exist_is_refused_with_its_place(
    story: Story, then: list[dict[str, Any]], path: str
) -> None:
    shop(story).given(step(ADMIN, "register_operator", operator_id="cleo"))
    story.given(step(ADMIN, "remove_operator", operator_id="cleo"))
    story.now(rule("r", *then)).refused("invalid_rule", path=path)


def test_tr04_several_tags_and_skills_are_given_at_once(story: Story) -> None:
    then = [{"add_tag": "a"}, {"add_tag": "b"}, {"require_skill": "fr"}, {"require_skill": "it"}]
    shop(story).now(rule("r", *then)).then(event("rule_saved", then=then))


# --- what is gone ---------------------------------------------------------------------------


def test_tr01_there_is_no_rule_to_delete_but_those_saved(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    story.when(ADMIN, "delete_rule", rule_id="x").refused("unknown_rule", rule_id="x")
    story.when(ADMIN, "delete_rule", rule_id="r").then(event("rule_deleted", rule_id="r"))
    story.when(ADMIN, "delete_rule", rule_id="r").refused("unknown_rule")
    fires(story, "r").then()
    assert story.warnings == ("unknown_rule",)


def test_tr01_a_rule_of_the_same_name_as_a_deleted_one_is_another_rule(story: Story) -> None:
    shop(story).given(rule("r", HELLO, frequency="once_per_visitor"))
    fired(story, "r").given(step(ADMIN, "delete_rule", rule_id="r"))
    story.given(rule("r", HELLO, frequency="once_per_visitor"))
    fires(story, "r").then(event("rule_fired"), event("visitor_invited"))


def test_gr08_fw12_a_rule_outlives_the_group_it_names(story: Story) -> None:
    """It can still be switched off; what it assigns to nobody opens at the entry point."""
    shop(story).given(rule("r", TO_FRENCH), step(ADMIN, "delete_group", group_id="fr"))
    fires(story, "r").then(event("rule_fired"), event("visitor_assigned"))
    story.now(vera_opens("c1")).then(
        event(
            "conversation_opened", scope={"entry_point": "web"}, scope_source="target_unavailable"
        ),
        event("conversation_assigned", operator_id="ana"),
    )
    story.when(ADMIN, "save_rule", rule_id="r", enabled=False).then(event("rule_saved"))
