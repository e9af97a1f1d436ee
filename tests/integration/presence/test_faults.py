"""Presence that is stopped, killed, doubled or cut off: nobody's status changes for that."""

import asyncio

import pytest

from shared.routing import events as e
from shared.routing.ids import OperatorId, SessionId
from tests.integration.presence.house import LEASE_MS, House, reports, until_shown
from tests.servers.client import connected
from tests.servers.office import Office
from tests.servers.process import Process
from tests.servers.waiting import until

ANA, BEN, CLEO = OperatorId("ana"), OperatorId("ben"), OperatorId("cleo")
DESK = SessionId("desk")
TRIES_MAX = 6
SESSIONS = (e.OperatorLoggedIn, e.OperatorLoggedOut, e.SessionLapsed, e.SessionReturned)
COMINGS = [e.OperatorLoggedIn(ANA, DESK), e.OperatorLoggedIn(BEN, DESK)]


async def _longer_than_a_lease() -> None:
    """Real time passes, as there is nothing in the process that could be seen waiting."""
    loop = asyncio.get_running_loop()
    until_then = loop.time() + 2 * LEASE_MS / 1_000

    async def passed() -> bool:
        return loop.time() > until_then

    await until("two leases have passed", passed, every_s=0.2)


async def _only_ben_lapses(house: House, office: Office) -> None:
    """Ben died meanwhile, Ana beats on: exactly that is found."""
    await house.until_logged(office, e.SessionLapsed(BEN, DESK))
    await until_shown(office, "ana", "online", "chosen", True)
    assert await house.events(office, *SESSIONS) == [*COMINGS, e.SessionLapsed(BEN, DESK)]


async def test_st13_presence_that_is_stopped_sends_nobody_offline(house: House) -> None:
    """As by a debugger, a machine that is moved, a memory that is full."""
    async with house.office("ana", "ben") as office:
        await house.works(office, "ana")
        ben = await house.works(office, "ben")
        house.presence.pause()
        ben.silence()
        await _longer_than_a_lease()
        house.presence.resume()
        await _only_ben_lapses(house, office)


async def test_st13_presence_that_slept_through_everything_hears_of_it(house: House) -> None:
    """Log-ins and log-outs that came while it was stopped."""
    async with house.office("ana", "ben", "cleo") as office:
        await house.works(office, "ana")
        house.presence.pause()
        ben = await house.works(office, "ben")
        await office.operator("ana", "log_out", session_id="desk")
        ben.silence()
        house.presence.resume()
        await house.until_logged(office, e.SessionLapsed(BEN, DESK))
        await until_shown(office, "ana", "offline", "logout", False)


async def test_st13_restarts_of_presence_lose_nothing_and_repeat_nothing(own_house: House) -> None:
    house = own_house
    async with house.office("ana", "ben") as office:
        await house.works(office, "ana")
        ben = await house.works(office, "ben")
        house.presence.kill()
        ben.silence()
        await _longer_than_a_lease()
        assert await house.events(office, *SESSIONS) == COMINGS
        await asyncio.to_thread(house.presence.start)
        await _only_ben_lapses(house, office)
        house.presence.kill()
        ben.beat()
        await asyncio.to_thread(house.presence.start)
        await house.until_logged(office, e.SessionReturned(BEN, DESK))
        assert await asyncio.to_thread(house.presence.stop) == 0
        assert await house.events(office, *SESSIONS) == [
            *COMINGS,
            e.SessionLapsed(BEN, DESK),
            e.SessionReturned(BEN, DESK),
        ]


async def test_st13_st12_two_instances_write_every_event_once(own_house: House) -> None:
    house = own_house
    second = house.process("presence")
    await asyncio.to_thread(second.start)
    async with house.office("ana", "ben") as office:
        policy = {"idle_timeout_s": 60}
        await office.admin("set_policy", scope={"workspace": True}, policy=policy)
        heard = await reports(office)
        await house.works(office, "ana")
        ben = await house.works(office, "ben")
        await house.until_logged(office, e.OperatorIdle(ANA))
        ben.silence()
        await house.until_logged(office, e.SessionLapsed(BEN, DESK))
        ben.active = True
        ben.beat()
        await house.until_logged(office, e.SessionReturned(BEN, DESK))
        await office.admin("set_schedule", operator_id="ana", weekly={})
        await house.until_logged(office, e.ShiftEnded(ANA))

        async def both() -> bool:
            said = [command for command, _ in heard()]
            return said.count("shift_ended") == 2

        await until("both have reported", both)
        second.pause()
        await _longer_than_a_lease()
        second.resume()
        ben.silence()
        await house.until_logged(office, e.SessionLapsed(BEN, DESK), times=2)
        for kind, times in ((e.SessionReturned, 1), (e.SessionLapsed, 2), (e.ShiftEnded, 1)):
            assert len(await house.events(office, kind)) == times
        idle = await house.events(office, e.OperatorIdle)
        assert idle.count(e.OperatorIdle(ANA)) == 1


@pytest.mark.parametrize("fault", ["killed", "stopped"])
async def test_st13_a_broker_that_is_away_sends_nobody_offline(
    own_house: House, fault: str
) -> None:
    house = own_house
    async with house.office("ana", "ben") as office:
        await house.works(office, "ana")
        ben = await house.works(office, "ben")
        if fault == "killed":
            house.nats.kill()
        else:
            house.nats.pause()
        ben.silence()
        await _longer_than_a_lease()
        if fault == "killed":
            house.nats.start()
        else:
            house.nats.resume()
        async with connected(house.nats.url) as client:
            await _only_ben_lapses(house, Office(client, office.workspace))


async def _broker_away_and_ana_late(house: House, office: Office, presence: Process) -> None:
    """The broker is away for two leases; when it is back, Ana's device takes half a lease more."""
    ana = await house.works(office, "ana")
    ana.silence()
    ana.say(b"{}")
    house.nats.kill()
    await _longer_than_a_lease()
    before = presence.stderr.count("nats_reconnected")
    house.nats.start()

    async def back() -> bool:
        return presence.stderr.count("nats_reconnected") > before

    await until("presence is connected again", back, every_s=0.01)
    loop = asyncio.get_running_loop()
    loop.call_later(LEASE_MS / 2_000, ana.beat)


async def test_st13_devices_may_take_their_time_to_come_back(own_house: House) -> None:
    house = own_house
    async with house.office("ana") as office:
        await _broker_away_and_ana_late(house, office, house.presence)
        await _longer_than_a_lease()
        assert await house.events(office, e.SessionLapsed) == []


async def test_st13_without_beginning_afresh_they_would_be_sent_away(own_house: House) -> None:
    """A safeguard that nobody misses would be none. Where the machine keeps presence waiting, that
    saves them by another one, so it is tried more than once."""
    house = own_house
    house.presence.kill()
    hasty = house.process("presence", module="tests.chaos.ablated", ABLATION="never_afresh")
    await asyncio.to_thread(hasty.start)
    async with house.office("ana") as office:
        for _ in range(TRIES_MAX):
            await _broker_away_and_ana_late(house, office, hasty)
            await _longer_than_a_lease()
            if await house.events(office, e.SessionLapsed):
                return
    pytest.fail("it was never missed")


@pytest.mark.parametrize("fault", ["killed", "stopped"])
async def test_st13_reports_wait_for_a_router_that_is_away(own_house: House, fault: str) -> None:
    """What came true meanwhile and is not true any more is not reported."""
    house = own_house
    async with house.office("ana", "ben", "cleo") as office:
        await house.works(office, "ana")
        ben = await house.works(office, "ben")
        cleo = await house.works(office, "cleo")
        if fault == "killed":
            house.router.kill()
        else:
            house.router.pause()
        heard = await reports(office)
        ben.silence()
        cleo.silence()

        async def tried() -> bool:
            return {body["operator_id"] for _, body in heard()} == {"ben", "cleo"}

        await until("presence has tried to report both", tried)
        if fault == "killed":
            cleo.beat()  # in time: of a stopped router nobody knows whether it has heard
            await asyncio.to_thread(house.router.start)
        else:
            house.router.resume()
            cleo.beat()
        await house.until_logged(office, e.SessionLapsed(BEN, DESK))
        await until_shown(office, "cleo", "online", "chosen", True)
        sessions = await house.events(office, *SESSIONS)
        assert sessions.count(e.SessionLapsed(BEN, DESK)) == 1
        cleos = [event for event in sessions if event.operator_id == CLEO]  # type: ignore[attr-defined]
        if fault == "killed":
            assert cleos == [e.OperatorLoggedIn(CLEO, DESK)]
        assert not [event for event in sessions[1:] if event.operator_id == ANA]  # type: ignore[attr-defined]
