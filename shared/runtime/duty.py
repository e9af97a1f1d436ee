"""The right to act for workspaces: leases on their partitions, renewed before they run out.

Past a lease nothing is done or said any more, whatever the reason: another process may already be
at it. The time left is counted from the start of the last renewal on a clock that counts
suspension too.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import structlog

from shared.ports import (
    Clock,
    CommitInDoubt,
    EventStore,
    Lease,
    LeaseLost,
    Leases,
    StoreUnavailable,
)
from shared.routing.partition import PARTITIONS

log = structlog.get_logger()

LEASE_MS = 3_000
"""How long others wait for a process that died without a word."""
RENEWALS = 3
"""In the life of a lease, so that two may fail."""
MARGIN = 6
"""Silence begins a sixth of a life before the store would let somebody else in."""
CLOCK_SKEW_MAX_MS = 2_000

Trade = Literal["router", "notifier", "evaluator", "archivist"]
"""What somebody on duty does. Each is done by one process for one partition at a time."""

FIRST_LEASE: Mapping[Trade, int] = {
    "router": 0,
    "notifier": PARTITIONS,
    "evaluator": 2 * PARTITIONS,
    "archivist": 3 * PARTITIONS,
}
"""The number of each trade's lease on partition 0; those on the others follow it.

Fixed for ever, like the partitions. Appends are fenced by the router's.
"""

FIRST_SEAT: Mapping[Trade, int] = {"router": 4 * PARTITIONS}
"""The same of the seats: leases that stand for a process of a trade that shares its partitions."""


class ClockSkewed(Exception):
    """This machine's clock and the store's are too far apart for stamps to be trusted."""


class Holding:
    """Leases in one hand, by their numbers, and whether all of them last at this moment."""

    def __init__(self, leases: Leases, clock: Clock, owner: str, lease_ms: int) -> None:
        """``lease_ms`` is the life that ``leases`` gives them."""
        self._leases = leases
        self._clock = clock
        self._owner = owner
        self._lease_ms = lease_ms
        self._ends_ms: dict[int, int] = {}
        self._until_ms = 0
        self.held: dict[int, Lease] = {}

    def lasts(self) -> bool:
        """Whether whoever holds these may act at this very moment."""
        return self._clock.elapsed_ms() < self._until_ms

    async def acquire(self, numbers: Iterable[int]) -> Sequence[Lease]:
        """Take those of them that are free; what was got. Raises ``StoreError``."""
        started = self._clock.elapsed_ms()
        got = await self._leases.acquire(self._owner, numbers)
        self.held.update({lease.partition: lease for lease in got})
        self._last_from(started, got)
        return got

    async def renew(self) -> Sequence[int]:
        """Renew all that are held; the numbers of those that are lost. Raises ``StoreError``."""
        started = self._clock.elapsed_ms()
        asked = list(self.held.values())
        kept = await self._leases.renew(self._owner, asked)
        lost = {lease.partition for lease in asked} - {lease.partition for lease in kept}
        gone = sorted(lost & self.held.keys())
        self.forget(gone)
        self._last_from(started, kept)
        return gone

    async def release(self, numbers: Iterable[int]) -> None:
        """Give these back, so that nobody has to wait for their end. Raises ``StoreError``."""
        leases = [self.held[number] for number in numbers]
        self.forget(lease.partition for lease in leases)
        if leases:
            await self._leases.release(self._owner, leases)

    def forget(self, numbers: Iterable[int]) -> None:
        """These are not held any more."""
        for number in numbers:
            del self.held[number], self._ends_ms[number]
        self._until_ms = min(self._ends_ms.values(), default=0)

    def _last_from(self, started_ms: int, leases: Sequence[Lease]) -> None:
        """The store began to count at some moment after ``started_ms``."""
        end = started_ms + self._lease_ms - self._lease_ms // MARGIN
        for lease in leases:
            if lease.partition in self.held:
                self._ends_ms[lease.partition] = end
        self._until_ms = min(self._ends_ms.values(), default=0)


class Duty:
    """All partitions of one trade in one hand, or none. ``epochs`` is empty while none is held."""

    def __init__(
        self,
        leases: Leases,
        clock: Clock,
        owner: str,
        trade: Trade = "router",
        *,
        lease_ms: int = LEASE_MS,
    ) -> None:
        """``lease_ms`` is the life that ``leases`` gives them."""
        self._holding = Holding(leases, clock, owner, lease_ms)
        self._first = FIRST_LEASE[trade]
        self._lease_ms = lease_ms
        self.epochs: dict[int, int] = {}
        """The epoch of each partition, 0 to 63, whatever its lease's number."""

    def holds(self) -> bool:
        """Whether this process may act at this very moment."""
        return self._holding.lasts()

    def lease_on(self, partition: int) -> Lease:
        """The lease as the store knows it, number and epoch; ``KeyError`` if it is not held."""
        return self._holding.held[self._first + partition]

    async def take(self, partitions: Iterable[int]) -> bool:
        """Try to get all ``partitions``; gives back what it got if it did not get all."""
        wanted = [self._first + partition for partition in partitions]
        got = await self._holding.acquire(wanted)
        if len(got) < len(wanted):
            await self._holding.release([lease.partition for lease in got])
            return False
        self.epochs = {lease.partition - self._first: lease.epoch for lease in got}
        return True

    async def keep(self) -> None:
        """Renew until cancelled. Raises ``LeaseLost`` once the leases are gone or ran out."""
        while True:
            await asyncio.sleep(self._lease_ms / RENEWALS / 1_000)
            try:
                lost = await self._holding.renew()
            except (StoreUnavailable, CommitInDoubt) as error:
                log.warning("lease_not_renewed", reason=error)
                if not self.holds():
                    raise LeaseLost("the leases could not be renewed in time") from error
                continue
            if lost:
                raise LeaseLost("another process holds the partition now")

    async def give_up(self) -> None:
        """Hand the leases back."""
        self.epochs = {}
        await self._holding.release(list(self._holding.held))


def new_owner() -> str:
    """A name for this process that no other start of any process has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


async def check_clock(store: EventStore, clock: Clock) -> None:
    """Raise ``ClockSkewed`` where the times of two processes could contradict one another."""
    asked = clock.wall_ms()
    theirs = await store.clock_ms()
    ours = clock.wall_ms()
    if asked - CLOCK_SKEW_MAX_MS <= theirs <= ours + CLOCK_SKEW_MAX_MS:
        return
    raise ClockSkewed(
        f"this machine's clock and the store's differ by {abs(theirs - ours)} ms; "
        f"{CLOCK_SKEW_MAX_MS} ms are allowed"
    )
