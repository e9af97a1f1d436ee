"""``python -m tests.bench.long_log DIRECTORY``: a long log replayed in one process, and its memory.

A log of busy days (``pasts``) is written into the directory for each size, once, and verified by a
process of its own: every event is read, decoded and applied, every decision made again. Ten million
events take a machine of two cores the better part of an hour with the writing; hence not in
``make bench``.
"""

import argparse
import asyncio
import multiprocessing
import resource
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

from shared.adapters.open_store import open_archive
from shared.audit.verifying import verify
from shared.runtime.garbage import spare_what_lasts
from shared.runtime.logs import configure_logs
from tests.bench.pasts import W, say, write

SIZES = (1_000_000, 10_000_000)
OPERATORS = 1_000
_KIB = 1_024


class Took(NamedTuple):
    """What verifying one log took."""

    events: int
    decisions: int
    seconds: float
    worked_s: float
    peak_mib: float


async def _verified(directory: Path) -> Took:
    spare_what_lasts()
    archive = await open_archive(f"sqlite:///{directory}")
    began, worked = perf_counter(), process_time()
    result = await verify(archive, W)
    took_s, worked_s = perf_counter() - began, process_time() - worked
    await archive.close()
    assert not result.findings, result.findings
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB
    return Took(result.events, result.decisions, took_s, worked_s, peak_mib)


def _in_child(directory: Path) -> Took:
    return asyncio.run(_verified(directory))


def main() -> None:
    """Make the logs if need be, verify each in a fresh process, tell what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="made if it is not there; gigabytes")
    parser.add_argument("--events", type=int, nargs="+", default=SIZES)
    asked = parser.parse_args()
    configure_logs(level="warning")
    for events in asked.events:
        directory = asked.directory / str(events)
        directory.mkdir(parents=True, exist_ok=True)
        asyncio.run(write(directory, events, OPERATORS))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            took = pool.apply(_in_child, (directory,))
        say(
            f"{took.events:,} events, {took.decisions:,} decisions made again in "
            f"{took.seconds:,.0f} s, {took.worked_s:,.0f} s of it at work: "
            f"{took.events / took.worked_s:,.0f} events per second at work, "
            f"at most {took.peak_mib:,.0f} MiB"
        )


if __name__ == "__main__":
    main()
