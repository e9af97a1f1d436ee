"""Each safeguard of the router switched off in a real engine: a checker must notice, soon.

"No expected version on append" is not among them: the expectation is the primary key of the table,
and nothing of ours could switch it off. What the router makes of a refusal is, instead.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.open_store import open_store
from shared.ports import Append
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of
from shared.runtime.failpoints import VARIABLE
from tests.chaos.caller import Caller
from tests.chaos.history import History
from tests.chaos.verdict import judge
from tests.chaos.workload import Workload, set_up
from tests.servers.client import Client, connected
from tests.servers.engine import CLI, Engine
from tests.servers.rival import foreign_row

SEEDS_MAX = 20
COMMANDS = 150
MANY = 5_000
"""More than are reached."""
DYING_AT = 30
"""The commit during which the engine dies, when the set-up is over."""
ABLATED = "tests.chaos.ablated"

NO_START = "no start"

Trial = Callable[[Engine, History, int], Awaitable[None]]


async def test_without_command_ids_retries_are_carried_out_again(tmp_path: Path) -> None:
    await _turns_red("no_command_ids", "C2", _work_and_send_again, tmp_path)


async def test_answered_before_the_commit_what_is_acknowledged_is_lost(tmp_path: Path) -> None:
    await _turns_red("answer_before_commit", "C1", _die_while_committing, tmp_path)


async def test_folded_without_rest_the_state_is_another_one(tmp_path: Path) -> None:
    await _turns_red("fold_without_rest", f"C9|C9/C10|{NO_START}", _restart_in_between, tmp_path)


async def test_blind_to_taken_positions_what_is_acknowledged_is_lost(
    postgres_url: str, tmp_path: Path
) -> None:
    async def trial(engine: Engine, history: History, seed: int) -> None:
        await _beside_a_rival(engine, history, seed, postgres_url)

    await _turns_red("ignore_taken_positions", "C1", trial, tmp_path, store=postgres_url)


@pytest.mark.parametrize(
    "trial", ["_work_and_send_again", "_die_while_committing", "_restart_in_between"]
)
async def test_with_every_safeguard_on_the_same_trials_are_green(
    trial: str, tmp_path: Path
) -> None:
    trials: dict[str, Trial] = {
        one.__name__: one
        for one in (_work_and_send_again, _die_while_committing, _restart_in_between)
    }
    assert await _breaches(_engine(tmp_path, 0), trials[trial], 0, tmp_path) == ""


async def _turns_red(
    ablation: str, checkers: str, trial: Trial, directory: Path, *, store: str = ""
) -> None:
    """Some seed out of few must show one of the checkers something."""
    found = []
    for seed in range(SEEDS_MAX):
        engine = _engine(directory, seed, store, ABLATED, ablation)
        found.append(await _breaches(engine, trial, seed, directory))
        if re.search(rf"\n({checkers}): ", found[-1]):
            return
    pytest.fail(f"{ablation} goes unnoticed: {found}")


def _engine(
    directory: Path, seed: int, store: str = "", module: str = CLI, ablation: str = ""
) -> Engine:
    place = directory / str(seed)
    place.mkdir()
    return Engine(place, store=store, module=module, environment={"ABLATION": ablation})


async def _breaches(engine: Engine, trial: Trial, seed: int, keep_in: Path) -> str:
    """What the verdict over one trial says; empty if it is green."""
    history = History()
    try:
        await trial(engine, history, seed)
        async with connected(engine.url) as client:
            await judge(history, client, engine.store_url, _workspace(seed), keep_in)
    except AssertionError as red:
        return str(red)
    except RuntimeError as red:  # the engine could not even be started again
        return f"\n{NO_START}: {red}"
    finally:
        engine.kill()
    return ""


def _workspace(seed: int) -> WorkspaceId:
    return WorkspaceId(f"w-{seed}")


# --- what makes each of them matter ---------------------------------------------------------


async def _work(client: Client, history: History, seed: int, commands: int = COMMANDS) -> Caller:
    caller = Caller(client, history, _workspace(seed), timeout_s=60)
    await set_up(caller)
    await Workload([caller], seed, commands).run()
    return caller


async def _work_and_send_again(engine: Engine, history: History, seed: int) -> None:
    """Clients that did not hear the answer send their command once more."""
    engine.start()
    async with connected(engine.url) as client:
        caller = await _work(client, history, seed)
        for attempt in history.attempts[-40:]:
            if attempt.outcome == "ok":
                await caller.again(attempt)


async def _die_while_committing(engine: Engine, history: History, seed: int) -> None:
    engine.start(**{VARIABLE: f"before_insert:{DYING_AT + seed}"})
    async with connected(engine.url) as client:
        working = asyncio.create_task(_work(client, history, seed, MANY))
        await asyncio.to_thread(engine.wait)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    engine.start()


async def _restart_in_between(engine: Engine, history: History, seed: int) -> None:
    engine.start()
    async with connected(engine.url) as client:
        await _work(client, history, seed)
    engine.kill()
    engine.start()


async def _beside_a_rival(engine: Engine, history: History, seed: int, url: str) -> None:
    """Somebody else takes positions with the router's own epoch."""
    engine.start()
    store = await open_store(url)
    sql = await asyncpg.connect(url)
    workspace = _workspace(seed)
    partition = partition_of(workspace)

    async def take_positions() -> None:
        number = 0
        while True:
            epoch = await sql.fetchval("select epoch from leases where partition = $1", partition)
            head = await store.events.head(workspace)
            if head:
                row = foreign_row(Position(head + 1), epoch, f"{seed}-{number}")
                await store.events.append([Append(workspace, [row])], {partition: epoch})
                number += 1

    try:
        async with connected(engine.url) as client:
            rival = asyncio.create_task(take_positions())
            await _work(client, history, seed)
            rival.cancel()
            await asyncio.gather(rival, return_exceptions=True)
    finally:
        await store.close()
        await sql.close()
