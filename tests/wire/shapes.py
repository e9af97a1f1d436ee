"""JSON values of every shape that the structs describe, found by looking at their types."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from shared.routing.ids import ID_PATTERN
from shared.routing.rules import Condition

Json = Any
INTEGER_MAX = 2**53
_ID_CHARACTERS = "-09AZ_az"
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
_FITTING = ["x-1", "09:00", "2026-12-25", "visitor:v-1"]
"""For every pattern there is, a text that it takes."""
_SENSIBLE: dict[str, dict[str, Json]] = {
    "CreateWorkspace": {"timezone": "Europe/Berlin"},
    "SetSchedule": {"timezone": "America/Argentina/Buenos_Aires"},
    "DefineWebhook": {
        "url": "https://example.org/hook?of=shop",
        "types": ["conversation_assigned", "missed"],
        "secret": "whsec_" + "c2VjcmV0" * 5,
    },
}
"""By command and field, where a value has to be more than well formed."""


def exactly_one(shape: inspect.StructType) -> bool:
    """Whether just one of the fields is given, as in ``{"group": "support"}``."""
    return shape.cls.__name__ in {"Scope", "PolicyScope", "OnBehalf", "Action"}


# --- one value, always the same -------------------------------------------------------------


def sample(shape: type[msgspec.Struct]) -> dict[str, Json]:
    """A valid body in which every field is given."""
    value = _sample(inspect.type_info(shape))
    assert isinstance(value, dict)
    return value


def _sample(shape: inspect.Type) -> Json:
    match shape:
        case inspect.StrType(pattern=pattern):
            if pattern:
                return next(text for text in _FITTING if re.match(pattern, text))
            return 'Größe: "9", z.B. [1] {2} \\ 😀'
        case inspect.IntType(ge=least):
            return least if least is not None and least > 0 else 3
        case inspect.BoolType() | inspect.AnyType():
            return True
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.UnionType(types=types):
            return _sample(next(t for t in types if not isinstance(t, inspect.NoneType)))
        case inspect.VarTupleType(item_type=item):
            return [_sample(item)]
        case inspect.TupleType(item_types=items):
            return [_sample(item) for item in items]
        case inspect.DictType(key_type=key, value_type=value):
            return {_sample(key): _sample(value)}
        case inspect.StructType(cls=cls) if cls is Condition:
            return {"not": {"field": "title", "op": "contains", "value": "x"}}
        case inspect.StructType(fields=fields):
            given = fields[:1] if exactly_one(shape) else fields
            samples = {field.encode_name: _sample(field.type) for field in given}
            return samples | _SENSIBLE.get(shape.cls.__name__, {})
        case _:
            raise NotImplementedError(str(shape))


# --- any value ------------------------------------------------------------------------------


def bodies(shape: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Json]]:
    """Valid bodies, with and without the fields that may be left out."""
    return _values(inspect.type_info(shape))


def _values(shape: inspect.Type) -> st.SearchStrategy[Json]:
    match shape:
        case inspect.StrType():
            return _texts(shape)
        case inspect.IntType(ge=least, le=most):
            return st.integers(
                -INTEGER_MAX if least is None else least, INTEGER_MAX if most is None else most
            )
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of([_values(member) for member in types])
        case inspect.VarTupleType() | inspect.TupleType() | inspect.DictType():
            return _containers(shape)
        case inspect.StructType(cls=cls):
            return _conditions(shape) if cls is Condition else _objects(shape)
        case inspect.AnyType() | inspect.CustomType():
            return st.none() | st.booleans() | st.integers(0, INTEGER_MAX) | st.text(_CHARACTERS)
        case _:
            raise NotImplementedError(str(shape))


def _containers(
    shape: inspect.VarTupleType | inspect.TupleType | inspect.DictType,
) -> st.SearchStrategy[Json]:
    match shape:
        case inspect.VarTupleType(item_type=item, min_length=least):
            return st.lists(_values(item), min_size=least or 0, max_size=4)
        case inspect.TupleType(item_types=items):
            return st.tuples(*map(_values, items)).map(list)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_values(key), _values(value), max_size=4)


def _texts(shape: inspect.StrType) -> st.SearchStrategy[str]:
    if shape.pattern is not None:
        if shape.pattern == ID_PATTERN:
            return st.text(_ID_CHARACTERS, min_size=1, max_size=64)
        return st.from_regex(shape.pattern)
    least, most = shape.min_length or 0, shape.max_length or 40
    return st.text(_CHARACTERS, min_size=least, max_size=min(most, 40)) | st.just("ß" * most)


def _objects(shape: inspect.StructType) -> st.SearchStrategy[dict[str, Json]]:
    if exactly_one(shape):
        return st.one_of([st.fixed_dictionaries({f.encode_name: _chosen(f)}) for f in shape.fields])
    sensible = _SENSIBLE.get(shape.cls.__name__, {})
    values = {f.encode_name: _values(f.type) for f in shape.fields}
    values |= {name: st.just(value) for name, value in sensible.items()}
    needed = {f.encode_name: values[f.encode_name] for f in shape.fields if f.required}
    optional = {f.encode_name: values[f.encode_name] for f in shape.fields if not f.required}
    if shape.tag is not None:
        needed = {str(shape.tag_field): st.just(shape.tag), **needed}
    return st.fixed_dictionaries(needed, optional=optional)


def _conditions(shape: inspect.StructType) -> st.SearchStrategy[dict[str, Json]]:
    """Small trees; what is a pattern at all is told by RE2 alone, so one stands for all."""
    types = {field.encode_name: field.type for field in shape.fields}
    given = {name: _values(types[name]).filter(lambda v: v is not None) for name in ("field", "op")}
    compared = st.fixed_dictionaries(given, optional={"value": _values(types["value"])})
    leaf = st.just({"always": True}) | compared.filter(lambda node: node["op"] != "matches")
    pattern = st.just({"field": "title", "op": "matches", "value": "^(a|b)+$"})
    return st.recursive(
        leaf | pattern,
        lambda below: st.one_of(
            st.fixed_dictionaries({"all": st.lists(below, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"any": st.lists(below, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"not": below}),
        ),
        max_leaves=6,
    )


def _chosen(field: inspect.Field) -> st.SearchStrategy[Json]:
    if isinstance(field.type, inspect.BoolType):
        return st.just(True)
    return _values(field.type).filter(lambda value: value is not None)


# --- all types ------------------------------------------------------------------------------


def leaves(
    shape: inspect.Type, place: str, above: tuple[type, ...] = ()
) -> Iterator[tuple[str, inspect.Type]]:
    """Every type within ``shape`` with the place where it stands, containers included.

    A struct within itself (``above`` are those that the place lies in) is not entered again.
    """
    yield place, shape
    match shape:
        case inspect.UnionType(types=types):
            for member in types:
                yield from leaves(member, place, above)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            yield from leaves(item, f"{place}[]", above)
        case inspect.TupleType(item_types=items):
            for item in items:
                yield from leaves(item, f"{place}[]", above)
        case inspect.DictType(key_type=key, value_type=value):
            yield from leaves(key, f"{place}.key", above)
            yield from leaves(value, f"{place}[]", above)
        case inspect.StructType(cls=cls, fields=fields) if cls not in above:
            for field in fields:
                yield from leaves(field.type, f"{place}.{field.encode_name}", (*above, cls))
        case _:
            return
