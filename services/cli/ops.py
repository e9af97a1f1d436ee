"""The services of the ops team as a process beside the engine: what only looks must not slow what
routes, and may die without it."""

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

import structlog

from services.cli.children import end_child, start_child

log = structlog.get_logger()

READY_WITHIN_S = 60
PAUSE_S = 1.0
PAUSE_MAX_S = 30.0
"""Between two tries to start it again; each pause is twice the last."""


class OpsFailed(Exception):
    """The process did not get ready; what it said about that stands on stderr."""


class Ops(NamedTuple):
    """The running process: what it said when it was ready, and the task that keeps it running."""

    said: Sequence[str]
    """Lines such as ``console http://127.0.0.1:8470/``."""
    keeping: "asyncio.Task[None]"


@contextlib.asynccontextmanager
async def ops(arguments: Sequence[str], settings: Mapping[str, str]) -> AsyncIterator[Ops]:
    """Start ``fernamt run ...`` with these arguments and keep it running.

    Raises ``OpsFailed`` if it does not get ready the first time.
    """
    process, said = await _ready(arguments, settings)
    keeper = _Keeper(arguments, settings, process)
    keeping = asyncio.create_task(keeper.run(), name="ops")
    try:
        yield Ops(said, keeping)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await end_child(keeper.process)


class _Keeper:
    """Starts it again whenever it has ended."""

    def __init__(
        self, arguments: Sequence[str], settings: Mapping[str, str], process: Process
    ) -> None:
        self._arguments = arguments
        self._settings = settings
        self.process = process

    async def run(self) -> None:
        pause_s = PAUSE_S
        while True:
            code = await self.process.wait()
            log.error("ops_ended", exit_code=code)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
            with contextlib.suppress(OpsFailed):  # it said why, and is tried again
                self.process, _ = await _ready(self._arguments, self._settings)


async def _ready(
    arguments: Sequence[str], settings: Mapping[str, str]
) -> tuple[Process, Sequence[str]]:
    """The process once it is ready, and what it said before. Its input ends with us."""
    process = await start_child(
        *("run", *arguments, "--leash"), settings=settings, stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while line := (await process.stdout.readline()).decode().strip():
                if line == "ready":
                    return process, said
                said.append(line)
    except BaseException:
        await end_child(process)
        raise
    await end_child(process)
    raise OpsFailed(f"the services of the ops team ended with exit code {process.returncode}")
