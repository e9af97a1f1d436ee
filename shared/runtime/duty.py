"""The right to act for workspaces: leases on their partitions, renewed before they run out.

Past a lease nothing is done or said any more, whatever the reason: another process may already be
at it. The time left is counted from the start of the last renewal on a clock that counts
suspension too.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterable, Mapping
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


class ClockSkewed(Exception):
    """This machine's clock and the store's are too far apart for stamps to be trusted."""


class Duty:
    """The leases this process holds for one trade. ``epochs`` is empty while it holds none."""

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
        self._leases = leases
        self._clock = clock
        self._owner = owner
        self._first = FIRST_LEASE[trade]
        self._lease_ms = lease_ms
        self._held: list[Lease] = []
        self._until_ms = 0
        self.epochs: dict[int, int] = {}
        """The epoch of each partition, 0 to 63, whatever its lease's number."""

    def holds(self) -> bool:
        """Whether this process may act at this very moment."""
        return self._clock.elapsed_ms() < self._until_ms

    def lease_on(self, partition: int) -> Lease:
        """The lease as the store knows it, number and epoch; ``KeyError`` if it is not held."""
        return Lease(self._first + partition, self.epochs[partition])

    async def take(self, partitions: Iterable[int]) -> bool:
        """Try to get all ``partitions``; gives back what it got if it did not get all."""
        wanted = [self._first + partition for partition in partitions]
        started = self._clock.elapsed_ms()
        held = list(await self._leases.acquire(self._owner, wanted))
        if len(held) < len(wanted):
            await self._leases.release(self._owner, held)
            return False
        self._hold(held, started)
        return True

    def _hold(self, held: list[Lease], started_ms: int) -> None:
        self._held = held
        self.epochs = {lease.partition - self._first: lease.epoch for lease in held}
        self._until_ms = started_ms + self._lease_ms - self._lease_ms // MARGIN

    async def keep(self) -> None:
        """Renew until cancelled. Raises ``LeaseLost`` once the leases are gone or ran out."""
        while True:
            await asyncio.sleep(self._lease_ms / RENEWALS / 1_000)
            started = self._clock.elapsed_ms()
            try:
                kept = list(await self._leases.renew(self._owner, self._held))
            except (StoreUnavailable, CommitInDoubt) as error:
                log.warning("lease_not_renewed", reason=str(error))
                if not self.holds():
                    raise LeaseLost("the leases could not be renewed in time") from error
                continue
            if len(kept) < len(self._held):
                raise LeaseLost("another process holds the partition now")
            self._hold(kept, started)

    async def give_up(self) -> None:
        """Hand the leases back, so that nobody has to wait for their end."""
        held, self._held = self._held, []
        self.epochs, self._until_ms = {}, 0
        if held:
            await self._leases.release(self._owner, held)


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
