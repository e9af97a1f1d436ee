"""An engine whose clock is set forward by hours: timers fall due, and nothing else happens."""

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from shared.adapters.clocks import set_forward
from tests.servers.client import connected
from tests.servers.engine import Engine
from tests.servers.office import Office, read_log
from tests.servers.waiting import until

HOUR_S = 3_600
HOUR_MS = HOUR_S * 1_000
BREAK_S = 9 * HOUR_S

SetForward = Callable[[int], None]


@pytest.fixture
def offset_file(tmp_path: Path) -> Path:
    return tmp_path / "offset"


@pytest.fixture
def ahead(offset_file: Path) -> SetForward:
    """Sets the engine's clock so many hours ahead of this machine's."""
    return lambda hours: set_forward(offset_file, hours * HOUR_MS)


@pytest.fixture
def engine(tmp_path: Path, offset_file: Path) -> Iterator[Engine]:
    """One whose clock can be set."""
    started = Engine(tmp_path, options=("--clock-offset-file", str(offset_file)))
    started.start()
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture
async def office(engine: Engine) -> AsyncIterator[Office]:
    """Ana takes a break of nine hours; ben was never there."""
    async with connected(engine.url) as client:
        office = Office(client, "w")
        await office.set_up("ana", "ben")
        await office.come_online("ana")
        await office.operator("ana", "set_status", status="busy", for_s=BREAK_S)
        yield office


async def _status(office: Office, who: str) -> str:
    roster = (await office.ask("admin", "root", "roster"))["result"]["operators"]
    (found,) = (entry["effective"] for entry in roster if entry["operator_id"] == who)
    return str(found)


async def test_tm01_a_timer_falls_due_without_anybody_asking(
    office: Office, ahead: SetForward
) -> None:
    team = await office.feed("team")
    set_at = time.time() * 1_000
    ahead(10)
    (message,) = await team.until(lambda _: team.of("status_changed"))
    assert (message["operator_id"], message["effective"]) == ("ana", "online")
    assert message["at"] - set_at > 10 * HOUR_MS - 1_000


async def test_tm01_every_timer_fires_once_with_the_moment_it_was_due(
    engine: Engine, office: Office, ahead: SetForward
) -> None:
    ahead(10)

    async def is_back() -> bool:
        return await _status(office, "ana") == "online"

    await until("ana is back from her break", is_back)
    log = await read_log(engine.store_url, "w")
    (ended,) = (one for one in log if type(one.envelope.data).__name__ == "StatusBreakEnded")
    (chose,) = (one for one in log if type(one.envelope.data).__name__ == "StatusChosen")
    assert ended.envelope.data.due == chose.envelope.at + BREAK_S * 1_000  # type: ignore[union-attr]
    assert ended.envelope.at - ended.envelope.data.due > HOUR_MS - 10_000  # type: ignore[union-attr]


async def test_no_lease_is_lost_by_a_jump(
    engine: Engine, office: Office, ahead: SetForward
) -> None:
    for hours in (1, 20, 40):
        ahead(hours)
        answered = await office.admin("create_group", group_id=f"g{hours}", name=f"G{hours}")

        async def is_ahead(hours: int = hours) -> bool:
            answer = await office.ask("admin", "root", "workspace")
            return bool(abs(answer["at"] - time.time() * 1_000 - hours * HOUR_MS) < 60_000)

        await until(f"the engine is {hours} h ahead", is_ahead)
        assert answered["ok"]
    epochs = {one.envelope.epoch for one in await read_log(engine.store_url, "w")}
    assert len(epochs) == 1
    assert not re.search(
        "partitions_lost|partitions_not_shared|duty_ended|leases_not_taken", engine.stderr
    )


async def test_an_engine_that_starts_again_goes_on_by_the_same_clock(
    engine: Engine, office: Office, ahead: SetForward
) -> None:
    ahead(10)
    engine.stop()
    engine.start()
    async with connected(engine.url) as client:
        again = Office(client, office.workspace)
        answer = await again.ask("admin", "root", "workspace")
        assert answer["at"] - time.time() * 1_000 > 9 * HOUR_MS
        assert await _status(again, "ana") == "online"
    log = await read_log(engine.store_url, "w")
    stamps = [one.envelope.at for one in log]
    assert stamps == sorted(stamps)


def test_a_clock_of_its_own_is_not_for_a_database_server(tmp_path: Path, postgres_url: str) -> None:
    engine = Engine(
        tmp_path, store=postgres_url, options=("--clock-offset-file", str(tmp_path / "offset"))
    )
    with pytest.raises(RuntimeError, match="goes by its own clock"):
        engine.start()
