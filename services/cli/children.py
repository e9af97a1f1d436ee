"""Other ``fernamt`` commands as child processes, started the way a person would start them."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path

STOP_WITHIN_S = 30
_ROOT = Path(__file__).resolve().parents[2]


async def start_child(
    *arguments: str,
    settings: Mapping[str, str],
    stdin: int = DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Process:
    """A child in a session of its own, so that a Ctrl-C is for us, who then stop it in order.

    ``settings`` are all that its environment says about Fernamt: what ours says is for us.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith("FERNAMT_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *arguments),
        cwd=_ROOT,
        env=others | dict(settings),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


async def end_child(process: Process) -> None:
    """Stop it in order if it runs, and by force if it does not listen."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
