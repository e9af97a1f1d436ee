"""Background work that is watched: a task that dies is logged and ends the process's service."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Tasks:
    """The background tasks of one service. The first that fails is remembered and reported."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run ``work`` beside the others until ``stop``."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)
            if not self._failure.done():
                self._failure.set_exception(error)

    async def beside(self, serving: Coroutine[Any, Any, None]) -> None:
        """Run ``serving`` to its end. Raises what it raises, or what a task here failed with, and
        cancels it then."""
        work = asyncio.ensure_future(serving)
        failed = asyncio.ensure_future(self.failed())
        try:
            await asyncio.wait({work, failed}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            else:
                failed.result()
        finally:
            work.cancel()
            failed.cancel()
            await asyncio.gather(work, failed, return_exceptions=True)

    async def failed(self) -> None:
        """Wait until some task fails, and raise what it raised."""
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Cancel what is left and wait for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._failure.done():
            self._failure.exception()
        else:
            self._failure.cancel()
