"""Rules over NATS: as they are shown to those who write them, and what the evaluator is told."""

from typing import Any

import pytest

from tests.servers.client import Fields
from tests.servers.office import Office, RefusedError

RULE: Fields = {
    "rule_id": "hello",
    "name": "Hello",
    "order": 2,
    "enabled": True,
    "when": {"any": [{"not": {"always": True}}, {"field": "pages_seen", "op": "gt", "value": 2}]},
    "then": [{"add_tag": "seen"}, {"invite": {"message": "May I help you?"}}],
    "frequency": "once_per_visitor",
}


async def shown(office: Office) -> list[Fields]:
    rules: list[Fields] = (await office.ask("admin", "root", "workspace"))["result"]["rules"]
    return rules


async def fire(office: Office, version: int, **fields: Any) -> Fields:
    told = {
        "rule_id": "hello",
        "version": version,
        "visitor_id": "vera",
        "session_id": "s1",
        "entry_point_id": "site",
        **fields,
    }
    reply = await office.send("service", "rules", "rule_fired", told, command_id="k-1")
    result: Fields = reply["result"]
    return result


async def test_tr01_a_rule_is_shown_as_it_was_saved_with_its_version(office: Office) -> None:
    saved = await office.admin("save_rule", **RULE)
    (rule,) = await shown(office)
    defaults = {"override": False, "only_when_live": True}
    assert rule == {**RULE, **defaults, "version": saved["position"]}
    del rule["version"]
    assert (await office.admin("save_rule", **rule))["position"] == saved["position"] + 1


async def test_au09_what_was_erased_is_shown_as_nothing(office: Office) -> None:
    await office.admin("save_rule", **RULE)
    await office.admin("erase", subject="rule:hello")
    (rule,) = await shown(office)
    assert rule["then"] == [{"add_tag": "seen"}, {"invite": {"message": None}}]


async def test_tr01_a_fault_is_told_with_its_place_wherever_it_is_found(office: Office) -> None:
    for when, path in (
        ({"all": [{"field": "title", "op": "matches", "value": "("}]}, "when.all[0].value"),
        ({"all": [{"field": "titel", "op": "equals", "value": "x"}]}, "when.all[0].field"),
        ({"all": [{}]}, "when.all[0]"),
    ):
        with pytest.raises(RefusedError) as refused:
            await office.admin("save_rule", **{**RULE, "when": when})
        assert refused.value.error["code"] == "invalid_rule"
        assert refused.value.error["detail"]["path"] == path
    assert await shown(office) == []


async def test_tr08_t03_the_evaluator_is_told_whether_a_rule_fired(office: Office) -> None:
    await office.come_online("ana")
    version = (await office.admin("save_rule", **RULE))["position"]
    assert await fire(office, version - 1) == {"fired": False, "why_not": "other_version"}
    assert await fire(office, version) == {"fired": True}
    assert await fire(office, version) == {"fired": True}  # a repeat
    again = {"visitor_id": "vera", "session_id": "s2"}
    told = {"rule_id": "hello", "version": version, "entry_point_id": "site", **again}
    reply = await office.send("service", "rules", "rule_fired", told)
    assert reply["result"] == {"fired": False, "why_not": "fired_before"}
    with pytest.raises(RefusedError) as refused:
        await office.send("service", "shop", "rule_fired", told)
    assert refused.value.error["code"] == "not_allowed"
