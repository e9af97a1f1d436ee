"""Events of the log, to the bytes that are stored and back. The bytes of an event never change."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from shared.routing.events import EVENT_TYPES, Envelope
from shared.wire.upcasting import UPCASTS, Upcast, UpcastStuck, upcast


class Stored(NamedTuple):
    """What stands in a row of the log beside its position."""

    topic: str
    """The name and version of the event: ``conversation_assigned.v1``."""
    state: bytes
    """The envelope with the event, as JSON in the order of the fields."""


class UndecodableEvent(Exception):
    """A stored event cannot be read; the fold ends here. Callers know and add the position."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"{topic}: {reason}")
        self.topic = topic
        self.reason = reason


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode
_decode_anything = msgspec.json.Decoder(dict[str, Any]).decode

_TOPICS = {event_type: topic for topic, event_type in EVENT_TYPES.items()}
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def encode_event(envelope: Envelope) -> Stored:
    return Stored(topic_of(envelope), _encode(envelope))


def trace_of(state: bytes) -> str | None:
    """The trace parent of a stored event; the rest is skipped. Raises ``msgspec.DecodeError``."""
    return _decode_trace(state).trace


class _Traced(msgspec.Struct, frozen=True, gc=False):
    trace: str | None = None


_decode_trace = msgspec.json.Decoder(_Traced).decode


def topic_of(envelope: Envelope) -> str:
    return _TOPICS[type(envelope.data)]


def decode_event(topic: str, state: bytes, upcasts: Mapping[str, Upcast] = UPCASTS) -> Envelope:
    """Read a stored event, as an event of today. Raises ``UndecodableEvent``."""
    old = topic in upcasts
    if not old and topic not in EVENT_TYPES:
        raise UndecodableEvent(topic, _unknown(topic))
    try:
        if old:
            return _upcast(topic, state, upcasts)
        envelope = _decode(state)
    except (*_BAD, UpcastStuck) as error:
        raise UndecodableEvent(topic, str(error)) from error
    if topic_of(envelope) != topic:
        raise UndecodableEvent(topic, f"the event in it is {topic_of(envelope)}")
    return envelope


def _upcast(topic: str, state: bytes, upcasts: Mapping[str, Upcast]) -> Envelope:
    envelope = _decode_anything(state)
    event = envelope.get("data")
    if not isinstance(event, dict) or event.get("type") != topic:
        raise UndecodableEvent(topic, "the event in it is another")
    try:
        data = upcast(event, upcasts)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UndecodableEvent(topic, f"its upcast failed: {error!r}") from error
    return msgspec.convert({**envelope, "data": data}, Envelope)


def _unknown(topic: str) -> str:
    name, dot, _version = topic.partition(".")
    versions = [known for known in EVENT_TYPES if known.startswith(f"{name}{dot}")]
    if not versions:
        return "there is no such event in this release"
    return f"this release knows {', '.join(versions)} only"
