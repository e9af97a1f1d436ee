"""What the services ask of tracing: spans, joined by the trace parents that messages carry.

A trace parent is the header ``traceparent`` of W3C trace context. Where nobody traces there is no
``Tracer`` at all, and whoever would begin a span looks for one first.
"""

from typing import Literal, NamedTuple, Protocol

Role = Literal["server", "client", "producer", "consumer", "internal"]
"""What OpenTelemetry calls the kind of a span."""


class SpanShape(NamedTuple):
    """Spans of one name, and what they may say. ``shared.runtime.spans`` has all."""

    name: str
    role: Role
    told_by: str
    """Which services tell it."""
    attributes: frozenset[str]
    meaning: str


class Span(Protocol):
    """Something that takes its time. One that is never ended is never told."""

    @property
    def trace(self) -> str:
        """The trace parent of whatever follows from it."""
        ...

    def child(self, shape: SpanShape) -> "Span":
        """Begin a part of it."""
        ...

    def end(self, **attributes: str | int) -> None:
        """It is over; the attributes say what became of it."""
        ...


class Tracer(Protocol):
    """Where spans begin."""

    def begin(self, shape: SpanShape, trace: str | None, **attributes: str | int) -> Span:
        """Begin a span that follows from ``trace``; without one it begins a trace of its own.

        Whether it is sampled is for whoever began the trace to say.
        """
        ...

    async def close(self) -> None:
        """Send what has ended, if that takes not too long."""
        ...
