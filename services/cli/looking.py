"""The services that only look: what each works with, and how it is made.

They stand apart from those that write, so that an engine does not wait for a web server to be
loaded that runs in another process.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from services.auditor.service import Auditor
from services.cli.running import Service, ServiceName
from services.console.service import Console
from shared.ports import Bus, Clock
from shared.ports.archive import Archive


class Lookout(NamedTuple):
    """What a service works with that only looks: a log opened for reading, a bus, a clock."""

    archive: Archive
    bus: Bus
    clock: Clock


def _auditor(lookout: Lookout) -> Auditor:
    return Auditor(lookout.archive, lookout.bus, lookout.clock)


LOOKERS: Mapping[ServiceName, Callable[[Lookout], Service]] = {
    ServiceName.AUDITOR: _auditor,
}
"""How each is made that reads the log."""

SPEAKERS: Mapping[ServiceName, Callable[[Bus], Service]] = {
    ServiceName.CONSOLE: Console,
}
"""How each is made that needs no log of its own, only others to ask."""
