"""What valid JSON may hold and a request may not: keys said twice, the character NUL, great depth.

msgspec keeps the last of two equal keys, lets a body say one thing to us and another to a reader
that keeps the first; PostgreSQL cannot store NUL; and depth is a stack in somebody's process.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.routing.commands import Refused
from shared.wire.refusals import DEPTH_MAX, shown, too_deep

_NUL = b"\\u0000"
_SPACED_COLON = re.compile(rb"[ \t\r\n]:")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:?)')
"""A string and the colon behind it, if it is a key. Outside of strings JSON has no quotes."""

_decode = msgspec.json.Decoder().decode


def breach(body: bytes) -> Refused | None:
    """What ``body``, a valid JSON object, does that is refused all the same.

    Every step costs more than the one before and is taken only if that one left a doubt. There are
    as many colons as keys, or more if texts hold some. A container below the top is the value of a
    key or stands in an array, so that the depth is at most one more than the colons and opening
    brackets.
    """
    colons = body.count(b":")
    deep = colons + body.count(b"[") >= DEPTH_MAX
    nul = _NUL in body
    if colons < 2 and not deep and not nul:
        return None
    content = _decode(body)
    if deep and _deeper(content, DEPTH_MAX):
        return too_deep()
    if len(content) < colons and _says_twice(body, colons, _keys(content)):
        return _repeated(body)
    if nul and (place := next(_places_of_nul(content, ""), None)) is not None:
        return Refused(
            "malformed", f"{place}: the character U+0000 cannot be stored", {"path": place}
        )
    return None


def _below(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_deeper(item, levels - 1) for item in _below(value))


def _keys(container: Any) -> int:
    """How many different keys there are, counted per object."""
    count = 0
    if type(container) is dict:
        count = len(container)
        container = container.values()
    for item in container:
        kind = type(item)
        if kind is dict or kind is list:
            count += _keys(item)
    return count


def _says_twice(body: bytes, colons: int, keys: int) -> bool:
    """Whether more keys are written than the ``keys`` different ones."""
    if keys == colons:
        return False
    if keys == body.count(b'":') and _SPACED_COLON.search(body) is None:
        return False  # a text would have to begin with a colon, or hold a quote before one
    return keys < _STRING.findall(body).count(b":")


class _Repeated(ValueError):
    """Carries the key that stands twice."""


def _repeated(body: bytes) -> Refused:
    field = ""
    try:
        json.loads(body, object_pairs_hook=_without_repetition, parse_int=str, parse_float=str)
    except _Repeated as repeated:
        field = shown(str(repeated))
    return Refused("malformed", f"the field {field} stands twice in one object", {"field": field})


def _without_repetition(pairs: list[tuple[str, Any]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise _Repeated(name)
        names.add(name)


def _places_of_nul(value: object, place: str) -> Iterator[str]:
    match value:
        case str() if "\0" in value:
            yield place
        case dict():
            for name, item in value.items():
                if "\0" in name:
                    yield f"a key in {place or 'the body'}"
                yield from _places_of_nul(item, f"{place}.{shown(name)}".removeprefix("."))
        case list():
            for index, item in enumerate(value):
                yield from _places_of_nul(item, f"{place}[{index}]")
        case _:
            return
