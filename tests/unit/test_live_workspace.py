"""What a workspace on duty says, and what it keeps to itself."""

import asyncio
from typing import Any, cast

import pytest

from shared.routing.commands import Refused
from tests.unit.router_town import Town


@pytest.fixture
async def town() -> Town:
    return Town()


async def test_what_was_committed_is_said_though_the_leases_may_be_over(town: Town) -> None:
    live = town.workspace("w")
    town.send(live)
    town.send(live, asked="query")
    await town.decide_all()
    town.holds = False
    assert town.answered == []
    town.store(1)
    assert len(town.answered) == 2, "the query was decided on what this commit made true"


async def test_what_waits_for_no_commit_is_said_only_while_the_leases_last(town: Town) -> None:
    live = town.workspace("w")
    town.holds = False
    town.send(live, asked="query")
    await town.decide_all()
    town.holds = True
    town.send(live, asked="query")
    await town.decide_all()
    assert len(town.answered) == 1
    assert town.crowd.jobs == 0


async def test_it_is_settled_once_everything_is_answered(town: Town) -> None:
    live = town.workspace("w")
    town.send(live, 2)
    settled = asyncio.create_task(live.settled())
    await town.decide_all()
    town.store(1)
    await asyncio.sleep(0)
    assert not settled.done()
    town.store(1)
    await settled
    await live.settled()


async def test_whoever_ends_is_settled_and_silent(town: Town) -> None:
    live = town.workspace("w")
    town.send(live, 2)
    await town.decide_all()
    settled = asyncio.create_task(live.settled())
    await asyncio.sleep(0)
    live.end()
    town.send(live)
    await settled
    assert (town.answered, town.refused, town.crowd.jobs) == ([], [], 0)


async def test_whoever_ends_with_a_reason_gives_it_to_all(town: Town) -> None:
    live = town.workspace("w")
    town.send(live, 2)
    await town.decide_all()
    live.end(Refused("unavailable", "for good"))
    town.send(live)
    assert town.refused == [("w", "unavailable")] * 3
    assert town.crowd.jobs == 0


async def test_a_fault_in_its_timers_takes_one_workspace_off_duty_and_no_other(town: Town) -> None:
    faulty, sound = town.workspace("faulty"), town.workspace("sound")
    town.send(faulty)
    cast("Any", faulty)._decider.timers_fail = True
    faulty.wake()
    town.send(faulty)
    town.send(sound)
    await town.decide_all()
    town.store(1)
    assert town.refused == [("faulty", "unavailable")] * 2
    assert len(town.answered) == 1
