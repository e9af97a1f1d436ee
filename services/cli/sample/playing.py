"""The shop goes on: its people play over the broker, as front ends do, while the engine runs.

They look at what is there and act on that, so that they go on with whatever an earlier run left.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import structlog

from services.cli.demo.clients import connect
from services.cli.sample.front_ends import FrontEnds
from services.cli.sample.live_desks import LiveDesks
from services.cli.sample.live_shifts import LiveShifts
from services.cli.sample.live_visitors import LiveVisitors
from services.cli.sample.scene import look
from services.cli.serving import end_if_told
from shared.ports import Clock

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
FAILURES_MAX = 30
"""Looks in a row that came to nothing: the engine is stopping, or somebody else's."""
_TELL_AGAIN_S = 0.5
FAILURES = (TimeoutError, ConnectionError, LookupError)
"""What becomes of questions while a service starts, stops or is overloaded."""


async def play_on(url: str, clock: Clock, chance: random.Random) -> None:
    """Play until cancelled. Raises what ``connect`` raises, or the last of too many failures."""
    bus = await connect(url, "fernamt sample")
    front_ends = FrontEnds(bus)
    parts = (
        LiveShifts(front_ends, chance),
        LiveDesks(front_ends, chance),
        LiveVisitors(front_ends, chance, clock.wall_ms()),
    )
    failures = 0
    try:
        while True:
            end_if_told()
            try:
                scene = await look(front_ends, clock.wall_ms())
                for part in parts:
                    end_if_told()
                    await part.act(scene)
                failures = 0
            except FAILURES as failure:
                failures += 1
                log.debug("sample_turn_failed", reason=failure)
                if failures > FAILURES_MAX:
                    raise
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        refused = dict(front_ends.refused)
        log.info("sample_ended", accepted=front_ends.accepted, refused=refused)
        await bus.close()


@contextlib.asynccontextmanager
async def playing(url: str, clock: Clock) -> AsyncIterator[None]:
    """Play on while the block runs. Whatever goes wrong with it is a line in the log, no more."""
    chance = random.Random(clock.wall_ms())
    task = asyncio.create_task(play_on(url, clock, chance), name="sample")
    task.add_done_callback(_ended)
    try:
        yield
    finally:
        while not task.done():  # before Python 3.12 being told once may be swallowed on the way
            task.cancel()
            await asyncio.wait({task}, timeout=_TELL_AGAIN_S)


def _ended(task: "asyncio.Task[None]") -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.warning("sample_failed", reason=error, exc_info=error)
