"""A collector of spans: a real HTTP server that reads what OpenTelemetry's exporters send."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.servers.http_receiver import Answer, HttpReceiver, http_receiver

PATH = "/v1/traces"


class Told(NamedTuple):
    """One span. Ids are hexadecimal; ``parent`` is empty for the root of a trace."""

    trace: str
    span: str
    parent: str
    service: str
    name: str
    attributes: Mapping[str, str | int]
    began_ns: int
    ended_ns: int


class Collector:
    """What was exported so far, by whichever process."""

    def __init__(self, receiver: HttpReceiver) -> None:
        self._receiver = receiver

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes a process send its spans here, and soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._receiver.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    @property
    def bodies(self) -> Sequence[bytes]:
        """As they came."""
        return [one.body for one in self._receiver.received if one.path == PATH]

    @property
    def spans(self) -> list[Told]:
        return [span for body in self.bodies for span in _read(body)]

    async def until(self, holds: Callable[[Sequence[Told]], bool]) -> Sequence[Told]:
        """Wait until ``holds`` says yes to the spans so far."""
        await self._receiver.has(lambda _: holds(self.spans))
        return self.spans


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    async with http_receiver() as receiver:
        receiver.answering = lambda _: Answer(body=b"")
        yield Collector(receiver)


def tree(spans: Sequence[Told]) -> Iterator[str]:
    """One trace, a line for each span, below what it follows from; the earliest comes first."""
    known = {span.span for span in spans}
    began_ns = min(span.began_ns for span in spans)

    def below(parent: str, depth: int) -> Iterator[str]:
        here = [span for span in spans if _above(span, known) == parent]
        for span in sorted(here, key=lambda one: one.began_ns):
            after_ms = (span.began_ns - began_ns) / 1e6
            took_ms = (span.ended_ns - span.began_ns) / 1e6
            said = " ".join(f"{name}={value}" for name, value in sorted(span.attributes.items()))
            title = f"{'  ' * depth}{span.name} ({span.service})"
            yield f"{title:<34} +{after_ms:7.2f} ms {took_ms:7.2f} ms  {said}"
            yield from below(span.span, depth + 1)

    yield f"trace {spans[0].trace}"
    yield from below("", 1)


def _above(span: Told, known: set[str]) -> str:
    return span.parent if span.parent in known else ""


def _read(body: bytes) -> Iterator[Told]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = str(_attributes(resource.resource.attributes)["service.name"])
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _told(service, span)


def _told(service: str, span: trace_pb2.Span) -> Told:
    attributes = {
        name.removeprefix("fernamt."): value for name, value in _attributes(span.attributes).items()
    }
    return Told(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        service,
        span.name,
        attributes,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
    )


def _attributes(given: Sequence[KeyValue]) -> dict[str, str | int]:
    return {
        one.key: one.value.int_value if one.value.HasField("int_value") else one.value.string_value
        for one in given
    }
