"""When a process traces: by OpenTelemetry's own variables, and never unasked."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import SpanProcessor

from shared.adapters.otel_tracer import OtelTracer
from shared.runtime.tracing import tracer_for
from tests.servers.engine import ROOT, surroundings

STUCK_S = 20
AIMED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
WITHOUT_THE_EXTRA = (
    "import sys; sys.modules['opentelemetry'] = None;"
    "from services.cli.main import app;"
    "app(['run', 'router', '--nats', 'nats://127.0.0.1:9', '--store', 'postgresql://127.0.0.1:9/a'])"
)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "router"},
        AIMED | {"OTEL_SDK_DISABLED": "true"},
        AIMED | {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nobody_traces_unasked(environment: Mapping[str, str]) -> None:
    assert tracer_for("fernamt", environment) is None


@pytest.mark.parametrize(
    "environment",
    [
        AIMED,
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"},
        {"OTEL_TRACES_EXPORTER": "console"},
    ],
)
async def test_whoever_is_asked_traces(environment: Mapping[str, str]) -> None:
    tracer = tracer_for("fernamt", environment)
    assert isinstance(tracer, OtelTracer)
    await asyncio.wait_for(tracer.close(), 30)


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "one of otlp, console, none"),
        (AIMED | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "only http/protobuf"),
    ],
)
def test_what_is_not_spoken_is_a_fault_with_a_name(
    environment: Mapping[str, str], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        tracer_for("fernamt", environment)


class _Stuck(SpanProcessor):
    """Ends when it is told to, or gives up."""

    def __init__(self) -> None:
        self.may_end, self.has_ended = threading.Event(), threading.Event()
        self.was_told = False

    def shutdown(self) -> None:
        self.was_told = self.may_end.wait(STUCK_S)
        self.has_ended.set()


def test_a_collector_that_never_answers_keeps_no_process_from_its_end() -> None:
    stuck = _Stuck()
    asyncio.run(OtelTracer(stuck, "fernamt").close())
    stuck.may_end.set()
    assert stuck.has_ended.wait(STUCK_S)
    assert stuck.was_told, "the loop ended only when nobody waited for the collector any more"


def test_asked_for_without_the_extra_a_process_says_what_to_install() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA],
        cwd=ROOT,
        env=surroundings(AIMED),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "pip install 'fernamt[otel]'" in ended.stderr
    assert "Traceback" not in ended.stderr
