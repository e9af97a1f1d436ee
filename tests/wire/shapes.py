"""JSON values of every shape that the structs describe, found by looking at their types."""

from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from shared.routing.ids import ID_PATTERN

Json = Any
INTEGER_MAX = 2**53
_ID_CHARACTERS = "-09AZ_az"
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")


def exactly_one(shape: inspect.StructType) -> bool:
    """Whether just one of the fields is given, as in ``{"group": "support"}``."""
    return shape.cls.__name__ in {"Scope", "PolicyScope", "OnBehalf"}


# --- one value, always the same -------------------------------------------------------------


def sample(shape: type[msgspec.Struct]) -> dict[str, Json]:
    """A valid body in which every field is given."""
    value = _sample(inspect.type_info(shape))
    assert isinstance(value, dict)
    return value


def _sample(shape: inspect.Type) -> Json:
    match shape:
        case inspect.StrType(pattern=pattern):
            return "x-1" if pattern else 'Größe: "9", z.B. [1] {2} \\ 😀'
        case inspect.IntType(ge=least):
            return least if least is not None and least > 0 else 3
        case inspect.BoolType():
            return True
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.UnionType(types=types):
            return _sample(next(t for t in types if not isinstance(t, inspect.NoneType)))
        case inspect.VarTupleType(item_type=item):
            return [_sample(item)]
        case inspect.DictType(key_type=key, value_type=value):
            return {_sample(key): _sample(value)}
        case inspect.StructType(fields=fields):
            given = fields[:1] if exactly_one(shape) else fields
            return {field.encode_name: _sample(field.type) for field in given}
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
        case inspect.VarTupleType(item_type=item, min_length=least):
            return st.lists(_values(item), min_size=least or 0, max_size=4)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_values(key), _values(value), max_size=4)
        case inspect.StructType():
            return _objects(shape)
        case inspect.AnyType() | inspect.CustomType():
            return st.none() | st.booleans() | st.integers(0, INTEGER_MAX) | st.text(_CHARACTERS)
        case _:
            raise NotImplementedError(str(shape))


def _texts(shape: inspect.StrType) -> st.SearchStrategy[str]:
    if shape.pattern is not None:
        assert shape.pattern == ID_PATTERN, "teach the strategies this pattern"
        return st.text(_ID_CHARACTERS, min_size=1, max_size=64)
    least, most = shape.min_length or 0, shape.max_length or 40
    return st.text(_CHARACTERS, min_size=least, max_size=min(most, 40)) | st.just("ß" * most)


def _objects(shape: inspect.StructType) -> st.SearchStrategy[dict[str, Json]]:
    if exactly_one(shape):
        return st.one_of([st.fixed_dictionaries({f.encode_name: _chosen(f)}) for f in shape.fields])
    needed = {f.encode_name: _values(f.type) for f in shape.fields if f.required}
    optional = {f.encode_name: _values(f.type) for f in shape.fields if not f.required}
    if shape.tag is not None:
        needed = {str(shape.tag_field): st.just(shape.tag), **needed}
    return st.fixed_dictionaries(needed, optional=optional)


def _chosen(field: inspect.Field) -> st.SearchStrategy[Json]:
    if isinstance(field.type, inspect.BoolType):
        return st.just(True)
    return _values(field.type).filter(lambda value: value is not None)


# --- all types ------------------------------------------------------------------------------


def leaves(shape: inspect.Type, place: str) -> Iterator[tuple[str, inspect.Type]]:
    """Every type within ``shape`` with the place where it stands, containers included."""
    yield place, shape
    match shape:
        case inspect.UnionType(types=types):
            for member in types:
                yield from leaves(member, place)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            yield from leaves(item, f"{place}[]")
        case inspect.DictType(key_type=key, value_type=value):
            yield from leaves(key, f"{place}.key")
            yield from leaves(value, f"{place}[]")
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from leaves(field.type, f"{place}.{field.encode_name}")
        case _:
            return
