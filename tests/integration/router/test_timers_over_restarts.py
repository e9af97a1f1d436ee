"""Timers of an engine that is killed: each fires once, in order, with the time it was due."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.routing.ids import WorkspaceId
from shared.routing.transaction import Recorded
from tests.chaos import checkers
from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office, RefusedError, read_log
from tests.servers.waiting import until

W = "w"
KILLS = 3


@pytest.fixture
def engine() -> Iterator[Engine]:
    """One for each test: it is killed."""
    with running_engine() as started:
        yield started


@asynccontextmanager
async def _office(engine: Engine) -> AsyncIterator[Office]:
    async with connected(engine.url) as client:
        yield Office(client, W)


async def _log_with(engine: Engine, *names: str) -> Sequence[Recorded]:
    """The log, once it holds events of all these names."""

    async def has_them() -> Sequence[Recorded]:
        log = await read_log(engine.store_url, W)
        return log if set(names) <= {_name(one) for one in log} else ()

    return await until(f"the log has {names}", has_them)


async def _clock_at(moment_ms: int) -> None:
    async def reached() -> bool:
        return time.time() * 1_000 >= moment_ms

    await until(f"the clock is at {moment_ms}", reached)


def _name(one: Recorded) -> str:
    return str(one.envelope.data.__struct_config__.tag).partition(".")[0]


def _timers(log: Sequence[Recorded]) -> list[tuple[str, Any]]:
    """Every event that says when it was due, with its envelope."""
    due = [(_name(one), one.envelope) for one in log]
    return [(name, e) for name, e in due if getattr(e.data, "due", None) is not None]


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_tm01_an_offer_that_expires_while_nobody_is_there_expires_once_and_first(
    engine: Engine, ending: str
) -> None:
    async with _office(engine) as office:
        await office.set_up("ana", "ben")
        policy = {"delivery": "offer", "offer_timeout_s": 1}
        await office.admin("set_policy", scope={"workspace": True}, policy=policy)
        await office.come_online("ana", "ben")
        opened = await office.open("vera", "c1")
    getattr(engine, ending)()
    deadline = opened["at"] + 1_000
    await _clock_at(deadline)
    engine.start()
    async with _office(engine) as office:
        with pytest.raises(RefusedError, match="offer_ended") as refused:
            await office.operator("ana", "accept_offer", conversation_id="c1", offer=1)
        assert refused.value.error["detail"] == {"how": "expired"}
    log = await _log_with(engine, "offer_expired")
    name, envelope = _timers(log)[0]
    assert (name, envelope.data.offer, envelope.data.due) == ("offer_expired", 1, deadline)
    assert envelope.at >= deadline
    assert (envelope.by, envelope.cmd) == (None, None)
    offers = [one.envelope.data.offer for one in log if _name(one) == "offer_expired"]  # type: ignore[union-attr]
    assert len(offers) == len(set(offers))
    assert checkers.c9_c10_replay(log, WorkspaceId(W)) == []


async def test_tm01_p08_timers_survive_being_killed_again_and_again(engine: Engine) -> None:
    """Breaks, a grace, an offer and a slow answer, all of them running."""
    async with _office(engine) as office:
        await office.set_up("ana", "ben", "cleo", "dan")
        policy = {
            "disconnect_grace_s": 5,
            "on_slow": [{"after_s": 4, "action": "notify"}],
        }
        await office.admin("set_policy", scope={"workspace": True}, policy=policy)
        await office.admin("create_group", group_id="asked", name="Asked")
        scope = {"group": "asked"}
        offering = {"delivery": "offer", "offer_timeout_s": 3}
        await office.admin("set_policy", scope=scope, policy=offering)
        await office.admin("join_group", operator_id="dan", group_id="asked")
        await office.come_online("ana", "ben", "cleo", "dan")
        await office.open("vera", "c1")
        await office.admin("forward", conversation_id="c1", to=scope)
        await office.open("wim", "c2")
        lapsed = {"operator_id": "ben", "session_id": "desk"}
        await office.send("service", "presence", "session_lapsed", lapsed)
        for who in ("ana", "cleo"):
            await office.operator(who, "set_status", status="busy", for_s=1)
    for _ in range(KILLS):
        engine.kill()
        engine.start()
    once = ("conversation_slow", "disconnect_grace_ended")
    log = await _log_with(engine, "status_break_ended", "offer_expired", *once)
    fired = _timers(log)
    names = [name for name, _ in fired]
    assert [names.count(name) for name in ("status_break_ended", *once)] == [2, 1, 1]
    assert len({envelope.data for _, envelope in fired}) == len(fired), "one has fired twice"
    due = [envelope.data.due for _, envelope in fired]
    assert due == sorted(due)
    for name, envelope in fired:
        assert envelope.at >= envelope.data.due, name
    assert [one.position for one in log] == list(range(1, len(log) + 1))
    assert checkers.c9_c10_replay(log, WorkspaceId(W)) == []
    assert "decision_failed" not in engine.stderr
