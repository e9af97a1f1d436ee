"""Events in words: a sentence for each, in parts, so that a page can link what is named in it.

A text may hold stretches in square brackets; one is left out where a field in it is empty. A field
that begins with ``?`` says nothing itself and is for that only.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from string import Formatter
from typing import Any, Literal, NamedTuple

import msgspec

from services.console.wording import Words
from shared.audit.simulating import Assumption
from shared.routing.events import EventUnion

PartKind = Literal["text", "operator", "conversation", "visitor", "time", "word"]

Fields = Mapping[str, Any]


class Part(NamedTuple):
    """A stretch of a sentence. ``value`` is the id or the time (Unix ms) that ``text`` shows."""

    text: str
    kind: PartKind = "text"
    value: object = None


_OPERATORS = ("operator_id", "owner", "previous_owner", "sender", "added_by", "operator_ids")
_TIMES = ("until", "expires_at", "due", "deadline")
_WORDS = {
    "status": "status",
    "effective": "status",
    "cause": "cause",
    "mode": "entry_mode",
    "channel": "channel",
    "ranking": "ranking",
    "tie_break": "tie_break",
}
"""Fields that hold a code, and the section of its words."""
_RENAMED = {
    "ahead_source": "source",
    "close_reason": "reason",
    "decline_reason": "reason",
    "reassign_reason": "reason",
    "redirect_reason": "reason",
    "rescind_reason": "reason",
    "return_reason": "reason",
    "waiting_reason": "reason",
    "slow_action": "action",
    "reason": "reason",
}
"""Places of a text that are named after the section of their words, and the field they show."""
_BRACKETS = re.compile(r"\[([^\]]*)\]")


def told(event: EventUnion, words: Words) -> tuple[Part, ...]:
    """The event as a sentence."""
    fields: Fields = msgspec.to_builtins(event)
    name = name_of(str(fields["type"]))
    if f"event.{name}" not in words:
        return (Part(name.replace("_", " ")),)
    text = words(f"event.{name}")
    return tuple(part for part in _filled(text, fields, words) if part.text)


def plainly(event: EventUnion, words: Words) -> str:
    """The same as one text."""
    return "".join(part.text for part in told(event, words))


def name_of(tag: str) -> str:
    """The name of an event without its version."""
    return tag.rpartition(".")[0] or tag


@cache
def segments(text: str) -> tuple[tuple[str, bool], ...]:
    """The stretches of a text; true stands beside those that may be left out."""
    pieces = _BRACKETS.split(text)
    return tuple((piece, bool(number % 2)) for number, piece in enumerate(pieces) if piece)


def places(text: str) -> tuple[str, ...]:
    """The fields that a text names, without question marks."""
    return tuple(
        name.removeprefix("?") for _, name, _, _ in Formatter().parse(text) if name is not None
    )


def field_at(place: str) -> str:
    """The field of an event that stands at a place of its text."""
    return _RENAMED.get(place, place)


def _filled(text: str, fields: Fields, words: Words) -> Iterator[Part]:
    for segment, optional in segments(text):
        if optional and not all(fields.get(field_at(place)) for place in places(segment)):
            continue
        for literal, place, _, _ in Formatter().parse(segment):
            if literal:
                yield Part(literal)
            if place is not None and not place.startswith("?"):
                yield from _shown(place, fields.get(field_at(place)), words)


def _shown(place: str, value: Any, words: Words) -> Iterator[Part]:
    if place in _OPERATORS:
        ids = value if isinstance(value, (list, tuple)) else [value]
        yield from _listed([Part(str(its_id), "operator", its_id) for its_id in ids], words)
    elif place == "conversation_id":
        yield Part(str(value), "conversation", value)
    elif place == "visitor_id":
        yield Part(str(value), "visitor", value)
    elif place in _TIMES:
        yield Part(words.clock(value), "time", value)
    else:
        yield Part(_text(place, value, words), "word")


def _listed(parts: list[Part], words: Words) -> Iterator[Part]:
    if not parts:
        yield Part(words("telling.nobody"))
    for number, part in enumerate(parts):
        if number:
            yield Part(", ")
        yield part


def _text(place: str, value: Any, words: Words) -> str:
    if place in _RENAMED:
        return words.of(place, value)
    if place in _WORDS:
        return words.of(_WORDS[place], value)
    if place in ("to", "scope"):
        return scope_text(value, words)
    if place == "policy":
        return policy_text(value, words)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def scope_text(scope: Fields | None, words: Words) -> str:
    """Whom something is for, in words; also the scope of a policy."""
    for kind, its_id in (scope or {}).items():
        if its_id:
            return words(f"scope.{kind}", id=its_id)
    return ""


def policy_text(policy: Fields, words: Words) -> str:
    """Fields of a policy with their values."""
    if not policy:
        return words("telling.nothing")
    return ", ".join(f"{words.of('policy', name)} = {_value(v)}" for name, v in policy.items())


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def assumed(assumption: Assumption, words: Words) -> str:
    """What a simulation takes for granted, as a sentence."""
    if f"assumption.{assumption.code}" not in words:
        return words.of("assumption", assumption.code)
    numbers = {name: words.number(number) for name, number in assumption.numbers.items()}
    numbers["after"] = words.duration(assumption.numbers.get("after_ms", 0))
    text = words(f"assumption.{assumption.code}")
    return text.format_map(defaultdict(lambda: "?", numbers))
