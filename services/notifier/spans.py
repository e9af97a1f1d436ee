"""The spans of mails and webhooks: each try goes on from the command that brought the event.

The outbox keeps no trace parent, since a row may wait for days where nobody traces; the log does.
"""

from shared.ports import LogReader, OutboxRow
from shared.ports.tracing import Span, Tracer
from shared.runtime import spans
from shared.wire.log_codec import trace_of


class DeliverySpans:
    """Begins them, where somebody traces."""

    def __init__(self, tracer: Tracer | None, log: LogReader) -> None:
        self._tracer = tracer
        self._log = log

    async def begin(self, row: OutboxRow) -> Span | None:
        """A span for one try; none for what a timer brought. Raises ``StoreUnavailable``."""
        if self._tracer is None:
            return None
        events = await self._log.read_at(row.workspace_id, [row.position])
        trace = trace_of(events[0].state) if events else None
        if trace is None:
            return None
        return self._tracer.begin(
            spans.DELIVER,
            trace,
            workspace=row.workspace_id,
            channel=row.channel,
            position=row.position,
        )
