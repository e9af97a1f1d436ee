"""What the conditions of rules may say: what kind each field is of, and what it is compared with.

Whether a condition holds for a page view is found out elsewhere.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from shared.routing.rules import CONDITIONS_MAX, FAMILIES, FIELDS, Condition, Op, Value

FieldKind = Literal["text", "number", "truth", "time", "any"]
"""``time`` is ``HH:MM``; ``any`` comes from a page and may be a text, a number, true or false."""

_KINDS: dict[str, FieldKind] = {
    "time_on_page_s": "number",
    "time_on_site_s": "number",
    "pages_seen": "number",
    "visit_count": "number",
    "operators_online": "number",
    "returning": "truth",
    "open_hours": "truth",
    "local_time": "time",
}
_FAMILY_KINDS: dict[str, FieldKind] = {
    "url_query.": "any",
    "operators_online.": "number",
    "custom.": "any",
}
_EQUAL: tuple[Op, ...] = ("equals", "not_equals", "in", "exists")
_TEXT: tuple[Op, ...] = ("contains", "starts_with", "ends_with", "wildcard", "matches")
_ORDER: tuple[Op, ...] = ("gt", "gte", "lt", "lte")
OPS: dict[FieldKind, tuple[Op, ...]] = {
    "text": _EQUAL + _TEXT,
    "number": _EQUAL + _ORDER,
    "truth": ("equals", "not_equals", "exists"),
    "time": _EQUAL + _ORDER,
    "any": _EQUAL + _TEXT + _ORDER,
}
"""How a field of each kind can be compared."""
_WANTED: dict[FieldKind, str] = {
    "text": "a text",
    "number": "a number",
    "truth": "true or false",
    "time": "a time as HH:MM",
    "any": "a text, a number, true or false",
}


class Fault(NamedTuple):
    """What is wrong with a rule, and where: ``when.all[0].field``."""

    path: str
    reason: str


def walk(condition: Condition, path: str = "when") -> Iterator[tuple[str, Condition]]:
    """Every node of the tree with its path, each before those below it."""
    yield path, condition
    for name, several in (("all", condition.all), ("any", condition.any)):
        for number, below in enumerate(several or ()):
            yield from walk(below, f"{path}.{name}[{number}]")
    if condition.negated is not None:
        yield from walk(condition.negated, f"{path}.not")


def fault_in(when: Condition) -> Fault | None:
    """The first thing in the tree that makes no sense."""
    for number, (path, node) in enumerate(walk(when), start=1):
        if number > CONDITIONS_MAX:
            return Fault("when", f"at most {CONDITIONS_MAX} conditions are allowed")
        if node.field is not None and (fault := _fault_of(path, node, node.field)) is not None:
            return fault
    return None


def kind_of(field: str) -> FieldKind | None:
    """What a field is made of; none if there is no such field."""
    if field in FIELDS:
        return _KINDS.get(field, "text")
    for family in FAMILIES:
        if field.startswith(family) and len(field) > len(family):
            return _FAMILY_KINDS[family]
    return None


def _fault_of(path: str, node: Condition, field: str) -> Fault | None:
    kind = kind_of(field)
    if kind is None:
        return Fault(f"{path}.field", f"there is no field {field}")
    if node.op not in OPS[kind]:
        return Fault(f"{path}.op", f"{field} can be compared by {', '.join(OPS[kind])}")
    wanted = _unmet(kind, node.op, node.value)
    return Fault(f"{path}.value", f"{wanted} is expected") if wanted else None


def _unmet(kind: FieldKind, op: Op, value: Value | None) -> str:
    """What is expected in the place of ``value``; empty if it is as expected."""
    if op == "exists":
        return "" if value is None or isinstance(value, bool) else "true or false, or nothing"
    if op in _TEXT:
        return "" if isinstance(value, str) and value else "a text"
    if op in _ORDER and kind == "any":
        return "" if _fits("number", value) else "a number"
    if op == "in":
        several = value if isinstance(value, tuple) else ()
        fits = several and all(_fits(kind, one) for one in several)
        return "" if fits else f"a list, each {_WANTED[kind]},"
    return "" if _fits(kind, value) else _WANTED[kind]


def _fits(kind: FieldKind, value: Any) -> bool:
    if value is None or isinstance(value, tuple):
        return False
    match kind:
        case "text":
            return isinstance(value, str)
        case "number":
            return not isinstance(value, str | bool)
        case "truth":
            return isinstance(value, bool)
        case "time":
            return isinstance(value, str) and _is_time(value)
        case _:
            return True


def _is_time(text: str) -> bool:
    hours, colon, minutes = text.partition(":")
    if (len(hours), colon, len(minutes)) != (2, ":", 2):
        return False
    digits = f"{hours}{minutes}"
    if not (digits.isascii() and digits.isdecimal()):
        return False
    return int(hours) < 24 and int(minutes) < 60
