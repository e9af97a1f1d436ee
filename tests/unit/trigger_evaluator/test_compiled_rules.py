"""Compiled and indexed rules say what a plain reading of them says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.trigger_evaluator.compiling import RuleSet, compiled, held
from services.trigger_evaluator.sighting import Sighting
from services.trigger_evaluator.visit import Page
from shared.routing.conditions import fault_in
from shared.routing.rules import Condition
from tests.unit.trigger_evaluator.plainly import AROUND, holds, now, page, pages, rule, trees, urls

ELAPSED = st.sampled_from([0, 999, 1_000, 2_000, 61_000])


@settings(max_examples=500, deadline=None)
@given(trees, pages, ELAPSED)
def test_tr03_a_compiled_rule_says_what_a_plain_reading_says(
    when: Condition, seen: Page, elapsed_ms: int
) -> None:
    one = compiled(rule(when))
    sighting = Sighting(seen, now(elapsed_ms), AROUND)
    assert (one.holds(sighting) is True) == holds(when, seen, elapsed_ms)


@settings(max_examples=300, deadline=None)
@given(st.lists(trees, min_size=1, max_size=12), pages, ELAPSED)
def test_tr10_the_index_leaves_out_no_rule_that_holds(
    several: list[Condition], seen: Page, elapsed_ms: int
) -> None:
    rules = [rule(when, f"r-{n}", order=n % 3) for n, when in enumerate(several)]
    rule_set = RuleSet([compiled(one) for one in rules], "all_matches")
    sighting = Sighting(seen, now(elapsed_ms), AROUND)
    found = [c.rule.rule_id for c in rule_set.candidates(sighting) if c.holds(sighting) is True]
    wanted = sorted((one.order, one.rule_id) for one in rules if holds(one.when, seen, elapsed_ms))
    assert found == [rule_id for _, rule_id in wanted]


@settings(max_examples=300, deadline=None)
@given(trees, pages, st.integers(0, 10_000))
def test_tr07_between_two_marks_nothing_changes(when: Condition, seen: Page, start_ms: int) -> None:
    one = compiled(rule(when))
    marks = sorted({*one.marks.on_page_ms, *one.marks.on_site_ms})
    before = max((mark for mark in marks if mark <= start_ms), default=0)
    minute_over = start_ms // 60_000 != before // 60_000
    if not minute_over:
        assert (one.holds(Sighting(seen, now(start_ms), AROUND)) is True) == (
            one.holds(Sighting(seen, now(before), AROUND)) is True
        )


@settings(max_examples=300, deadline=None)
@given(trees, pages, ELAPSED)
def test_tr07_what_holds_at_some_moment_was_expected_to(
    when: Condition, seen: Page, elapsed_ms: int
) -> None:
    one = compiled(rule(when))
    if one.holds(Sighting(seen, now(elapsed_ms), AROUND)) is True:
        assert one.may_come(Sighting(seen, now(), AROUND)) is True


@settings(max_examples=300, deadline=None)
@given(trees, pages)
def test_tr08_what_held_is_enough_to_hold(when: Condition, seen: Page) -> None:
    one = compiled(rule(when))
    sighting = Sighting(seen, now(), AROUND)
    paths = held(one, sighting)
    assert len(paths) == len(set(paths))
    for path in paths:
        assert path.startswith("when")
    for path, test in one.tests.items():
        assert (path in paths) == (test(sighting) is True)


@given(trees)
def test_the_trees_are_such_as_may_be_saved(when: Condition) -> None:
    fault = fault_in(when)
    assert fault is None or "equals, not_equals, in" in fault.reason or "expected" in fault.reason


def test_tr09_an_address_begins_at_its_host_and_nowhere_else() -> None:
    french = Condition(field="current_url", op="starts_with", value="https://www.example.com/fr/")
    one = compiled(rule(french))

    def goes_there(url: str) -> bool:
        return one.holds(Sighting(page(url=url), now(), AROUND)) is True

    for url in (
        "https://www.example.com/fr/",
        "HTTPS://WWW.EXAMPLE.COM:443/FR/produits",
        "https://user@www.example.com/de/../fr/x",
        "https://www.example.com/%66%72/?a=1#b",
    ):
        assert goes_there(url), url
    for url in (
        "http://www.example.com/fr/",
        "https://www.example.com/fr",
        "https://www.example.com/french/",
        "https://www.example.com.evil.example/fr/",
        "https://www.example.com@evil.example/fr/",
        "https://evil.example/https://www.example.com/fr/",
        "https://www.example.com/de/?https://www.example.com/fr/",
    ):
        assert not goes_there(url), url


@given(urls, urls)
def test_tr03_addresses_compare_the_same_either_way_round(one: str, other: str) -> None:
    def same(wanted: str, url: str) -> bool:
        condition = Condition(field="current_url", op="equals", value=wanted)
        return compiled(rule(condition)).holds(Sighting(page(url=url), now(), AROUND)) is True

    if "://" in one and "://" in other:
        assert same(one, other) == same(other, one)
    if "//" in one:
        assert same(one, one)
