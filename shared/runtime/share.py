"""A fair share of the partitions, for each of several processes of one trade.

Whoever serves has a *seat*, which is a lease as well, so that all see from the leases alone how
many there are. Everybody takes what is free up to an even share, and hands over what he has beyond
it, few partitions at a time: first what is under way in them comes to its end, then their leases
are given back, and the others are told to look. Nobody is in charge. Whoever dies without a word
loses seat and leases at the same time.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from shared.adapters.nats_bus import NotSent
from shared.ports import CommitInDoubt, Message, StoreError, StoreUnavailable
from shared.routing.partition import PARTITIONS
from shared.runtime.duty import (
    FIRST_LEASE,
    FIRST_SEAT,
    RENEWALS,
    ClockSkewed,
    Holding,
    Trade,
    check_clock,
)
from shared.runtime.world import World
from shared.wire.subjects import sharing_of

log = structlog.get_logger()

LOOKS = 15
"""In the life of a lease. What was given back is told; this is for what has run out."""
SEATS = PARTITIONS
AT_ONCE = 4
"""Partitions handed over together: others have to load what belongs to them meanwhile."""
LEAVE_WITHIN_S = 8.0
"""How long what is under way may take to end, before it is dropped."""


class Holder(Protocol):
    """Whoever does the work in the partitions that are held."""

    def gained(self, partitions: Sequence[int]) -> None:
        """These are held from here on."""
        ...

    async def leave(self, partition: int) -> None:
        """Bring what is under way to its end, and begin nothing new."""
        ...

    def lost(self, partitions: Sequence[int]) -> None:
        """These are not held any more: drop everything, and say nothing more about it."""
        ...


class Share:
    """The partitions that this process holds. ``run`` takes part in the sharing."""

    def __init__(self, world: World, trade: Trade, owner: str, holder: Holder) -> None:
        self._world = world
        self._holder = holder
        self._holding = Holding(world.store.leases, world.lease_clock, owner, world.lease_ms)
        self._first, self._first_seat = FIRST_LEASE[trade], FIRST_SEAT[trade]
        self._subject = sharing_of(trade)
        self._look_again = asyncio.Event()
        self._sharing = asyncio.Lock()
        self._leaving = False
        self._told: type[Exception] | None = None
        self._heard_ms = world.lease_clock.elapsed_ms()
        """When the broker was last seen to be there."""
        self.seat: int | None = None
        self.epochs: dict[int, int] = {}
        """The epoch of each partition that is held."""
        self.is_fair = asyncio.Event()
        """Set from when at least what the others may not have is held, until the seat is lost."""
        self.is_off = asyncio.Event()
        """The opposite."""

    def holds(self) -> bool:
        """Whether this process may act at this very moment."""
        return self._holding.lasts()

    async def run(self) -> None:
        """Take part until cancelled."""
        subscription = await self._world.bus.subscribe(self._subject, self._on_notice)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._renew())
                tasks.create_task(self._share())
        finally:
            await subscription.stop()
            await self._drop_everything()

    async def _drop_everything(self) -> None:
        """What is not handed over by now. If it cannot be given back, it runs out by itself."""
        self._leave_seat()
        self._let_go(list(self.epochs))
        with contextlib.suppress(StoreError):
            await self._release(list(self._holding.held))

    def lose(self, partitions: Sequence[int]) -> None:
        """Somebody found out that these are not held any more."""
        self._lose([self._first + partition for partition in partitions])

    async def give_up(self) -> None:
        """Leave the seat and hand everything over, while ``run`` still renews."""
        self._leaving = True
        async with self._sharing:
            seat = self._leave_seat()
            await self._release([self._first_seat + seat] if seat is not None else [])
            await self._hand_over(list(self.epochs))

    def _leave_seat(self) -> int | None:
        """The seat that was left."""
        seat, self.seat = self.seat, None
        self._set_fair(fair=False)
        return seat

    def _let_go(self, partitions: Sequence[int]) -> None:
        """Nothing is done any more in these."""
        for partition in partitions:
            del self.epochs[partition]
        if partitions:
            self._holder.lost(partitions)

    # --- renewing ---------------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._world.lease_ms / RENEWALS / 1_000)
            try:
                lost = await self._holding.renew()
            except (StoreUnavailable, CommitInDoubt) as error:
                log.warning("lease_not_renewed", reason=error)
                if self.holds():
                    continue
                lost = list(self._holding.held)
            self._lose(lost)

    def _lose(self, numbers: Sequence[int]) -> None:
        """Others may hold these by now."""
        self._holding.forget([number for number in numbers if number in self._holding.held])
        if self.seat is not None and self._first_seat + self.seat in numbers:
            self._leave_seat()
        gone = [partition for partition in self.epochs if self._first + partition in numbers]
        if gone:
            log.warning("partitions_lost", partitions=gone)
            self._let_go(gone)
            self._look_again.set()

    # --- sharing ----------------------------------------------------------------------------

    def _on_notice(self, _message: Message) -> None:
        self._look_again.set()

    async def _share(self) -> None:
        """Look, and look again when told to or after a while."""
        while True:
            self._look_again.clear()
            try:
                async with self._sharing:
                    if not self._leaving:
                        await self._look()
            except (StoreError, ClockSkewed) as error:
                self._tell(error)
            else:
                self._told = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._world.lease_ms / LOOKS / 1_000):
                    await self._look_again.wait()

    def _is_deaf(self) -> bool:
        """Whether nobody can reach us, for so long that others had better serve."""
        now = self._world.lease_clock.elapsed_ms()
        if self._world.bus.connection is not None:
            self._heard_ms = now
        return now - self._heard_ms > self._world.lease_ms

    def _tell(self, obstacle: Exception) -> None:
        """Once of each kind, not with every look."""
        if type(obstacle) is not self._told:
            self._told = type(obstacle)
            log.warning("partitions_not_shared", reason=obstacle)

    async def _look(self) -> None:
        """Who is there, and what is free: take it, or hand over what is too much."""
        if self._is_deaf():
            if self._holding.held:
                log.warning("broker_is_away", held=len(self.epochs))
                await self._drop_everything()
            return
        seats = range(self._first_seat, self._first_seat + SEATS)
        leases = range(self._first, self._first + PARTITIONS)
        taken = await self._world.store.leases.taken([*leases, *seats])
        seat = self.seat
        if seat is None:
            await self._sit_down([seat for seat in range(SEATS) if seats[seat] not in taken])
            return
        here = len(taken.intersection(seats) | {seats[seat]})
        most = -(-PARTITIONS // here)
        free = [partition for partition in range(PARTITIONS) if leases[partition] not in taken]
        if free and len(self.epochs) < most:
            await self._take(_mine_first(free, seat * most)[: most - len(self.epochs)])
        await self._hand_over(sorted(self.epochs)[most:])
        if len(self.epochs) >= PARTITIONS - most * (here - 1) and self.seat is not None:
            self._set_fair(fair=True)

    def _set_fair(self, *, fair: bool) -> None:
        on, off = (self.is_fair, self.is_off) if fair else (self.is_off, self.is_fair)
        on.set()
        off.clear()

    async def _sit_down(self, free: Sequence[int]) -> None:
        if not free:
            return  # as many are there as there are partitions
        await check_clock(self._world.store.events, self._world.clock)
        if await self._holding.acquire([self._first_seat + free[0]]):
            self.seat = free[0]
            log.info("seat_taken", seat=self.seat)
            self._tell_others()
        self._look_again.set()

    async def _take(self, partitions: Sequence[int]) -> None:
        await check_clock(self._world.store.events, self._world.clock)
        got = await self._holding.acquire([self._first + partition for partition in partitions])
        gained = {lease.partition - self._first: lease.epoch for lease in got}
        self.epochs.update(gained)
        if gained:
            log.info("partitions_taken", number=len(gained), held=len(self.epochs))
            self._holder.gained(list(gained))
        if len(got) < len(partitions):
            self._look_again.set()

    # --- handing over -----------------------------------------------------------------------

    async def _hand_over(self, partitions: Sequence[int]) -> None:
        deadline = asyncio.get_running_loop().time() + LEAVE_WITHIN_S
        if partitions:
            log.info("handing_over", number=len(partitions))
        for begin in range(0, len(partitions), AT_ONCE):
            some = [p for p in partitions[begin : begin + AT_ONCE] if p in self.epochs]
            await asyncio.gather(*(self._leave(partition, deadline) for partition in some))
            left = [partition for partition in some if partition in self.epochs]
            self._let_go(left)
            await self._release([self._first + partition for partition in left])

    async def _leave(self, partition: int, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._holder.leave(partition)
        except TimeoutError:
            log.warning("not_brought_to_its_end", partition=partition, after_s=LEAVE_WITHIN_S)

    async def _release(self, numbers: Sequence[int]) -> None:
        """Give these back, and say so."""
        await self._holding.release([n for n in numbers if n in self._holding.held])
        self._tell_others()

    def _tell_others(self) -> None:
        with contextlib.suppress(NotSent):  # they look by themselves before long
            self._world.bus.publish(self._subject, b"")


def _mine_first(free: Sequence[int], begin: int) -> list[int]:
    """In another order for every seat, so that not all reach for the same."""
    return sorted(free, key=lambda partition: (partition - begin) % PARTITIONS)
