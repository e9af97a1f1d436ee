"""Spans of whoever follows the log: one for each command whose events it comes upon."""

from collections import Counter

from shared.ports.tracing import Span, SpanShape, Tracer
from shared.routing.ids import Position, WorkspaceId


class Following:
    """Begins a span where the first event of a command is met, and ends all at once.

    The events of timers belong to no command and to no trace. Without a tracer nothing is done.
    """

    def __init__(self, tracer: Tracer | None, shape: SpanShape, workspace_id: WorkspaceId) -> None:
        self._tracer = tracer
        self._shape = shape
        self._workspace_id = workspace_id
        self._spans: dict[str, Span] = {}
        self._last: dict[str, Position] = {}
        self._events: Counter[str] = Counter()
        self.traces: dict[Position, str] = {}
        """The trace parent of what is told of the event at a position."""

    def take(self, position: Position, trace: str | None) -> None:
        """The event at ``position`` is to be told; ``trace`` is its command's."""
        if self._tracer is None or trace is None:
            return
        span = self._spans.get(trace)
        if span is None:
            span = self._tracer.begin(self._shape, trace, workspace=self._workspace_id)
            self._spans[trace] = span
        self._last[trace] = position
        self._events[trace] += 1
        self.traces[position] = span.trace

    def end_all(self, counted: str) -> None:
        """It was told; the attribute ``counted`` is how often ``take`` was called for each."""
        for trace, span in self._spans.items():
            span.end(position=self._last[trace], **{counted: self._events[trace]})
        self._spans.clear()
        self._last.clear()
        self._events.clear()
        self.traces.clear()
