"""How one condition is compared: a test that says yes, no, or why it cannot tell.

Texts are compared whatever their case, addresses in their normal form. What is not known, or not of
the kind that is asked for, fulfils no condition.
"""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Literal, assert_never

from services.trigger_evaluator.addresses import Extent, address_wanted, host_of, text_of
from services.trigger_evaluator.sighting import Getter, Sighting, getter_of
from services.trigger_evaluator.visit import Plain
from shared.routing.conditions import kind_of
from shared.routing.rules import Condition, Op
from shared.wire.rule_patterns import BadPattern, pattern_of, wildcard_of

Doubt = Literal[
    "no_such_field",
    "unknown",
    "not_a_text",
    "not_a_number",
    "not_comparable",
    "bad_pattern",
    "bad_value",
]
"""Why a condition cannot be told to hold or not; it does not, then."""

Test = Callable[[Sighting], bool | Doubt]

ADDRESSES = ("current_url", "referrer")

_NUMERIC = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_ORDERS: dict[Op, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def test_of(condition: Condition) -> Test:
    """The test of a condition on a field, with all that can be prepared done."""
    assert condition.field is not None
    assert condition.op is not None
    getter = getter_of(condition.field)
    if getter is None:
        return lambda _sighting: "no_such_field"
    wanted = condition.value
    match condition.op:
        case "exists":
            return _exists(getter, present=wanted is not False)
        case "equals" | "not_equals" | "in":
            several = wanted if isinstance(wanted, tuple) else (wanted,)
            return _equal(condition.field, getter, several, negated=condition.op == "not_equals")
        case "gt" | "gte" | "lt" | "lte":
            return _order(getter, wanted, _ORDERS[condition.op])
        case "contains" | "starts_with" | "ends_with" | "wildcard" | "matches":
            if not isinstance(wanted, str):
                return lambda _sighting: "bad_value"
            if condition.op == "matches":
                return _pattern(getter, wanted)
            return _piece(condition.field, getter, condition.op, wanted)
        case _:
            assert_never(condition.op)


# --- values as they are compared ------------------------------------------------------------


def wanted_text(field: str, text: str, extent: Extent) -> str:
    """A text that a rule asks for, in the form that ``field`` has."""
    if field in ADDRESSES:
        text = address_wanted(text, extent)
    elif field == "url_host":
        text = host_of(text) if extent != "pattern" else text_of(text)
    elif field == "url_path":
        text = text_of(text)
    return text.casefold()


def forms_of(field: str, sighting: Sighting, text: str) -> Sequence[str]:
    """The forms in which a text is found, folded: an address also without its scheme."""
    folded = sighting.folded(field, text)
    if field in ADDRESSES:
        return folded, folded.partition("://")[2] or folded.removeprefix("//")
    return (folded,)


def number_of(value: object) -> int | float | None:
    """A number, or a text that is one."""
    if isinstance(value, str):
        if not _NUMERIC.fullmatch(value):
            return None
        return float(value) if "." in value else int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def minute_of(value: object) -> int | None:
    """A time of the day as ``HH:MM``, in minutes."""
    if not isinstance(value, str) or len(value) != 5 or value[2] != ":":
        return None
    hours, minutes = value[:2], value[3:]
    if not (hours + minutes).isascii() or not (hours + minutes).isdecimal():
        return None
    return int(hours) * 60 + int(minutes)


def _truth_of(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.casefold())
    return value if isinstance(value, bool) else None


# --- tests ----------------------------------------------------------------------------------


def _exists(getter: Getter, *, present: bool) -> Test:
    return lambda sighting: (getter(sighting) is not None) is present


def _equal(field: str, getter: Getter, wanted: Sequence[object], *, negated: bool) -> Test:
    texts = frozenset(wanted_text(field, one, "whole") for one in wanted if isinstance(one, str))
    only_texts = all(isinstance(one, str) for one in wanted)

    def test(sighting: Sighting) -> bool | Doubt:
        value = getter(sighting)
        if value is None:
            return "unknown"
        if isinstance(value, str):
            for form in forms_of(field, sighting, value):
                if form in texts:
                    return not negated
            if only_texts:
                return negated
        outcomes = [_same(value, one) for one in wanted]
        if True in outcomes:
            return not negated
        return negated if False in outcomes else "not_comparable"

    return test


def _same(value: Plain, wanted: object) -> bool | None:
    """Whether they are equal; none if they are of kinds that cannot be."""
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()
    if isinstance(value, bool) or isinstance(wanted, bool):
        ours, theirs = _truth_of(value), _truth_of(wanted)
        return None if ours is None or theirs is None else ours is theirs
    mine, other = number_of(value), number_of(wanted)
    return None if mine is None or other is None else mine == other


def _order(getter: Getter, wanted: object, compare: Callable[[float, float], bool]) -> Test:
    minutes = minute_of(wanted)
    if minutes is not None:
        return _compared(getter, minute_of, minutes, compare, "not_comparable")
    limit = number_of(wanted)
    if limit is None:
        return lambda _sighting: "bad_value"
    return _compared(getter, number_of, limit, compare, "not_a_number")


def _compared(
    getter: Getter,
    taken: Callable[[object], float | None],
    limit: float,
    compare: Callable[[float, float], bool],
    doubt: Doubt,
) -> Test:
    as_it_is = int if taken is number_of else None

    def test(sighting: Sighting) -> bool | Doubt:
        value = getter(sighting)
        if type(value) is as_it_is:
            return compare(value, limit)
        if value is None:
            return "unknown"
        number = taken(value)
        return doubt if number is None else compare(number, limit)

    return test


def _piece(field: str, getter: Getter, op: Op, wanted: str) -> Test:
    if op == "wildcard":
        whole = not ("*" in wanted or "?" in wanted)
        text = wanted_text(field, wanted, "whole" if whole else "pattern")
        find = _wildcard(text)
        return (lambda _sighting: "bad_pattern") if find is None else _found(field, getter, find)
    if op == "starts_with":
        text = wanted_text(field, wanted, "beginning")
        return _found(field, getter, lambda form: form.startswith(text))
    text = (text_of(wanted) if field in {*ADDRESSES, "url_path", "url_host"} else wanted).casefold()
    if op == "ends_with":
        return _found(field, getter, lambda form: form.endswith(text))
    return _found(field, getter, lambda form: text in form)


def _found(field: str, getter: Getter, find: Callable[[str], object]) -> Test:
    if field in ADDRESSES:
        return _found_in_address(field, getter, find)

    def test(sighting: Sighting) -> bool | Doubt:
        value = getter(sighting)
        if isinstance(value, str):
            return bool(find(sighting.folded(field, value)))
        return "unknown" if value is None else "not_a_text"

    return test


def _found_in_address(field: str, getter: Getter, find: Callable[[str], object]) -> Test:
    def test(sighting: Sighting) -> bool | Doubt:
        value = getter(sighting)
        if not isinstance(value, str):
            return "unknown"
        for form in forms_of(field, sighting, value):
            if find(form):
                return True
        return False

    return test


def _wildcard(text: str) -> Callable[[str], object] | None:
    """``*`` is any text, also none, and ``?`` any one character; none if the pattern is too long.

    Without ``?`` it takes no pattern: each piece is looked for behind the one before.
    """
    if "?" in text or "*" not in text:
        try:
            return wildcard_of(text).fullmatch
        except BadPattern:
            return None
    first, *middle, last = text.split("*")

    def find(form: str) -> bool:
        at, end = len(first), len(form) - len(last)
        if at > end or not form.startswith(first) or not form.endswith(last):
            return False
        for piece in middle:
            at = form.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return find


def _pattern(getter: Getter, wanted: str) -> Test:
    try:
        pattern = pattern_of(wanted)
    except BadPattern:
        return lambda _sighting: "bad_pattern"

    def test(sighting: Sighting) -> bool | Doubt:
        value = getter(sighting)
        if value is None:
            return "unknown"
        if not isinstance(value, str):
            return "not_a_text"
        return pattern.search(value) is not None

    return test


# --- kinds of fields -------------------------------------------------------------------------


def is_timed(field: str) -> bool:
    """Whether its value changes by time alone."""
    return field in {"time_on_page_s", "time_on_site_s", "local_time"}


def is_settled(field: str) -> bool:
    """Whether its value is that of the page view, and stays."""
    return not is_timed(field) and field.partition(".")[0] not in {"operators_online", "open_hours"}


def is_text(field: str) -> bool:
    """Whether its values are always texts."""
    return kind_of(field) == "text"
