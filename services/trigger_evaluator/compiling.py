"""Rules prepared for judging: conditions as functions, and an index of what each one asks for.

Most rules name an address, a host, an entry point or a country. Which of them can hold for a page
is then a matter of looking up what the page has; only these are tried.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil, floor
from typing import Literal, NamedTuple

from services.trigger_evaluator.comparing import (
    Doubt,
    Test,
    forms_of,
    is_settled,
    minute_of,
    number_of,
    test_of,
    wanted_text,
)
from services.trigger_evaluator.sighting import Getter, Sighting, getter_of
from shared.routing.conditions import kind_of, walk
from shared.routing.ids import RuleId
from shared.routing.rules import Condition, Rule
from shared.routing.vocabulary import RuleMode

Holds = Callable[[Sighting], bool | Doubt]
"""Only ``True`` means that it holds."""


class Key(NamedTuple):
    """Something that a page must have for a rule to hold, folded."""

    field: str
    how: Literal["is", "begins"]
    text: str


class Marks(NamedTuple):
    """When the outcome of a rule may change without another page view."""

    on_page_ms: tuple[int, ...]
    on_site_ms: tuple[int, ...]
    minutes: tuple[int, ...]
    """Of the day, where the workspace is."""


class CompiledRule(NamedTuple):
    rule: Rule
    holds: Holds
    may_come: Holds
    """Whether it might hold at another moment, if nothing but time and operators changed."""
    tests: dict[str, Test]
    """By the paths of the conditions on fields."""
    marks: Marks
    timed: bool
    """Whether there are any marks."""
    keys: tuple[frozenset[Key], ...]
    """Each one a set of which the page must have a member."""

    @property
    def rank(self) -> tuple[int, RuleId]:
        return self.rule.order, self.rule.rule_id


def compiled(rule: Rule) -> CompiledRule:
    tests = {p: test_of(node) for p, node in walk(rule.when) if node.field is not None}
    marks = _marks(rule.when)
    return CompiledRule(
        rule,
        _holds(rule.when, "when", tests),
        _bound(rule.when, "when", tests, best=True),
        tests,
        marks,
        any(marks),
        tuple(_keys(rule.when)),
    )


def held(rule: CompiledRule, sighting: Sighting) -> tuple[str, ...]:
    """The paths of the conditions that hold; of ``not`` its own, where what is below does not."""
    found: dict[str, bool] = {}
    _look(rule.rule.when, "when", rule.tests, sighting, found)
    told = {path for path, node in walk(rule.rule.when) if node.all is None and node.any is None}
    return tuple(path for path, holds in found.items() if holds and path in told)


# --- trees as functions -----------------------------------------------------------------------


def _below(node: Condition, path: str) -> Iterator[tuple[Condition, str]]:
    for name, several in (("all", node.all), ("any", node.any)):
        for number, one in enumerate(several or ()):
            yield one, f"{path}.{name}[{number}]"


def _holds(node: Condition, path: str, tests: dict[str, Test]) -> Holds:
    if node.field is not None:
        return tests[path]
    if node.negated is not None:
        return _not(_holds(node.negated, f"{path}.not", tests))
    below = sorted(_below(node, path), key=_tells_little)
    parts = [_holds(one, its_path, tests) for one, its_path in below]
    return _all(parts) if node.all is not None else _any(parts) if node.any is not None else _always


def _tells_little(below: tuple[Condition, str]) -> int:
    """What few pages fulfil comes first: of many rules each is then given up at its first test."""
    field = below[0].field
    if field is None:
        return 3
    if field.startswith(("current_url", "url_", "custom.", "title", "referrer")):
        return 0
    return 1 if kind_of(field) == "text" else 2


def _bound(node: Condition, path: str, tests: dict[str, Test], *, best: bool) -> Holds:
    """The same with every condition that may change by itself taken to hold, or not to."""
    if node.field is not None:
        return tests[path] if is_settled(node.field) else (_always if best else _never)
    if node.negated is not None:
        return _not(_bound(node.negated, f"{path}.not", tests, best=not best))
    parts = [_bound(one, its_path, tests, best=best) for one, its_path in _below(node, path)]
    return _all(parts) if node.all is not None else _any(parts) if node.any is not None else _always


def _always(_sighting: Sighting) -> bool:
    return True


def _never(_sighting: Sighting) -> bool:
    return False


def _not(part: Holds) -> Holds:
    return lambda sighting: part(sighting) is not True


def _all(parts: Sequence[Holds]) -> Holds:
    def holds(sighting: Sighting) -> bool:
        for part in parts:
            if part(sighting) is not True:
                return False
        return True

    return holds


def _any(parts: Sequence[Holds]) -> Holds:
    def holds(sighting: Sighting) -> bool:
        for part in parts:
            if part(sighting) is True:
                return True
        return False

    return holds


def _look(
    node: Condition,
    path: str,
    tests: dict[str, Test],
    sighting: Sighting,
    found: dict[str, bool],
) -> bool:
    """Whether it holds, with every path below noted: none is skipped."""
    found[path] = False  # its place in the order
    if node.field is not None:
        holds = tests[path](sighting) is True
    elif node.negated is not None:
        holds = not _look(node.negated, f"{path}.not", tests, sighting, found)
    else:
        parts = [_look(one, p, tests, sighting, found) for one, p in _below(node, path)]
        holds = any(parts) if node.any is not None else all(parts)
    found[path] = holds
    return holds


# --- when time alone matters ------------------------------------------------------------------


def _marks(when: Condition) -> Marks:
    on_page: set[int] = set()
    on_site: set[int] = set()
    minutes: set[int] = set()
    for _, node in walk(when):
        values = node.value if isinstance(node.value, tuple) else (node.value,)
        match node.field:
            case "time_on_page_s":
                on_page.update(_seconds_ms(values))
            case "time_on_site_s":
                on_site.update(_seconds_ms(values))
            case "local_time":
                marks = [minute for minute in map(minute_of, values) if minute is not None]
                minutes.update(minute for mark in marks for minute in (mark, mark + 1))
            case _:
                pass
    return Marks(
        tuple(sorted(on_page)),
        tuple(sorted(on_site)),
        tuple(sorted({minute % (24 * 60) for minute in minutes})),
    )


def _seconds_ms(values: Iterable[object]) -> Iterator[int]:
    """Where whole seconds reach a number, and where they pass it."""
    for value in values:
        number = number_of(value)
        if number is not None:
            yield from (second * 1_000 for second in (ceil(number), floor(number) + 1))


# --- the index --------------------------------------------------------------------------------


def _keys(node: Condition) -> Iterator[frozenset[Key]]:
    """Sets of keys of which a page must have one each for the condition to hold."""
    if node.field is not None:
        own = _own_keys(node, node.field)
        if own:
            yield own
    elif node.all is not None:
        for one in node.all:
            yield from _keys(one)
    elif node.any is not None:
        several = [min(_keys(one), key=len, default=None) for one in node.any]
        if None not in several:
            yield frozenset(key for keys in several if keys is not None for key in keys)


def _own_keys(node: Condition, field: str) -> frozenset[Key] | None:
    if kind_of(field) != "text":
        return None
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        return None
    if node.op in {"equals", "in"}:
        return frozenset(Key(field, "is", wanted_text(field, text, "whole")) for text in texts)
    if node.op == "starts_with":
        forms = (wanted_text(field, text, "beginning") for text in texts)
        return frozenset(Key(field, "begins", form) for form in forms)
    return None


class _Lookup(NamedTuple):
    """The rules that ask for something about one field, by their places."""

    field: str
    getter: Getter
    equal: dict[str, list[int]]
    begins: dict[int, dict[str, list[int]]]
    """By the length of the beginning."""

    def find(self, sighting: Sighting) -> Iterator[int]:
        value = self.getter(sighting)
        if not isinstance(value, str):
            return
        for form in forms_of(self.field, sighting, value):
            yield from self.equal.get(form, ())
            for length, by_text in self.begins.items():
                if length <= len(form):
                    yield from by_text.get(form[:length], ())


class RuleSet:
    """The enabled rules of a workspace in their order, with the index over them."""

    def __init__(self, rules: Iterable[CompiledRule], mode: RuleMode) -> None:
        self.mode = mode
        self.rules = sorted((one for one in rules if one.rule.enabled), key=lambda one: one.rank)
        self.timed = any(one.timed for one in self.rules)
        self._anywhere: list[int] = []
        """Places of the rules that nothing tells the page of."""
        self._lookups: dict[str, _Lookup] = {}
        common = Counter(key for one in self.rules for keys in one.keys for key in keys)
        for place, one in enumerate(self.rules):
            rarest = min(one.keys, key=lambda keys: sum(common[key] for key in keys), default=None)
            if rarest is None:
                self._anywhere.append(place)
            for key in rarest or ():
                self._enter(key, place)

    def _enter(self, key: Key, place: int) -> None:
        lookup = self._lookups.get(key.field)
        if lookup is None:
            getter = getter_of(key.field)
            assert getter is not None  # keys are of fields that are texts
            lookup = self._lookups[key.field] = _Lookup(key.field, getter, {}, {})
        if key.how == "begins":
            by_text = lookup.begins.setdefault(len(key.text), {})
        else:
            by_text = lookup.equal
        by_text.setdefault(key.text, []).append(place)

    def candidates(self, sighting: Sighting) -> Iterator[CompiledRule]:
        """In their order, all rules that may hold for the page, and few others."""
        found = [place for lookup in self._lookups.values() for place in lookup.find(sighting)]
        places = sorted({*found, *self._anywhere}) if found else self._anywhere
        return (self.rules[place] for place in places)


def next_mark(marks: Sequence[int], after: int) -> int | None:
    """The first of the sorted ``marks`` beyond ``after``."""
    place = bisect_right(marks, after)
    return marks[place] if place < len(marks) else None
