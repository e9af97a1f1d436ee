"""Who is refused where more is asked than can be done, and whose turn it is."""

import asyncio
from typing import Any, cast

import pytest

from services.router import crowd
from services.router.crowd import CROWD, JOBS_MAX, WAIT_MAX_MS
from services.router.live import LiveWorkspace
from services.router.turns import SLICE
from shared.routing.commands import Refused
from tests.unit.router_town import Deciding, Town


@pytest.fixture
async def town() -> Town:
    return Town()


async def test_few_are_let_in_however_long_they_wait(town: Town) -> None:
    live = town.workspace("w")
    for _ in range(CROWD):
        town.send(live)
        town.clock.now_ms += WAIT_MAX_MS
    assert (town.crowd.jobs, town.refused) == (CROWD, [])


async def test_beyond_a_crowd_the_age_of_the_oldest_decides(town: Town) -> None:
    live = town.workspace("w")
    town.send(live, 2 * CROWD)
    town.clock.now_ms += WAIT_MAX_MS - 1
    town.send(live)
    assert town.refused == []
    town.clock.now_ms += 1
    town.send(live)
    assert town.refused == [("w", "overloaded")]
    await town.decide_all()
    town.send(live)
    assert len(town.refused) == 2, "decided is not answered yet"
    town.store(2 * CROWD)
    town.send(live)
    assert len(town.refused) == 2


async def test_whose_own_are_answered_in_time_is_let_in(town: Town) -> None:
    flooding, modest = town.workspace("flooding"), town.workspace("modest")
    town.send(flooding, 2 * CROWD)
    town.clock.now_ms += WAIT_MAX_MS
    town.send(flooding)
    town.send(modest, 10)
    assert town.refused == [("flooding", "overloaded")]


async def test_there_is_an_end_for_all_together(town: Town) -> None:
    lives = [town.workspace(f"w{number}") for number in range(10)]
    for number in range(JOBS_MAX + 1):
        town.send(lives[number % 10])
    assert town.crowd.jobs == JOBS_MAX
    assert [code for _, code in town.refused] == ["overloaded"]


async def test_whoever_sends_little_does_not_wait_behind_a_flood(town: Town) -> None:
    flooding, modest = town.workspace("flooding"), town.workspace("modest")
    town.send(flooding, 10 * SLICE)
    town.send(modest)
    await town.decide_all()
    assert [live for live, _ in town.units].index(modest) == 1


async def test_requests_of_one_workspace_stay_in_order(town: Town) -> None:
    live = town.workspace("w")
    town.send(live, 3 * SLICE)
    await town.decide_all()
    positions = [unit.rows[0].position for _, unit in town.units]
    assert positions == list(range(1, 3 * SLICE + 1))


async def test_the_socket_is_read_between_two_slices(town: Town) -> None:
    live = town.workspace("w")
    town.send(live, 2 * SLICE)
    work = asyncio.create_task(town.turns.run())
    await asyncio.sleep(0)
    seen = len(town.units)
    await town.drained()
    work.cancel()
    assert seen == SLICE


async def test_whatever_becomes_of_them_they_leave(town: Town) -> None:
    live = town.workspace("w")
    town.send(live, 3)
    town.send(live, 2, asked="query")
    await town.decide_all()
    town.store(3)
    assert (town.crowd.jobs, len(town.answered)) == (0, 5)

    town.send(live, 3)
    await town.decide_all()
    live.under_way.update(id(unit) for _, unit in town.units[:1])
    live.lost("the store is away", in_doubt=True)
    assert town.crowd.jobs == 3, "a query or a command with an id may be decided again"
    failing = Deciding()
    failing.fails = True
    live.loaded(cast("Any", failing))
    await town.decide_all()
    assert town.crowd.jobs == 2
    assert town.refused == [("w", "unavailable")]
    live.end()
    assert town.crowd.jobs == 0


async def test_a_workspace_off_duty_holds_nobody(town: Town) -> None:
    live = town.workspace("w")
    live.end(Refused("unavailable", "the log is corrupt"))
    town.send(live, 5)
    assert town.crowd.jobs == 0
    assert town.refused == [("w", "unavailable")] * 5


A_MS = 10
"""What the flooded router can do in a millisecond."""


def flood(town: Town, live: LiveWorkspace, times: int, ms: int) -> None:
    """So many times as much as can be done, for so long."""
    for _ in range(ms):
        town.send(live, times * A_MS)
        for _ in range(A_MS):
            live.take_turn()
        town.store(A_MS)
        town.clock.now_ms += 1


@pytest.mark.parametrize("times", [2, 3, 10])
async def test_what_is_taken_of_too_much_is_answered_in_time(town: Town, times: int) -> None:
    live = town.workspace("w")
    flood(town, live, times, ms=1_000)
    assert len(town.answered) == 1_000 * A_MS, "it goes on doing what it can"
    assert max(town.answered) <= max(CROWD // A_MS, times * WAIT_MAX_MS) + 1

    flood(town, live, times=0, ms=max(town.answered))
    assert town.crowd.jobs == 0
    town.refused.clear()
    town.answered.clear()
    flood(town, live, times=1, ms=500)
    assert (town.refused, max(town.answered)) == ([], 0)


async def test_without_the_bound_the_line_grows_as_long_as_the_flood_lasts(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "WAIT_MAX_MS", 1_000_000)
    flood(town, town.workspace("w"), times=3, ms=800)
    assert max(town.answered) > 500
