"""Desks that fall silent and are heard again, on an engine that waits for a second and a half."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.integration.frontend.company import Company, agrees
from tests.integration.frontend.desk import Desk
from tests.servers.engine import Engine, running_engine
from tests.servers.waiting import until

LEASE_MS = 1_500
BEAT_S = LEASE_MS / 3_000
IDLE_S = 60
"""Two seconds at this pace."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Silent for a second and a half, a device is gone."""
    with running_engine(environment={"FERNAMT_PRESENCE_LEASE_MS": str(LEASE_MS)}) as started:
        yield started


async def _desk(company: Company, who: str, session: str = "", seq: int | None = None) -> Desk:
    return await company.desk(who, session, seq=seq, heartbeat_every_s=BEAT_S)


async def _is(company: Company, who: str, *, connected: bool, effective: str, cause: str) -> None:
    """Wait until the roster says so."""
    expected = (connected, effective, cause)

    async def so() -> bool:
        entry = (await company.roster())[who]
        return (entry["connected"], entry["effective"], entry["cause"]) == expected

    await until(f"{who} is {expected}", so)


async def test_st03_p03_silent_for_too_long_one_is_gone_and_comes_back(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(disconnect_grace_s=1)
    ana, ben = await _desk(company, "ana"), await _desk(company, "ben")
    await ben.choose("busy")
    vera = await company.widget("vera")
    await vera.open("c1")
    await ana.feed.told("assigned", conversation_id="c1")
    await ana.stop_heartbeats()
    await ben.sees("ana", "offline")
    await _is(company, "ana", connected=False, effective="offline", cause="disconnected")
    assert (await company.conversation("c1"))["owner"] == "ana"
    await vera.turns("messenger")
    ana.begin_heartbeats()
    await ben.sees("ana", "online")
    await vera.turns("live")
    await vera.write("c1")
    await ana.feed.told("visitor_wrote", conversation_id="c1")
    await agrees(ana)
    presence = [m["shown"] for m in vera.feed.messages if m["type"] == "operator_presence"]
    assert presence == ["offline", "online"]


async def test_st03_p02_gone_for_less_than_the_grace_nobody_notices(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(disconnect_grace_s=600)
    ana, ben = await _desk(company, "ana"), await _desk(company, "ben")
    seen = dict(ben.colleagues)
    await ana.hang_up()
    await _is(company, "ana", connected=False, effective="online", cause="chosen")
    vera = await company.widget("vera")
    await vera.open("c1")
    await ben.feed.told("assigned", conversation_id="c1")
    again = await _desk(company, "ana", "ana-1", ana.feed.seq)
    await _is(company, "ana", connected=True, effective="online", cause="chosen")
    await vera.write("c1")
    await ben.feed.told("visitor_wrote", conversation_id="c1")
    assert ben.colleagues == seen
    assert again.mine == {}
    await agrees(ben)


async def test_st03_the_same_device_goes_on_where_its_heartbeats_do(company: Company) -> None:
    """It never notices that it was thought to be gone, and logs in no second time."""
    await company.hire("ana")
    await company.policy(disconnect_grace_s=1)
    ana = await _desk(company, "ana")
    await ana.choose("busy")
    await ana.stop_heartbeats()
    await _is(company, "ana", connected=False, effective="offline", cause="disconnected")
    ana.begin_heartbeats()
    await _is(company, "ana", connected=True, effective="busy", cause="chosen")
    me = (await ana.line.ask("me")).result
    assert me["chosen"] == "busy"


async def test_st03_with_two_devices_one_may_die(company: Company) -> None:
    """Ben, whose only device dies with it, shows when it was missed."""
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(disconnect_grace_s=1)
    desk, phone = await _desk(company, "ana", "desk"), await _desk(company, "ana", "phone")
    ben = await _desk(company, "ben")
    await phone.hang_up()
    await ben.hang_up()
    await desk.sees("ben", "offline")
    entry = (await company.roster())["ana"]
    assert (entry["connected"], entry["effective"]) == (True, "online")
    await agrees(desk)


async def test_st04_a_heartbeat_after_the_log_out_changes_nothing(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    ana, ben = await _desk(company, "ana"), await _desk(company, "ben")
    await ana.stop_heartbeats()
    await ana.line.command("log_out", {"session_id": ana.session})
    position = (await company.admin.ask("workspace")).position
    late = ben.line.subject("beat", "operator", "ana", ana.session)
    for _ in range(3):
        await ben.line.publish(late, {"active": True})
    await _is(company, "ana", connected=False, effective="offline", cause="logout")
    await ben.choose("busy")
    await ben.sees("ben", "busy")
    assert ben.colleagues["ana"] == "offline"
    busy = (await company.admin.ask("workspace")).position
    assert busy - position <= 3
    again = await ana.line.command("log_in", {"session_id": ana.session})
    assert again.result["effective"] == "online"
    twice = await ana.line.command("log_in", {"session_id": ana.session})
    assert twice.position == again.position


async def test_st05_st06_who_touches_nothing_is_idle_until_he_does(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(idle_timeout_s=IDLE_S)
    ana, ben = await _desk(company, "ana"), await _desk(company, "ben")
    await ben.do("set_preferences", idle_timeout_s=0)
    await ben.sees("ana", "offline")
    entry = (await company.roster())["ana"]
    assert (entry["connected"], entry["cause"]) == (True, "idle")
    subject = ana.line.subject("beat", "operator", "ana", ana.session)
    await ana.line.publish(subject, {"active": True})
    await ben.sees("ana", "online")
    await ben.sees("ana", "offline")
    await ana.do("set_preferences", reachable_when_slow=True)
    await ben.sees("ana", "online")
    assert (await company.roster())["ben"]["effective"] == "online"


async def test_ow01_what_one_had_who_is_gone_goes_to_somebody_else(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(disconnect_grace_s=1, on_owner_offline="reassign")
    ana = await _desk(company, "ana")
    vera = await company.widget("vera")
    await vera.open("c1")
    await ana.feed.told("assigned", conversation_id="c1")
    ben = await _desk(company, "ben")
    await ana.hang_up()
    await ben.feed.told("assigned", conversation_id="c1")
    await vera.feed.told("operator_joined", operator_id="ben")
    assert vera.with_operators == ["ben"]
    back = await _desk(company, "ana", seq=ana.feed.seq)
    released = await back.feed.told("released", conversation_id="c1")
    assert released["reason"] == "owner_offline"
    for desk in (back, ben):
        await agrees(desk)


async def test_st13_an_engine_that_is_killed_and_started_again_changes_nobodys_status(
    engine: Engine, company: Company
) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    ana, ben = await _desk(company, "ana"), await _desk(company, "ben")
    await ben.choose("invisible")
    vera = await company.widget("vera")
    await vera.open("c1")
    await ana.feed.told("assigned", conversation_id="c1")
    seen = dict(ben.colleagues)
    engine.kill()
    await asyncio.to_thread(engine.start)
    await vera.write("c1")
    await ana.feed.told("visitor_wrote", conversation_id="c1")
    await ben.choose("busy")
    assert seen == {"ana": "online", "ben": "invisible"}
    await ana.sees("ben", "busy")
    assert ana.feed.types().count("visitor_wrote") == 1
    roster = await company.roster()
    assert {who: entry["effective"] for who, entry in roster.items()} == {
        "ana": "online",
        "ben": "busy",
    }
    for desk in (ana, ben):
        await agrees(desk)
