"""The bridge to the ``eventsourcing`` library: its mapper, and an event that carries our bytes.

An application sets ``MAPPER_TOPIC=shared.adapters.struct_mapper:LogMapper`` and
``ORIGINATOR_ID_TYPE=text``, and calls itself ``name = "stored"``, because on PostgreSQL the library
names the table after it. Then it reads what we wrote, and what it saves we read. Nothing is decoded
and encoded again on the way, so the bytes stay those that were sealed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    Cipher,
    Compressor,
    Mapper,
    MapperDeserialisationError,
    StoredEvent,
    Transcoder,
)
from eventsourcing.utils import register_topic

from shared.routing.events import EVENT_TYPES


class LogEvent(msgspec.Struct, frozen=True, gc=False):
    """One row of the log as the library handles it."""

    originator_id: str
    """The workspace."""
    originator_version: int
    """The position."""
    topic: str
    """The event's tag, for example ``conversation_assigned.v1``."""
    state: bytes
    """The envelope as JSON, byte for byte."""


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    data: msgspec.Raw


class StructMapper(Mapper[str]):
    """Maps rows to ``LogEvent`` and back.

    A subclass names its ``event_types``, class by tag. They are registered with the library, so
    that its ``resolve_topic`` answers them; a tag that is not among them is refused, and never
    taken for the name of a module to import, as the library's own mapper would.
    """

    event_types: ClassVar[Mapping[str, type]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for tag, event_type in cls.event_types.items():
            register_topic(tag, event_type)

    def __init__(
        self,
        transcoder: Transcoder,
        compressor: Compressor | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        """Raises ``ValueError`` for a compressor or cipher: the log holds plain JSON."""
        if compressor is not None or cipher is not None:
            raise ValueError("the log holds plain JSON: switch off COMPRESSOR_TOPIC and CIPHER_KEY")
        super().__init__(transcoder)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The row of a ``LogEvent``. Raises ``TypeError`` for anything else."""
        if not isinstance(domain_event, LogEvent):
            raise TypeError(f"not a LogEvent: {type(domain_event).__name__}")
        self._event_type(domain_event.topic)
        return StoredEvent(
            domain_event.originator_id,
            domain_event.originator_version,
            domain_event.topic,
            domain_event.state,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> LogEvent:
        """The ``LogEvent`` of a row. Raises ``MapperDeserialisationError`` for an unknown tag."""
        self._event_type(stored_event.topic)
        return LogEvent(
            str(stored_event.originator_id),
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
        )

    def decode(self, event: LogEvent) -> Any:
        """The event's own Struct, out of the envelope's ``data``.

        Raises ``MapperDeserialisationError`` if the tag is unknown or the bytes do not fit it.
        """
        try:
            envelope = msgspec.json.decode(event.state, type=_Envelope)
            return msgspec.json.decode(envelope.data, type=self._event_type(event.topic))
        except msgspec.DecodeError as error:
            raise MapperDeserialisationError(
                f"{event.topic} at {event.originator_version} of {event.originator_id}: {error}"
            ) from error

    def _event_type(self, tag: str) -> type:
        try:
            return self.event_types[tag]
        except KeyError:
            raise MapperDeserialisationError(f"unknown event {tag}") from None


class LogMapper(StructMapper):
    """The mapper of Fernamt's own log."""

    event_types = MappingProxyType(EVENT_TYPES)
