"""The services that only look: what each works with, and how it is made."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from services.cli.running import Service, ServiceName, service_in
from shared.ports import Bus, Clock
from shared.ports.archive import Archive
from shared.ports.tracing import Tracer


class Lookout(NamedTuple):
    """What a service works with that only looks: a log opened for reading, a bus, a clock."""

    archive: Archive
    bus: Bus
    clock: Clock
    tracer: Tracer | None = None


def _auditor(lookout: Lookout) -> Service:
    return service_in("auditor.service", "Auditor")(*lookout)


LOOKERS: Mapping[ServiceName, Callable[[Lookout], Service]] = {
    ServiceName.AUDITOR: _auditor,
}
"""How each is made that reads the log."""

SPEAKERS: Mapping[ServiceName, Callable[[Bus], Service]] = {
    ServiceName.CONSOLE: service_in("console.service", "Console"),
    ServiceName.AUTH: service_in("auth.service", "Auth"),
}
"""How each is made that needs no log of its own, only others to ask."""
