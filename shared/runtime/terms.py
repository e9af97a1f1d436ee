"""Terms of duty: take the leases, serve while they last, give them back, and try again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from shared.ports import LeaseLost, StoreError
from shared.routing.partition import PARTITIONS
from shared.runtime.duty import ClockSkewed, Duty, Trade, check_clock
from shared.runtime.world import World

log = structlog.get_logger()

RETRY_S = 0.2
"""Pause between two tries to take the leases."""


async def serve_in_terms(
    world: World,
    trade: Trade,
    owner: str,
    stopping: asyncio.Event,
    serve: Callable[[Duty], Awaitable[None]],
) -> None:
    """Call ``serve`` for each term, until ``stopping`` is set.

    ``serve`` keeps the leases (``Duty.keep``) and returns when told to stop; a ``StoreError`` that
    it raises ends the term and begins another. Where others hold the leases this stands by; what
    stands in the way is told once.
    """
    told: type[Exception] | None = None
    while not stopping.is_set():
        duty = Duty(world.store.leases, world.lease_clock, owner, trade, lease_ms=world.lease_ms)
        obstacle = await _take(world, duty)
        if obstacle is None:
            told = None
            try:
                await serve(duty)
            except StoreError as error:  # the leases are lost, or the store went away meanwhile
                log.warning("duty_ended", trade=trade, reason=error)
            finally:
                with contextlib.suppress(StoreError):
                    await duty.give_up()
        elif type(obstacle) is not told:
            told = type(obstacle)
            if isinstance(obstacle, LeaseLost):
                log.info("waiting_for_leases", trade=trade)
            else:
                log.warning("leases_not_taken", trade=trade, reason=obstacle)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RETRY_S)


async def _take(world: World, duty: Duty) -> Exception | None:
    """Take the leases; what stands in the way otherwise."""
    try:
        await check_clock(world.store.events, world.clock)
        if await duty.take(range(PARTITIONS)):
            return None
        return LeaseLost("others hold the leases")
    except (StoreError, ClockSkewed) as error:
        return error
