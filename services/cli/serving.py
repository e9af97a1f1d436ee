"""Running something until the process is told to end, whatever it is at by then."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from shared.runtime.signals import stop_requested


async def until_stopped(serve: Coroutine[Any, Any, None]) -> None:
    """Run ``serve``; the first SIGTERM or SIGINT cancels it, and it drains on its way out.

    Being told to end is no failure, during the start neither. Raises what ``serve`` raises.
    """
    requested = stop_requested()
    serving = asyncio.create_task(serve)
    asked = asyncio.create_task(requested.wait())
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if serving.done():
        serving.result()
        return
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def end_if_told() -> None:
    """Raise ``CancelledError`` if this task was cancelled and somebody on the way swallowed it.

    Before Python 3.12 ``asyncio.wait_for``, which nats-py connects with, does so when what it waits
    for ends at the same moment. Call it wherever the next thing would be to go on for long.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
