"""How a process is: alive as long as its loop turns, ready unless something keeps it from work, and
what it counts meanwhile.

It is told over HTTP where somebody wants to know (``health_pages``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from shared.runtime.figures import Figure

CHECK_WITHIN_S = 2.0
"""A check that takes longer has failed: whoever asks does not wait for ever either."""

Faults = Mapping[str, str | None]
"""What was looked at, by name, each with its fault in words or with none."""

Source = Callable[[], Awaitable[Iterable[Figure]]]


class Check(NamedTuple):
    """Looks at several things at once: for each of ``names`` its fault in words, or none."""

    names: Sequence[str]
    look: Callable[[], Awaitable[Sequence[str | None]]]


class Health:
    """One process, from its start to its end. ``checks`` and ``sources`` of figures grow as it gets
    what it works with."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.sources: list[Source] = []
        self._phase: Literal["starting", "serving", "draining"] = "starting"

    def serves(self) -> None:
        """It has what it works with: from now on the checks decide."""
        self._phase = "serving"

    def drains(self) -> None:
        """It is about to end, and takes on nothing more whatever the checks say."""
        self._phase = "draining"

    async def look(self) -> Faults:
        """Everything that could keep it from its work, as of now; it is ready without a fault."""
        faults: dict[str, str | None] = {}
        faults["process"] = None if self._phase == "serving" else self._phase
        for looked in await asyncio.gather(*map(_looked, self.checks)):
            faults.update(looked)
        return faults

    async def figures(self) -> Sequence[Figure]:
        """Everything that is counted here, as of now."""
        return [figure for source in self.sources for figure in await source()]


async def _looked(check: Check) -> Faults:
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            faults = await check.look()
    except TimeoutError:
        faults = [f"no answer within {CHECK_WITHIN_S:g} s"] * len(check.names)
    return dict(zip(check.names, faults, strict=True))
