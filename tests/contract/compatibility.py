"""Whether who knows the schemas of one release gets along with those of another: what was broken.

What front ends *send* has to stay valid: fields stay, none becomes mandatory, words and limits that
were allowed are. What they *hear* has to stay readable: fields stay and do not go missing, nothing
comes in another type. Words and tagged messages may be added to what is heard, as readers are told
to expect. Events are held to both, since the log brings old ones back. Texts do not count.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
Files = Mapping[str, Schema]
"""The documents of one release by the name of their file: ``commands``."""

_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "minLength", "minItems", "minProperties")


class Way(NamedTuple):
    """Who writes it: front ends (``sent``), Fernamt (``heard``), or both at different times."""

    sent: bool
    heard: bool


SENT, HEARD, KEPT = Way(sent=True, heard=False), Way(sent=False, heard=True), Way(True, True)


def breaches(old: Files, new: Files) -> list[str]:
    """What the newer schemas break, a line for each: the message, the field, and what is wrong."""
    found: list[str] = []
    for file, document in old.items():
        if file not in new:
            found.append(f"{file}: there is no such file any more")
            continue
        found += _of_file(file, document["$defs"], new[file]["$defs"])
    return found


def moved(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Subjects, by what is said on them, that are no longer where they were."""
    return [
        f"{name}: {subject} is {new.get(name, 'gone')} now"
        for name, subject in old.items()
        if new.get(name) != subject
    ]


def _of_file(file: str, old: Schema, new: Schema) -> Iterator[str]:
    for name in old:
        if name not in new:
            yield f"{file}: {name} is gone"
        elif _stands_for_itself(name):
            yield from _who(f"{file}: {name}", old[name], new[name])
            yield from Comparison(old, new, _way(file, name)).of(
                old[name], new[name], f"{file}: {name}"
            )


def _stands_for_itself(name: str) -> bool:
    """Names of messages, other than of the classes that they are made of, begin in lower case."""
    return name[0].islower() or name in {
        "Answered",
        "NotDone",
        "SeenAnswer",
        "ErrorCode",
        "Envelope",
        "OnBehalf",
    }


def _way(file: str, name: str) -> Way:
    if name == "OnBehalf" or name.startswith("question."):
        return SENT
    if file == "events":
        return KEPT
    return (
        SENT if file in {"commands", "queries", "beats", "transcripts"} or name == "seen" else HEARD
    )


def _who(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for kind in old.get("x-allowed", ()):
        if kind not in new.get("x-allowed", ()):
            yield f"{where}: may no longer be sent by {kind}"
    if old.get("x-reserved") != new.get("x-reserved"):
        yield f"{where}: is reserved to {new.get('x-reserved')} now"


class Comparison:
    """Compares two schemas, each with the definitions that it refers to."""

    def __init__(self, old: Schema, new: Schema, way: Way) -> None:
        self._old = old
        self._new = new
        self._way = way
        self._under_way: set[tuple[int, int]] = set()

    def of(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        """What ``new`` breaks for whoever knows ``old``; ``where`` it stands."""
        before, after = _alternatives(old, self._old), _alternatives(new, self._new)
        for kind in before:
            if kind not in after:
                yield f"{where}: may no longer be {kind}"
        for kind in after:
            if self._way.heard and kind not in before and not kind.startswith("the message "):
                yield f"{where}: may now be {kind}"
        for kind in before:
            if kind in after:
                yield from self._once(before[kind], after[kind], where)

    def _once(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        """As ``_same_kind``, unless that is where we are: a condition may hold conditions."""
        pair = (id(old), id(new))
        if pair not in self._under_way:
            self._under_way.add(pair)
            yield from self._same_kind(old, new, where)
            self._under_way.remove(pair)

    def _same_kind(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        for word in old.get("enum", ()):
            if word not in new.get("enum", ()):
                yield f"{where}: the word {word} is gone"
        if self._way.sent:
            yield from _limits(old, new, where)
        yield from self._fields(old, new, where)
        yield from self._items(old, new, where)

    def _fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        mandatory_before, mandatory = set(old.get("required", ())), set(new.get("required", ()))
        for field, content in before.items():
            place = f"{where}.{field}"
            if field not in after:
                yield f"{place}: the field is gone"
                continue
            if self._way.sent and field in mandatory - mandatory_before:
                yield f"{place}: the field is mandatory now"
            if self._way.heard and field in mandatory_before - mandatory:
                yield f"{place}: the field may be missing now"
            yield from self.of(content, after[field], place)
        for field in after:
            if self._way.sent and field not in before and field in mandatory:
                yield f"{where}.{field}: the new field is mandatory"
        yield from self._others(
            old.get("additionalProperties"), new.get("additionalProperties"), where
        )

    def _others(self, old: Any, new: Any, where: str) -> Iterator[str]:
        """Fields of any name."""
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from self.of(old, new, f"{where}.*")
        elif isinstance(old, Mapping) != isinstance(new, Mapping):
            yield f"{where}: is an object of another kind"
        elif self._way.sent and new is False and old is not False:
            yield f"{where}: other fields are refused now"

    def _items(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(before) != len(after):
            yield f"{where}: has {len(after)} places now"
        for number, (item, other) in enumerate(zip(before, after, strict=False)):
            yield from self.of(item, other, f"{where}[{number}]")
        item, other = old.get("items"), new.get("items")
        if isinstance(item, Mapping) and isinstance(other, Mapping):
            yield from self.of(item, other, f"{where}[]")


def _limits(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for limit in _UPPER:
        if limit in new and new[limit] < old.get(limit, float("inf")):
            yield f"{where}: {limit} is {new[limit]} now"
    for limit in _LOWER:
        if limit in new and new[limit] > old.get(limit, float("-inf")):
            yield f"{where}: {limit} is {new[limit]} now"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{where}: has to match {new['pattern']} now"
    if "propertyNames" in new:
        yield from _limits(old.get("propertyNames", {}), new["propertyNames"], f"{where}.*")


# --- what may stand in one place ------------------------------------------------------------


def _alternatives(schema: Schema, definitions: Schema) -> dict[str, Schema]:
    """Everything that a schema allows, by what tells it apart from the rest."""
    found: dict[str, Schema] = {}
    for plain in _flat(schema, definitions):
        kind = _kind(plain)
        if kind in found and "enum" not in plain:
            raise ValueError(f"two that are {kind} cannot be told apart: {schema}")
        found[kind] = {"enum": found[kind]["enum"] + plain["enum"]} if kind in found else plain
    return found


def _flat(schema: Schema, definitions: Schema) -> Iterator[Schema]:
    match schema:
        case {"$ref": str(reference)}:
            yield from _flat(definitions[reference.removeprefix("#/$defs/")], definitions)
        case {"anyOf": list(members)}:
            for member in members:
                yield from _flat(member, definitions)
        case {"const": value}:
            yield {"enum": [value]}
        case _:
            yield schema


def _kind(schema: Schema) -> str:
    match schema:
        case {"enum": _}:
            return "a word"
        case {"type": "object", "properties": {"type": {"enum": [tag]}}}:
            return f"the message {tag}"
        case {"type": str(name)}:
            return f"of type {name}"
        case _:
            return "anything"
