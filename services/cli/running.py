"""The services by name, and any number of them at work in one process.

A service's modules are imported when it is made: whoever waits for a router to start does not wait
for a web server to be loaded, nor for what talks to mail servers.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol

from shared.runtime.figures import Figure
from shared.runtime.world import World


class Service(Protocol):
    """One of the services. ``run`` serves until ``stop``; ``ready`` is set meanwhile."""

    ready: asyncio.Event

    async def run(self) -> None: ...

    def stop(self) -> None: ...

    async def figures(self) -> Iterable[Figure]:
        """What it tells of itself, at this moment and in any phase of its life."""
        ...


class ServiceName(StrEnum):
    """The services, in the order in which they stop where all run together.

    Whoever asks others stops first, then who speaks to the router, then who tells what it wrote,
    and last who keeps it.
    """

    CONSOLE = "console"
    AUDITOR = "auditor"
    AUTH = "auth"

    PRESENCE = "presence"
    EVALUATOR = "evaluator"
    ROUTER = "router"
    NOTIFIER = "notifier"
    ARCHIVIST = "archivist"


STAND_BY = frozenset({ServiceName.EVALUATOR, ServiceName.NOTIFIER, ServiceName.ARCHIVIST})
"""Of each of these one works, and others that run beside it wait to take over."""


def service_in(module: str, name: str) -> Callable[..., Service]:
    """How the service is made that this module of ``services`` holds."""

    def make(*works_with: object) -> Service:
        made: Service = getattr(import_module(f"services.{module}"), name)(*works_with)
        return made

    return make


def _notifier(world: World) -> Service:
    outside = import_module("services.notifier.channels").outside
    notifier: Any = import_module("services.notifier.service").Notifier
    made: Service = notifier(world, channels=outside(world, os.environ))
    return made


SERVICES: Mapping[ServiceName, Callable[[World], Service]] = {
    ServiceName.PRESENCE: service_in("presence.service", "Presence"),
    ServiceName.EVALUATOR: service_in("trigger_evaluator.service", "Evaluator"),
    ServiceName.ROUTER: service_in("router.service", "Router"),
    ServiceName.NOTIFIER: _notifier,
    ServiceName.ARCHIVIST: service_in("archivist.service", "Archivist"),
}
"""How each is made that writes; its settings come from the environment. Raises ``ValueError``."""


class Running:
    """Services at work, each in a task of its own from the moment this is made."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        """They are stopped in the order given, one after the other."""
        self._work = {
            service: asyncio.create_task(service.run(), name=name)
            for name, service in services.items()
        }

    async def ready(self) -> None:
        """Wait until all serve. Raises what ended one of them."""
        for service in self._work:
            ready = asyncio.create_task(service.ready.wait())
            try:
                await _first([ready, *self._work.values()])
            finally:
                ready.cancel()

    async def ended(self) -> None:
        """Wait until one ends by itself, and raise what ended it."""
        await _first(self._work.values())

    async def stop(self) -> None:
        """Drain and end, all of them whatever becomes of one; raises what ended the first."""
        for service, work in self._work.items():
            service.stop()
            await asyncio.wait({work})
        for work in self._work.values():
            work.result()


async def _first(tasks: "Iterable[asyncio.Task[Any]]") -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
