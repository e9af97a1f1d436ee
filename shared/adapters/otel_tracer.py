"""Spans by OpenTelemetry's own library, which is there only where the extra ``otel`` is installed.

Nothing is global: each process has a provider of its own, and whoever embeds the engine another.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Mapping

from opentelemetry import trace as api
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.ports.tracing import Role, SpanShape

CLOSE_WITHIN_S = 3.0
_TRACEPARENT = "traceparent"
_KINDS: Mapping[Role, api.SpanKind] = {
    "server": api.SpanKind.SERVER,
    "client": api.SpanKind.CLIENT,
    "producer": api.SpanKind.PRODUCER,
    "consumer": api.SpanKind.CONSUMER,
    "internal": api.SpanKind.INTERNAL,
}
_W3C = TraceContextTextMapPropagator()


class OtelTracer:
    """``Tracer`` over the SDK, which reads its own settings: sampler, batches, resource."""

    def __init__(self, processor: SpanProcessor, service_name: str) -> None:
        """``service_name`` unless ``OTEL_SERVICE_NAME`` or ``OTEL_RESOURCE_ATTRIBUTES`` has one."""
        resource = Resource({SERVICE_NAME: service_name}).merge(_named_by_environment())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("fernamt")

    def begin(self, shape: SpanShape, trace: str | None, **attributes: str | int) -> "OtelSpan":
        context = _W3C.extract({_TRACEPARENT: trace}) if trace is not None else None
        begun = self._tracer.start_span(
            shape.name, context, _KINDS[shape.role], _named(shape, attributes)
        )
        return OtelSpan(self._tracer, shape, begun)

    async def close(self) -> None:
        # It waits for the collector. An executor's thread would keep the process waiting in turn.
        loop, closed = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(closed.set)

        threading.Thread(target=shut_down, name="spans", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await closed.wait()


class OtelSpan:
    """``Span`` over the SDK's."""

    __slots__ = ("_shape", "_span", "_tracer", "trace")

    def __init__(self, tracer: api.Tracer, shape: SpanShape, span: api.Span) -> None:
        self._tracer = tracer
        self._shape = shape
        self._span = span
        at = span.get_span_context()
        self.trace = f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"

    def child(self, shape: SpanShape) -> "OtelSpan":
        here = api.set_span_in_context(self._span)
        return OtelSpan(
            self._tracer, shape, self._tracer.start_span(shape.name, here, _KINDS[shape.role])
        )

    def end(self, **attributes: str | int) -> None:
        self._span.set_attributes(_named(self._shape, attributes))
        self._span.end()


def to_collector() -> SpanProcessor:
    """Sends to the collector that the environment names, in a thread of its own."""
    # Imported here: it brings an HTTP client that whoever prints spans does not need.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return BatchSpanProcessor(OTLPSpanExporter())


def to_console() -> SpanProcessor:
    """Prints each span to stderr as it ends."""
    return SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr))


def _named_by_environment() -> Resource:
    """What the environment says of this process; the library's own default is no name."""
    said = Resource.create()
    nameless = str(said.attributes.get(SERVICE_NAME, "")).startswith("unknown_service")
    kept = {k: v for k, v in said.attributes.items() if not (nameless and k == SERVICE_NAME)}
    return Resource(kept)


def _named(shape: SpanShape, attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    assert attributes.keys() <= shape.attributes, f"{shape.name}: {sorted(attributes)}"
    return {f"fernamt.{name}": value for name, value in attributes.items()}
