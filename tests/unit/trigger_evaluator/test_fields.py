"""Every field that a rule may ask about, what it is for a page, and how few rules are tried."""

from typing import Any

import pytest

from services.trigger_evaluator.comparing import Doubt
from services.trigger_evaluator.comparing import test_of as outcome_of
from services.trigger_evaluator.compiling import RuleSet, compiled
from services.trigger_evaluator.sighting import Sighting, getter_of
from services.trigger_evaluator.visit import Page
from shared.routing.rules import FIELDS, Condition
from tests.unit.trigger_evaluator.plainly import AROUND, now, page, rule


def _page() -> Page:
    return page(
        url="HTTPS://Shop.Example.org:443/Fr/caf%C3%A9?Page=2&q=a+b",
        title="Café",
        referrer="http://Search.example:80",
        language="fr-BE",
        country="BE",
        device="phone",
        custom={"plan": "Gold", "age": 41, "vip": True, "none": None},
        since_ms=30_000,
        site_since_ms=1_000,
        pages_seen=3,
        visit_count=2,
        returning=True,
    )


VALUES: dict[str, Any] = {
    "current_url": "https://shop.example.org/Fr/café?Page=2&q=a+b",
    "url_host": "shop.example.org",
    "url_path": "/Fr/café",
    "title": "Café",
    "referrer": "http://search.example/",
    "time_on_page_s": 32,
    "time_on_site_s": 61,
    "pages_seen": 3,
    "visit_count": 2,
    "returning": True,
    "country": "BE",
    "language": "fr-BE",
    "device": "phone",
    "entry_point": "site",
    "local_time": "13:01",
    "open_hours": True,
    "operators_online": 2,
    "operators_online.support": 1,
    "operators_online.other": None,
    "url_query.Page": "2",
    "url_query.q": "a b",
    "url_query.page": None,
    "custom.plan": "Gold",
    "custom.age": 41,
    "custom.vip": True,
    "custom.none": None,
    "custom.other": None,
    "colour": None,
}


def test_tr02_every_field_is_looked_at_here() -> None:
    assert set(FIELDS) <= set(VALUES)


@pytest.mark.parametrize("field", VALUES)
def test_tr02_what_a_field_is_for_a_page(field: str) -> None:
    sighting = Sighting(_page(), now(62_999), AROUND)
    getter = getter_of(field)
    assert (getter(sighting) if getter is not None else None) == VALUES[field]


def _outcome(field: str, op: str, value: Any = None) -> bool | Doubt:
    condition = Condition(field=field, op=op, value=value)  # type: ignore[arg-type]
    return outcome_of(condition)(Sighting(_page(), now(62_999), AROUND))


@pytest.mark.parametrize(
    ("field", "op", "value", "outcome"),
    [
        ("title", "equals", "CAFÉ", True),
        ("title", "not_equals", "tea", True),
        ("title", "contains", "AF", True),
        ("title", "ends_with", "É", True),
        ("title", "wildcard", "c?f*", True),
        ("title", "wildcard", "af", False),
        ("title", "matches", "^C.F", True),
        ("title", "matches", "((", "bad_pattern"),
        ("country", "in", ["FR", "be"], True),
        ("current_url", "equals", "shop.example.org/fr/CAFÉ?page=2&q=a+b", True),
        ("current_url", "wildcard", "*.example.org/fr/*", True),
        ("url_host", "equals", "SHOP.example.org.", True),
        ("url_path", "starts_with", "/fr/caf%c3%a9", True),
        ("url_query.Page", "gt", 1, True),
        ("url_query.Page", "equals", 2, True),
        ("url_query.q", "gt", 1, "not_a_number"),
        ("custom.age", "lte", 41, True),
        ("custom.age", "contains", "4", "not_a_text"),
        ("custom.age", "equals", True, "not_comparable"),
        ("custom.vip", "equals", "TRUE", True),
        ("custom.vip", "gt", 0, "not_a_number"),
        ("custom.other", "not_equals", "x", "unknown"),
        ("custom.other", "exists", False, True),
        ("custom.plan", "exists", None, True),
        ("local_time", "gte", "13:01", True),
        ("local_time", "lt", "13:01", False),
        ("local_time", "gt", 5, "not_a_number"),
        ("time_on_page_s", "equals", 32, True),
        ("operators_online.other", "lt", 1, "unknown"),
        ("colour", "equals", "red", "no_such_field"),
    ],
)
def test_tr03_t06_how_a_condition_compares(
    field: str, op: str, value: Any, outcome: bool | Doubt
) -> None:
    assert _outcome(field, op, tuple(value) if isinstance(value, list) else value) == outcome


def test_tr10_of_a_thousand_rules_few_are_tried() -> None:
    tried = 0

    def counted(one: Any) -> Any:
        def holds(sighting: Sighting) -> bool | Doubt:
            nonlocal tried
            tried += 1
            outcome: bool | Doubt = one.holds(sighting)
            return outcome

        return one._replace(holds=holds)

    conditions = [
        Condition(
            all=(
                Condition(field="time_on_site_s", op="gte", value=1),
                Condition(
                    field="current_url", op="starts_with", value=f"https://example.org/{number}/"
                ),
                Condition(field="country", op="equals", value="BE"),
            )
        )
        for number in range(1_000)
    ]
    rules = [counted(compiled(rule(when, f"r-{n}"))) for n, when in enumerate(conditions)]
    rule_set = RuleSet(rules, "all_matches")
    sighting = Sighting(page(url="https://example.org/77/x", country="BE"), now(5_000), AROUND)
    held = [one.rule.rule_id for one in rule_set.candidates(sighting) if one.holds(sighting)]
    assert held == ["r-77"]
    assert tried <= 3
