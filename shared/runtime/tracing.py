"""Whether this process tells of spans: only where OpenTelemetry's own variables say where to.

The catalogue of spans is ``shared.runtime.spans``. The core knows nothing of any of this.
"""

from collections.abc import Mapping

from shared.ports.tracing import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
DISABLED = "OTEL_SDK_DISABLED"

_EXPORTERS = ("otlp", "console", "none")
_PROTOCOL = "http/protobuf"


def tracer_for(service: str, environment: Mapping[str, str]) -> Tracer | None:
    """The tracer of a process that is called ``service``; none where nobody asks for traces.

    Raises ``ValueError`` with what to do where traces are asked for and cannot be sent.
    """
    exporter = _exporter(environment)
    if exporter == "none":
        return None
    try:
        from shared.adapters import otel_tracer  # noqa: PLC0415 - only with the extra
    except ImportError as error:
        raise ValueError(
            f"traces are asked for and OpenTelemetry is not installed ({error.name}): "
            f"pip install 'fernamt[otel]', or set {DISABLED}=true"
        ) from error
    processor = otel_tracer.to_console() if exporter == "console" else otel_tracer.to_collector()
    return otel_tracer.OtelTracer(processor, service)


def _exporter(environment: Mapping[str, str]) -> str:
    """As OpenTelemetry has it, except that without any of its variables there is none."""
    if environment.get(DISABLED, "").strip().lower() == "true":
        return "none"
    aimed = any(environment.get(name) for name in ENDPOINTS)
    exporter = environment.get(EXPORTER) or ("otlp" if aimed else "none")
    if exporter not in _EXPORTERS:
        raise ValueError(f"{EXPORTER}: {exporter}: one of {', '.join(_EXPORTERS)} is expected")
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), _PROTOCOL)
    if exporter == "otlp" and protocol != _PROTOCOL:
        raise ValueError(f"{PROTOCOLS[1]}: {protocol}: only {_PROTOCOL} is spoken")
    return exporter
