"""Every field that comes from outside has a limit, whatever fields are added."""

from typing import get_args

import msgspec
import pytest
from msgspec import inspect

from shared.routing.commands import COMMANDS
from shared.routing.questions import EVERY_QUERY
from shared.routing.vocabulary import ActorKind
from shared.wire.bodies import OnBehalf
from tests.wire.shapes import INTEGER_MAX, leaves

SHAPES: dict[str, type[msgspec.Struct]] = {**COMMANDS, **EVERY_QUERY, "as": OnBehalf}

MAY_BE_FLOAT = {"open.attributes[]", "save_rule.when.value", "save_rule.when.value[]"}


def unlimited(shape: inspect.Type) -> str:
    match shape:
        case inspect.StrType(pattern=pattern, max_length=most):
            return "" if pattern or (most is not None and most <= 4_000) else "no length"
        case inspect.IntType(ge=least, le=most):
            if least is None or most is None:
                return "no bounds"
            return "" if least >= -INTEGER_MAX and most <= INTEGER_MAX else "bounds too wide"
        case inspect.VarTupleType(max_length=most) | inspect.DictType(max_length=most):
            return "" if most is not None and most <= 1_000 else "no length"
        case inspect.StructType(forbid_unknown_fields=strict):
            return "" if strict else "takes unknown fields"
        case inspect.AnyType() | inspect.RawType() | inspect.ListType() | inspect.BytesType():
            return "too vague"
        case _:
            return ""


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_has_a_limit(name: str) -> None:
    found = [
        f"{place}: {fault}"
        for place, shape in leaves(inspect.type_info(SHAPES[name]), name)
        if (fault := unlimited(shape))
    ]
    assert found == []


def test_floats_stand_only_where_they_are_never_calculated_with() -> None:
    places = {
        place
        for name, shape in SHAPES.items()
        for place, leaf in leaves(inspect.type_info(shape), name)
        if isinstance(leaf, inspect.FloatType)
    }
    assert places == MAY_BE_FLOAT


def test_a_missing_limit_is_found() -> None:
    class Loose(msgspec.Struct):
        text: str
        number: int
        names: tuple[str, ...]

    faults = [unlimited(shape) for _, shape in leaves(inspect.type_info(Loose), "loose")]
    assert faults == ["takes unknown fields", "no length", "no bounds", "no length", "no length"]


@pytest.mark.parametrize("shape", [*COMMANDS.values(), *EVERY_QUERY.values()])
def test_kinds_of_actor_are_those_of_the_vocabulary(shape: type[msgspec.Struct]) -> None:
    allowed: tuple[str, ...] = getattr(shape, "allowed", ())
    assert allowed
    assert set(allowed) <= set(get_args(ActorKind))
