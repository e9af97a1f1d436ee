"""The engine dies at every named place, on both stores, and keeps every promise it made.

The process ends by itself in the middle of a mixed workload, is started again, and every command
that got no answer is sent again with the same id.
"""

import asyncio
from pathlib import Path

import pytest

from shared.runtime.failpoints import PLACES, VARIABLE
from tests.chaos.caller import Caller
from tests.chaos.history import History
from tests.chaos.verdict import judge
from tests.chaos.workload import Workload, set_up
from tests.servers.client import connected
from tests.servers.engine import Engine

KILLED = 137
COMMANDS = 3_000
PASSINGS = {
    "before_publish": 7,
    "before_insert": 40,
    "before_commit": 40,
    "after_commit": 40,
    "before_progress": 5,
    "after_progress": 5,
}
"""At which passing to die; the relay and the committer pass once for many commands, and how far the
feeds were sent is saved ten times a second."""
PASSING = 60
NOTIFIERS = ("before_feed", "after_feed", "before_progress", "after_progress")
SOAK_PASSINGS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


@pytest.mark.parametrize("place", PLACES)
async def test_dying_at_any_place_breaks_no_promise(
    cold_engine: Engine, place: str, tmp_path: Path
) -> None:
    await _die_and_recover(cold_engine, place, PASSINGS.get(place, PASSING), tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("passing", SOAK_PASSINGS)
@pytest.mark.parametrize("place", PLACES)
async def test_dying_there_at_any_time_breaks_no_promise(
    cold_engine: Engine, place: str, passing: int, tmp_path: Path
) -> None:
    often = place not in ("before_progress", "after_progress")
    await _die_and_recover(cold_engine, place, passing if often else passing // 5 + 1, tmp_path)


async def _die_and_recover(engine: Engine, place: str, passing: int, keep_in: Path) -> None:
    history = History()
    engine.start(**{VARIABLE: f"{place}:{passing}"})
    await _work_until_death(engine, history, seed=passing)
    if place not in NOTIFIERS:  # which dies after the answers, between two commands perhaps
        assert any(attempt.outcome == "info" for attempt in history.attempts)
    engine.start()
    async with connected(engine.url) as client:
        caller = Caller(client, history, "w", timeout_s=10)
        for attempt in [one for one in history.attempts if one.outcome == "info"]:
            told = await caller.again(attempt)
            assert told.attempt.outcome in ("ok", "fail")
        await _work_on(caller)
        await judge(history, client, engine.store_url, "w", keep_in)


async def _work_until_death(engine: Engine, history: History, seed: int) -> None:
    """Work until the engine is gone; whatever had no answer by then never gets one."""
    async with connected(engine.url) as client:
        caller = Caller(client, history, "w", timeout_s=60)
        working = asyncio.create_task(_work(caller, seed))
        dying = asyncio.create_task(asyncio.to_thread(engine.wait))
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        assert not working.done(), f"the place was not passed so often: {working}"
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert await dying == KILLED


async def _work(caller: Caller, seed: int) -> None:
    await set_up(caller)
    await Workload([caller], seed, COMMANDS).run()


async def _work_on(caller: Caller) -> None:
    """The next commands find everything in order; those of the set-up may not have been reached."""
    await set_up(caller)
    await Workload([caller], seed=0, commands=40).run()
