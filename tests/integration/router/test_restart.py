"""What a restarted engine answers: the same as before, from the log alone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from shared.routing.ids import WorkspaceId
from tests.chaos import checkers
from tests.servers.client import Fields, connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office, read_log

W = "w"


@pytest.fixture
def engine() -> Iterator[Engine]:
    """One for each test: it is restarted."""
    with running_engine() as started:
        yield started


@asynccontextmanager
async def _office(engine: Engine) -> AsyncIterator[Office]:
    async with connected(engine.url) as client:
        yield Office(client, W)


async def _questions(office: Office) -> list[Fields]:
    """Everything that is asked of the indexes, with its position and without the time."""
    views = [(who, view) for who in ("ana", "ben") for view in ("mine", "unassigned", "all")]
    asked = [
        await office.ask("admin", "root", "roster"),
        await office.ask("admin", "root", "queue"),
        *[await office.ask("operator", who, "inbox", view=view) for who, view in views],
    ]
    for answer in asked:
        answer.pop("at")
        for waiting in answer["result"].get("waiting", ()):
            waiting.pop("waited_ms")
    return asked


async def test_queues_places_and_inboxes_are_the_same_after_a_restart(engine: Engine) -> None:
    async with _office(engine) as office:
        await office.set_up("ana", "ben", capacity=1)
        await office.come_online("ana", "ben")
        for number in range(5):
            await office.open(f"v{number}", f"c{number}")
        await office.admin("create_group", group_id="loud", name="Loud")
        broadcast = {"delivery": "broadcast"}
        await office.admin("set_policy", scope={"group": "loud"}, policy=broadcast)
        await office.admin("join_group", operator_id="ben", group_id="loud")
        await office.admin("forward", conversation_id="c4", to={"group": "loud"})
        await office.admin("update_group", group_id="loud", description="places are given anew")
        await office.admin("define_role", role_id="guest", permissions={})
        before = await _questions(office)
    assert engine.stop() == 0
    engine.start()
    async with _office(engine) as office:
        assert await _questions(office) == before


async def test_a_broadcast_that_was_overtaken_haunts_nobody_after_a_restart(
    engine: Engine,
) -> None:
    async with _office(engine) as office:
        await office.set_up("ana")
        scope = {"group": "support"}
        await office.admin("set_policy", scope=scope, policy={"delivery": "broadcast"})
        await office.open("vera", "c1")
        await office.admin("define_role", role_id="guest", permissions={})
        await office.admin("set_policy", scope=scope, policy={"delivery": "manual"})
        await office.open("wim", "c2")
        await office.visitor("vera", "close", conversation_id="c1")
    engine.kill()
    engine.start()
    async with _office(engine) as office:
        await office.come_online("ana")
        await office.open("xenia", "c3")
        log = await read_log(engine.store_url, W)
    assert checkers.c9_c10_replay(log, WorkspaceId(W)) == []
    assert engine.stop() == 0
    assert "decision_failed" not in engine.stderr
