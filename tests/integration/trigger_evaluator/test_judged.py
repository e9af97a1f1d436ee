"""In which order rules come, what they pass over, and what an answer says of it."""

from typing import Any

from services.trigger_evaluator.compiling import CompiledRule, compiled
from services.trigger_evaluator.service import DEFAULTS
from shared.routing.rules import Rule
from tests.integration.trigger_evaluator.site import Site

PAGE = "https://example.org/prices"
ALWAYS = {"always": True}


async def test_tr05_the_first_that_matches_is_the_only_one(site: Site) -> None:
    await site.rule("second", ALWAYS, [{"add_tag": "b"}], order=2)
    await site.rule("first", ALWAYS, [{"add_tag": "a"}], order=1)
    await site.rule("switched-off", ALWAYS, [{"add_tag": "c"}], order=0, enabled=False)
    assert (await site.see("v-1", PAGE))["fired"] == ["first"]
    await site.office.admin(
        "set_policy", scope={"workspace": True}, policy={"rule_mode": "all_matches"}
    )
    assert (await site.see("v-2", PAGE))["fired"] == ["first", "second"]


async def test_tr05_a_rule_that_may_not_fire_again_leaves_it_to_the_next(site: Site) -> None:
    await site.rule("once", ALWAYS, [{"add_tag": "a"}], order=1, frequency="once_per_visitor")
    await site.rule("next", ALWAYS, [{"add_tag": "b"}], order=2)
    fired = [(await site.see("v-1", PAGE))["fired"] for _ in range(3)]
    assert fired == [["once"], ["next"], []]


async def test_tr05_a_rule_whose_effect_holds_already_keeps_its_turn(site: Site) -> None:
    await site.rule("assign", ALWAYS, [{"assign": {"operator": "ana"}}], order=1)
    await site.rule("next", ALWAYS, [{"add_tag": "b"}], order=2)
    fired = [(await site.see("v-1", PAGE))["fired"] for _ in range(3)]
    assert fired == [["assign"], [], []]
    assert len(await site.of("rule_fired")) == 1


async def test_t01_rules_that_undo_each_other_stop(site: Site) -> None:
    await site.office.admin(
        "set_policy", scope={"workspace": True}, policy={"rule_mode": "all_matches"}
    )
    await site.rule("to-ana", ALWAYS, [{"assign": {"operator": "ana"}}], order=1)
    await site.rule("to-ben", ALWAYS, [{"assign": {"operator": "ben"}}], order=2)
    position = (await site.see("v-1", PAGE))["position"]
    again = await site.see("v-2", "https://example.org/other")
    mine = [one for one in await site.of("visitor_assigned") if one["visitor_id"] == "v-1"]
    assert [one["to"] for one in mine] == [{"operator": "ana"}, {"operator": "ben"}]
    assert again["position"] > position


async def test_tr06_t12_nobody_is_invited_while_nobody_is_there(site: Site) -> None:
    await site.rule("ask", ALWAYS, [{"invite": {"message": "Hello"}}])
    assert (await site.see("v-1", PAGE))["fired"] == []
    assert (await site.why_not("ask", "v-1"))["why"] == "not_live"
    await site.office.come_online("ana")
    assert await site.of("visitor_invited") == []  # a status fires nothing
    assert (await site.see("v-1", PAGE))["fired"] == ["ask"]


async def test_t11_a_target_who_is_offline_falls_back_to_routing(site: Site) -> None:
    await site.office.come_online("ben")
    await site.rule("ana", ALWAYS, [{"assign": {"operator": "ana"}}])
    assert (await site.see("v-1", PAGE))["fired"] == ["ana"]
    conversation = (await site.office.open("v-1", "c-1"))["result"]["conversation"]
    assert conversation["state"] == "assigned"
    (opened,) = await site.of("conversation_opened")
    assert opened["scope"] == {"entry_point": "site"}


def _failing(rule: Rule) -> CompiledRule:
    def fails(_: Any) -> bool:
        raise ZeroDivisionError

    good = compiled(rule)
    return good._replace(holds=fails, may_come=fails) if rule.rule_id == "bad" else good


async def test_t07_a_rule_that_fails_stops_no_other(empty_site: Site) -> None:
    site = empty_site
    await site.start_router()
    await site.start_evaluator(DEFAULTS._replace(compile_rule=_failing))
    await site.open_office("ana")
    stays = {"field": "time_on_page_s", "op": "gte", "value": 0}
    await site.rule("bad", {"any": [stays, ALWAYS]}, [{"add_tag": "a"}], order=1)
    await site.rule("good", ALWAYS, [{"add_tag": "b"}], order=2)
    assert (await site.see("v-1", PAGE))["fired"] == ["good"]


async def test_t06_what_cannot_be_compared_matches_nothing_and_says_why(site: Site) -> None:
    rule: dict[str, Any] = {
        "any": [
            {"field": "custom.age", "op": "gt", "value": 18},
            {"field": "country", "op": "not_equals", "value": "DE"},
            {"field": "custom.plan", "op": "contains", "value": "gold"},
            {"field": "custom.vip", "op": "equals", "value": 3},
        ]
    }
    await site.rule("odd", rule, [{"add_tag": "a"}])
    answer = await site.see("v-1", PAGE, custom={"age": "old", "plan": 7, "vip": True})
    assert answer["fired"] == []
    result = await site.why_not("odd", "v-1")
    assert result["why"] == "conditions"
    doubts = {one["path"]: one["doubt"] for one in result["views"][0]["conditions"]}
    assert doubts == {
        "when.any[0]": "not_a_number",
        "when.any[1]": "unknown",
        "when.any[2]": "not_a_text",
        "when.any[3]": "not_comparable",
    }


async def test_tr08_why_a_rule_did_not_fire(site: Site) -> None:
    french = {"field": "current_url", "op": "starts_with", "value": "https://example.org/fr/"}
    await site.rule("french", french, [{"assign": {"operator": "ana"}}], order=1)
    await site.rule("greet", ALWAYS, [{"add_tag": "a"}], order=2)
    assert (await site.why_not("french", "v-1"))["why"] == "nothing_seen"
    await site.see("v-1", "https://example.org/de/", title="Hallo")
    result = await site.why_not("french", "v-1")
    assert result["why"] == "conditions"
    (view,) = result["views"]
    assert view["fired"] == ["greet"]
    (condition,) = view["conditions"]
    assert condition == {
        "path": "when",
        "field": "current_url",
        "op": "starts_with",
        "wanted": "https://example.org/fr/",
        "actual": "https://example.org/de/",
        "held": False,
        "doubt": None,
    }
    await site.see("v-1", "https://example.org/fr/")
    assert (await site.why_not("french", "v-1"))["why"] == "fired"
    assert (await site.why_not("greet", "v-1"))["why"] == "other_rule_first"
    await site.see("v-1", "https://example.org/de/")
    greet = await site.why_not("greet", "v-1")
    assert greet["why"] == "fired_before"
    positions = [one.position for one in await site.events()]
    assert greet["last_fired"]["position"] in positions
    await site.office.admin("save_rule", rule_id="greet", enabled=False)
    assert (await site.why_not("greet", "v-1"))["why"] == "disabled"


async def test_tr08_a_person_s_choice_goes_before_the_rule_s(site: Site) -> None:
    await site.office.come_online("ana", "ben")
    await site.office.admin("assign_visitor", visitor_id="v-1", to={"operator": "ben"})
    await site.rule("ana", ALWAYS, [{"assign": {"operator": "ana"}}])
    await site.see("v-1", PAGE)
    result = await site.why_not("ana", "v-1")
    assert result["why"] == "person_first"
    assert result["assigned_before"] == {"by": "person", "to": {"operator": "ben"}}


async def test_tr08_who_may_ask(site: Site) -> None:
    async def code(kind: str, who: str, **fields: Any) -> str:
        reply = await site.office.client.ask(
            site.workspace, kind, who, "why_not_fired", {"rule_id": "r", "visitor_id": "v"} | fields
        )
        return str(reply["error"]["code"])

    assert await code("admin", "root") == "unknown_rule"
    assert await code("service", "shop") == "unknown_rule"
    assert await code("operator", "ana") == "no_permission"
    assert await code("operator", "nobody") == "unknown_operator"
    assert await code("visitor", "v-1") == "not_allowed"
    assert await code("admin", "root", rule_id="*") == "malformed"
    assert await code("admin", "root", more=1) == "unknown_field"
