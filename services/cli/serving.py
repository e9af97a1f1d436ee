"""Running something until the process is told to end, whatever it is at by then."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Coroutine
from typing import IO, Any

import structlog

from shared.runtime.signals import stop_requested

log = structlog.get_logger()

UNFINISHED = 1
"""Exit code of a process that did not come to its end in time."""


async def until_stopped(
    serve: Coroutine[Any, Any, None], *, leash: bool = False, within_s: float | None = None
) -> None:
    """Run ``serve``; the first SIGTERM or SIGINT cancels it, and it drains on its way out.

    So does the end of standard input where ``leash`` is given: whoever holds its other end is gone,
    however that came. Being told to end is no failure, during the start neither. Raises what
    ``serve`` raises.

    If it has not drained ``within_s``, since somebody it waits for does not answer, the process
    ends there and then. That is no worse than ``kill -9``: others wait until its leases run out.
    """
    requested = stop_requested()
    if leash:
        _end_with(sys.stdin, requested)
    serving = asyncio.create_task(serve)
    asked = asyncio.create_task(requested.wait())
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if serving.done():
        serving.result()
        return
    serving.cancel()
    drained, _ = await asyncio.wait({serving}, timeout=within_s)
    if not drained:
        log.error("drain_abandoned", after_s=within_s)
        os._exit(UNFINISHED)  # in any other way whatever hangs would be waited for once more
    with contextlib.suppress(asyncio.CancelledError):
        serving.result()


def _end_with(stream: IO[str], requested: asyncio.Event) -> None:
    """Set the event when there is nothing more to read, which nobody writes to."""
    loop = asyncio.get_running_loop()

    def on_readable() -> None:
        if not stream.readline():
            loop.remove_reader(stream)
            requested.set()

    loop.add_reader(stream, on_readable)


def end_if_told() -> None:
    """Raise ``CancelledError`` if this task was cancelled and somebody on the way swallowed it.

    Before Python 3.12 ``asyncio.wait_for``, which nats-py connects with, does so when what it waits
    for ends at the same moment. Call it wherever the next thing would be to go on for long.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
