"""Values made after a JSON Schema alone, without the code that it was generated from."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


class Sampler:
    """Makes something that a schema allows: with every field, or with as few as may be."""

    def __init__(self, definitions: Schema, *, every_field: bool) -> None:
        self._definitions = definitions
        self._every_field = every_field

    def of(self, schema: Schema) -> Any:
        """The sample; raises ``ValueError`` for a schema in words that it does not know."""
        match schema:
            case {"$ref": "#/$defs/Condition"}:
                return {"always": True}  # that a condition says one thing stands in no schema
            case {"$ref": str(reference)}:
                return self.of(self._definitions[reference.removeprefix("#/$defs/")])
            case {"anyOf": list(members)}:
                return self.of(members[0 if self._every_field else -1])
            case {"enum": list(words)}:
                return words[0]
            case {"const": value}:
                return value
            case {"type": "object"}:
                return self._object(schema)
            case {"type": "array"}:
                return self._array(schema)
            case {"$comment": _}:
                return None
            case _:
                return _plain(schema)

    def _object(self, schema: Schema) -> dict[str, Any]:
        fields = schema.get("properties", {})
        if schema.get("maxProperties") == 1:
            given = list(fields)[:1]
        else:
            given = list(fields if self._every_field else schema.get("required", ()))
        return {name: self.of(fields[name]) for name in given}

    def _array(self, schema: Schema) -> list[Any]:
        match schema:
            case {"prefixItems": list(members)}:
                return [self.of(member) for member in members]
            case {"items": item} if self._every_field or schema.get("minItems"):
                return [self.of(item)]
            case _:
                return []


def _plain(schema: Schema) -> Any:
    match schema:
        case {"type": "string"}:
            return "09:00" if "24:00" in schema.get("pattern", "") else "x-1"
        case {"type": "integer", "maximum": int(most)}:
            return max(schema["minimum"], min(1, most))
        case {"type": "integer" | "number"}:
            return 1
        case {"type": "boolean"}:
            return True
        case {"type": "null"}:
            return None
        case _:
            raise ValueError(f"no sample of {schema}")
