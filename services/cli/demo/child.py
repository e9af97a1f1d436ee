"""The engine of the demo and the check of its log, as processes of their own."""

import asyncio
import contextlib
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from services.cli.children import STOP_WITHIN_S, end_child, start_child
from shared.ports import NoResponders

READY_WITHIN_S = 60
ANSWERED_WITHIN_S = 60
COLUMNS = "100"
"""As wide as the terminal that answers are made for."""
_LOG_TAIL_BYTES = 4_000


class ChildFailed(Exception):
    """A child did not do what it was started for; the message quotes what it said."""


class EngineChild:
    """A running ``fernamt up``. ``url`` is where front ends connect."""

    def __init__(self, process: Process, url: str, log: Path) -> None:
        self.url = url
        self.pid = process.pid
        self._process = process
        self._log = log

    async def stop(self) -> None:
        """Ask it to end in order. Raises ``ChildFailed`` if it does not."""
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                code = await self._process.wait()
        except TimeoutError:
            raise ChildFailed(f"the engine did not stop within {STOP_WITHIN_S} s") from None
        if code != 0:
            raise ChildFailed(f"the engine ended with exit code {code}:\n{_tail(self._log)}")


@contextlib.asynccontextmanager
async def engine(
    directory: Path, *, clock_file: Path, settings: Mapping[str, str]
) -> AsyncIterator[EngineChild]:
    """Start ``fernamt up`` with its log in ``directory/data``; however the block ends, it is gone.

    ``settings`` are variables of its environment. Raises ``ChildFailed`` if it does not get ready.
    """
    log = directory / "engine.log"
    command = (
        *("up", "--quiet", "--no-ops", "--data", str(directory / "data"), "--nats-port", "0"),
        *("--clock-offset-file", str(clock_file)),
    )
    with log.open("wb") as stderr:
        process = await start_child(
            *command, settings=settings, stdout=PIPE, stderr=stderr.fileno()
        )
    try:
        yield EngineChild(process, await _ready_url(process, log), log)
    except (NoResponders, OSError) as error:
        if process.returncode is None:
            raise
        raise ChildFailed(f"the engine ended by itself:\n{_tail(log)}") from error
    finally:
        await end_child(process)


async def ask_log(directory: Path, *command: str) -> tuple[int, str]:
    """Run ``fernamt COMMAND`` on the log in ``directory/data``: its exit code and its output."""
    asked = (*command, "--data", str(directory / "data"))
    process = await start_child(*asked, settings={"COLUMNS": COLUMNS}, stdout=PIPE, stderr=STDOUT)
    try:
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            output, _ = await process.communicate()
    except TimeoutError:
        raise ChildFailed(f"{command[0]} took longer than {ANSWERED_WITHIN_S} s") from None
    finally:
        await end_child(process)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def _ready_url(process: Process, log: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            line = (await process.stdout.readline()).decode()
    except TimeoutError:
        line = ""
    word, _, url = line.strip().partition(" ")
    if word != "ready":
        raise ChildFailed(f"the engine did not start:\n{_tail(log)}")
    return url


def _tail(log: Path) -> str:
    return log.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace").strip() or "(nothing)"
