"""Rules judged the slow way, and pages and trees to judge: a second opinion on compiled rules.

Nothing is prepared, looked up or shared with the evaluator but the normal form of addresses.
"""

import re
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from services.trigger_evaluator.addresses import address_of, address_wanted, host_of, text_of
from services.trigger_evaluator.sighting import Now, Surroundings
from services.trigger_evaluator.visit import Page
from shared.routing.ids import EntryPointId, GroupId, Position, RuleId, UnixMs
from shared.routing.rules import Condition, Rule

NOON = UnixMs(1_765_281_600_000)
"""12:00 in UTC, 13:00 in Berlin."""
AROUND = Surroundings(
    zone=ZoneInfo("Europe/Berlin"),
    open={EntryPointId("site"): True, EntryPointId("shop"): False},
    online=2,
    online_in={GroupId("support"): 1, GroupId("empty"): 0},
)


def page(**fields: Any) -> Page:
    """A page with nothing known of it but an address."""
    known: dict[str, Any] = {
        "view": "view-1",
        "entry_point_id": EntryPointId("site"),
        "url": "https://example.org/",
        "title": None,
        "referrer": None,
        "language": None,
        "country": None,
        "device": None,
        "custom": {},
        "since_ms": 0,
        "site_since_ms": 0,
        "pages_seen": 1,
        "visit_count": 1,
        "returning": False,
    }
    return Page(**(known | fields))


def now(elapsed_ms: int = 0) -> Now:
    return Now(UnixMs(NOON + elapsed_ms), elapsed_ms)


def rule(when: Condition, rule_id: str = "r", **fields: Any) -> Rule:
    known: dict[str, Any] = {
        "rule_id": RuleId(rule_id),
        "version": Position(1),
        "name": rule_id,
        "order": 0,
        "enabled": True,
        "when": when,
        "then": (),
        "frequency": "once_per_session",
        "override": False,
        "only_when_live": True,
    }
    return Rule(**(known | fields))


# --- the second opinion -----------------------------------------------------------------------


def value_of(field: str, seen: Page, elapsed_ms: int) -> Any:
    address = address_of(seen.url)
    minutes = 13 * 60 + elapsed_ms // 60_000
    values: dict[str, Any] = {
        "current_url": address.text,
        "url_host": address.host or None,
        "url_path": address.path or None,
        "title": seen.title,
        "referrer": address_of(seen.referrer).text if seen.referrer else None,
        "time_on_page_s": (elapsed_ms - seen.since_ms) // 1_000,
        "time_on_site_s": (elapsed_ms - seen.site_since_ms) // 1_000,
        "pages_seen": seen.pages_seen,
        "visit_count": seen.visit_count,
        "returning": seen.returning,
        "country": seen.country,
        "language": seen.language,
        "device": seen.device,
        "entry_point": seen.entry_point_id,
        "local_time": f"{minutes // 60:02}:{minutes % 60:02}",
        "open_hours": {"site": True, "shop": False}.get(seen.entry_point_id),
        "operators_online": 2,
        "operators_online.support": 1,
        "operators_online.empty": 0,
    }
    if field.startswith("url_query."):
        return address.parameters().get(field[10:])
    if field.startswith("custom."):
        return seen.custom.get(field[7:])
    return values.get(field)


def holds(when: Condition, seen: Page, elapsed_ms: int) -> bool:
    if when.all is not None:
        return all(holds(one, seen, elapsed_ms) for one in when.all)
    if when.any is not None:
        return any(holds(one, seen, elapsed_ms) for one in when.any)
    if when.negated is not None:
        return not holds(when.negated, seen, elapsed_ms)
    if when.field is None:
        return True
    actual = value_of(when.field, seen, elapsed_ms)
    return _fulfils(when.field, str(when.op), actual, when.value)


def _fulfils(field: str, op: str, actual: Any, wanted: Any) -> bool:
    if op == "exists":
        return (actual is not None) == (wanted is not False)
    if actual is None:
        return False
    if op == "in":
        return any(_fulfils(field, "equals", actual, one) for one in wanted)
    if op == "not_equals":
        same = [_equal(field, one, wanted) for one in _forms(field, actual)]
        return True not in same and False in same
    if op == "equals":
        return any(_equal(field, one, wanted) for one in _forms(field, actual))
    if op in {"gt", "gte", "lt", "lte"}:
        return _ordered(op, actual, wanted)
    if not isinstance(actual, str):
        return False
    return any(_piece(field, op, one, wanted) for one in _forms(field, actual))


def _forms(field: str, actual: Any) -> list[Any]:
    if field in {"current_url", "referrer"}:
        return [actual, actual.split("://", 1)[-1].removeprefix("//")]
    return [actual]


def _equal(field: str, actual: Any, wanted: Any) -> bool | None:
    if isinstance(actual, str) and isinstance(wanted, str):
        return actual.casefold() == _normal(field, wanted, "whole").casefold()
    if isinstance(actual, bool) or isinstance(wanted, bool):
        words = {"true": True, "false": False, True: True, False: False}
        one = words.get(actual.casefold() if isinstance(actual, str) else actual)
        other = words.get(wanted.casefold() if isinstance(wanted, str) else wanted)
        if not isinstance(actual, bool | str) or not isinstance(wanted, bool | str):
            return None
        return None if one is None or other is None else one is other
    one, other = _number(actual), _number(wanted)
    return None if one is None or other is None else one == other


def _ordered(op: str, actual: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and re.fullmatch("[0-9]{2}:[0-9]{2}", wanted):
        if not isinstance(actual, str) or not re.fullmatch("[0-9]{2}:[0-9]{2}", actual):
            return False
        one, other = actual, wanted
    else:
        one, other = _number(actual), _number(wanted)
        if one is None or other is None:
            return False
    return {"gt": one > other, "gte": one >= other, "lt": one < other, "lte": one <= other}[op]


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value) else None
    return value


def _piece(field: str, op: str, actual: str, wanted: str) -> bool:
    text = actual.casefold()
    match op:
        case "starts_with":
            return text.startswith(_normal(field, wanted, "beginning").casefold())
        case "ends_with":
            return text.endswith(_normal(field, wanted, "piece").casefold())
        case "contains":
            return _normal(field, wanted, "piece").casefold() in text
        case "wildcard":
            extent = "pattern" if "*" in wanted or "?" in wanted else "whole"
            pieces = [
                ".*" if letter == "*" else "." if letter == "?" else re.escape(letter)
                for letter in _normal(field, wanted, extent).casefold()
            ]
            return re.fullmatch("".join(pieces), text, re.DOTALL | re.IGNORECASE) is not None
        case _:
            return re.search(wanted, actual, re.IGNORECASE) is not None


def _normal(field: str, wanted: str, extent: Any) -> str:
    if field in {"current_url", "referrer"}:
        return text_of(wanted) if extent == "piece" else address_wanted(wanted, extent)
    if field == "url_host":
        return text_of(wanted) if extent in {"piece", "pattern"} else host_of(wanted)
    return text_of(wanted) if field == "url_path" else wanted


# --- random rules and pages -------------------------------------------------------------------

_HOSTS = st.sampled_from(["example.org", "EXAMPLE.org", "shop.example.org", "münchen.de", "x"])
_PATHS = st.sampled_from(["", "/", "/fr", "/fr/", "/FR/a%20b", "/de/../fr/", "/café", "/caf%C3%A9"])
_QUERIES = st.sampled_from(["", "?", "?page=2", "?page=two&vip=TRUE", "?a=b+c"])
urls = st.builds(
    lambda scheme, host, path, query: f"{scheme}{host}{path}{query}",
    st.sampled_from(["https://", "http://", "HTTPS://", "//", ""]),
    _HOSTS,
    _PATHS,
    _QUERIES,
)
words = st.sampled_from(["de", "DE", "fr", "Français", "2", "2.0", "true", "ß", "SS", "", "a*b"])
plain = words | st.integers(-3, 3) | st.sampled_from([0.5, 2.0]) | st.booleans()
times = st.sampled_from(["08:00", "13:00", "13:01", "23:59"])

pages = st.builds(
    page,
    entry_point_id=st.sampled_from(["site", "shop", "gone"]),
    url=urls,
    title=st.none() | words,
    referrer=st.none() | urls,
    language=st.none() | words,
    country=st.none() | words,
    device=st.none() | words,
    custom=st.dictionaries(st.sampled_from(["a", "b"]), plain | st.none()),
    pages_seen=st.integers(1, 3),
    visit_count=st.integers(1, 3),
    returning=st.booleans(),
)

_TEXTS = ("current_url", "url_host", "url_path", "title", "referrer", "country", "language")
_NUMBERS = ("time_on_page_s", "time_on_site_s", "pages_seen", "visit_count", "operators_online")
_FAMILIES = ("url_query.page", "url_query.vip", "custom.a", "custom.b")
_PATTERNS = st.sampled_from(["fr", "^https", "a.b", "[0-9]+", "o.g/", "^$"])


def _condition(field: str, op: str, value: Any) -> Condition:
    return Condition(field=field, op=op, value=value)  # type: ignore[arg-type]


def _on(fields: tuple[str, ...], op: str, values: Any) -> Any:
    return st.builds(_condition, st.sampled_from(fields), st.just(op), values)


_texts = urls | words.filter(bool)
leaves = st.one_of(
    *(
        _on((*_TEXTS, "device", "entry_point"), op, _texts)
        for op in ("equals", "not_equals", "contains", "starts_with", "ends_with", "wildcard")
    ),
    _on(_TEXTS, "in", st.lists(_texts, min_size=1, max_size=3).map(tuple)),
    _on((*_TEXTS, *_FAMILIES), "matches", _PATTERNS),
    _on((*_TEXTS, *_NUMBERS, *_FAMILIES, "open_hours"), "exists", st.none() | st.booleans()),
    _on(_FAMILIES, "equals", plain),
    _on(_FAMILIES, "not_equals", plain),
    _on(_FAMILIES, "in", st.lists(plain, min_size=1, max_size=3).map(tuple)),
    *(
        _on((*_NUMBERS, *_FAMILIES, "operators_online.support", "operators_online.none"), op, n)
        for n in [st.integers(-1, 4) | st.just(1.5)]
        for op in ("equals", "not_equals", "gt", "gte", "lt", "lte")
    ),
    *(_on(("local_time",), op, times) for op in ("equals", "not_equals", "gt", "gte", "lt", "lte")),
    _on(("returning", "open_hours"), "equals", st.booleans()),
)
trees: st.SearchStrategy[Condition] = st.recursive(
    leaves | st.just(Condition(always=True)),
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda several: Condition(all=tuple(several))),
        st.lists(below, min_size=1, max_size=3).map(lambda several: Condition(any=tuple(several))),
        below.map(lambda one: Condition(negated=one)),
    ),
    max_leaves=8,
)
