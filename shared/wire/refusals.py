"""Why a body is refused: the code, the place and what may stand there, from msgspec's complaint.

A value never comes back in a message or a detail, as it may be personal; names of fields do.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
from msgspec import inspect

from shared.routing.commands import Refused
from shared.routing.ids import ID_PATTERN

BODY_BYTES_MAX = 65_536
DEPTH_MAX = 32

_NAME_SHOWN_MAX = 64

_PLACE = re.compile(r"(?P<key>key` in `)?\$(?P<path>[^`]*)`")
_UNKNOWN = "Object contains unknown field `"
_MISSING = "Object missing required field `"
_STEP = re.compile(r"\[(?:\.\.\.|\d+)\]")


def too_large(size: int) -> Refused:
    return Refused(
        "too_large",
        f"the body has {size} bytes, {BODY_BYTES_MAX} at most",
        {"bytes": size, "bytes_max": BODY_BYTES_MAX},
    )


def not_json(error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> Refused:
    """Refuse what is no JSON at all; ``error`` says how."""
    match error:
        case UnicodeDecodeError():
            reason = "invalid UTF-8"
        case RecursionError():
            return too_deep()
        case _:
            reason = str(error)
    return Refused("malformed", f"the body is not one JSON object in UTF-8: {reason}")


def too_deep() -> Refused:
    return Refused("malformed", f"the body is nested deeper than {DEPTH_MAX}")


def misshapen(
    shape: type[msgspec.Struct], complaint: str, codes: Mapping[str, str] | None = None
) -> Refused:
    """Refuse what is JSON, but not a ``shape``.

    ``complaint`` is what msgspec said. ``codes`` names the code of everything that is wrong inside
    a field of the body: ``{"policy": "invalid_policy"}``.
    """
    what, path, key = _parted(complaint)
    code = _code_of(path, codes or {})
    if what.startswith(_UNKNOWN):
        return _unknown(code, path, shown(what.removeprefix(_UNKNOWN)[:-1]))
    if what.startswith(_MISSING):
        place = _place(f"{path}.{what.removeprefix(_MISSING)[:-1]}")
        return Refused(code or "malformed", f"{place} is missing", {"path": place})
    place = _place(path)
    detail: dict[str, object] = {"path": place}
    if what.startswith("Invalid enum value"):
        allowed = sorted(set(_words(_shape(shape), path)))
        detail["allowed"] = allowed
        reason = f"one of {', '.join(allowed)} is expected"
    else:
        reason = _reason(what)
    return Refused(
        code or "malformed", f"{'a key in ' if key else ''}{place or 'the body'}: {reason}", detail
    )


def _parted(complaint: str) -> tuple[str, str, bool]:
    """What is wrong, where (``.to.group``), and whether with a key there.

    Names of unknown fields stand in a complaint as they came, and may look like places.
    """
    what, _, rest = complaint.rpartition(" - at `")
    place = _PLACE.fullmatch(rest)
    if place is None or (what.startswith(_UNKNOWN) and not what.endswith("`")):
        return complaint, "", False
    return what, place["path"], place["key"] is not None


def shown(field: str) -> str:
    """The name of a field as a message repeats it: not at any length, and only what one can see."""
    seen = "".join(letter if letter.isprintable() else "�" for letter in field[:_NAME_SHOWN_MAX])
    return seen if len(field) <= _NAME_SHOWN_MAX else f"{seen}…"


def _unknown(code: str | None, path: str, field: str) -> Refused:
    place = _place(f"{path}.{field}")
    message = f"there is no field {place}"
    return Refused(code or "unknown_field", message, {"field": field, "path": place})


def _code_of(path: str, codes: Mapping[str, str]) -> str | None:
    return codes.get(re.split(r"[.\[]", path[1:], maxsplit=1)[0])


def _place(path: str) -> str:
    return path.removeprefix(".")


def _reason(what: str) -> str:
    if repr(ID_PATTERN) in what:
        return "an id is expected: 1 to 64 of A-Z, a-z, 0-9, _ and -"
    reason = what.replace("`", "")
    return reason[:1].lower() + reason[1:]


@cache
def _shape(shape: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(shape)


def _words(shape: inspect.Type, path: str) -> Iterator[str]:
    """The words that may stand at ``path``, for example ``.fallback[0].group``."""
    match shape:
        case inspect.UnionType(types=types):
            for member in types:
                yield from _words(member, path)
        case inspect.LiteralType(values=values) if not path:
            yield from map(str, values)
        case inspect.StructType(fields=fields):
            for field in fields:
                rest = path.removeprefix(f".{field.encode_name}")
                if rest != path and rest[:1] in {"", ".", "["}:
                    yield from _words(field.type, rest)
        case inspect.VarTupleType(item_type=below) | inspect.DictType(value_type=below):
            if step := _STEP.match(path):
                yield from _words(below, path[step.end() :])
        case _:
            return
