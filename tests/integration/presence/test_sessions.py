"""Heartbeats over a real broker: leases, devices, log-outs, what is said late or cannot be read."""

import asyncio

from shared.routing import events as e
from shared.routing.ids import OperatorId, SessionId
from tests.integration.presence.house import House, reports, until_shown
from tests.servers.waiting import until

ANA, BEN = OperatorId("ana"), OperatorId("ben")
DESK, PHONE = SessionId("desk"), SessionId("phone")
SESSIONS = (e.OperatorLoggedIn, e.OperatorLoggedOut, e.SessionLapsed, e.SessionReturned)


async def test_st03_p03_the_machine_dies_and_after_the_grace_she_is_offline(house: House) -> None:
    async with house.office("ana", "ben") as office:
        policy = {"disconnect_grace_s": 1}
        await office.admin("set_policy", scope={"workspace": True}, policy=policy)
        desk = await house.works(office, "ana")
        await house.works(office, "ben")
        desk.silence()
        await house.until_logged(office, e.SessionLapsed(ANA, DESK))
        await until_shown(office, "ana", "offline", "disconnected", False)
        desk.beat()
        await until_shown(office, "ana", "online", "chosen", True)
        await until_shown(office, "ben", "online", "chosen", True)
        assert await house.events(office, *SESSIONS) == [
            e.OperatorLoggedIn(ANA, DESK),
            e.OperatorLoggedIn(BEN, DESK),
            e.SessionLapsed(ANA, DESK),
            e.SessionReturned(ANA, DESK),
        ]


async def test_st03_st06_p02_back_within_the_grace_she_is_as_she_was(house: House) -> None:
    async with house.office("ana") as office:
        desk = await house.works(office, "ana")
        await office.operator("ana", "set_status", status="busy")
        desk.silence()
        await house.until_logged(office, e.SessionLapsed(ANA, DESK))
        await until_shown(office, "ana", "busy", "chosen", False)
        desk.beat()
        await house.until_logged(office, e.SessionReturned(ANA, DESK))
        await until_shown(office, "ana", "busy", "chosen", True)
        changes = await house.events(office, e.OperatorStatusChanged)
        assert changes == [
            e.OperatorStatusChanged(ANA, "online", "chosen"),
            e.OperatorStatusChanged(ANA, "busy", "chosen"),
        ]


async def test_st03_each_device_has_a_lease_of_its_own(house: House) -> None:
    async with house.office("ana") as office:
        desk = await house.works(office, "ana")
        phone = await house.works(office, "ana", "phone")
        desk.silence()
        await house.until_logged(office, e.SessionLapsed(ANA, DESK))
        await until_shown(office, "ana", "online", "chosen", True)
        phone.silence()
        await house.until_logged(office, e.SessionLapsed(ANA, PHONE))
        await until_shown(office, "ana", "online", "chosen", False)


async def test_st03_a_heartbeat_of_an_unknown_session_is_a_log_in(house: House) -> None:
    async with house.office("ana") as office:
        house.desk(office, "ana", "tab").beat()
        await house.until_logged(office, e.OperatorLoggedIn(ANA, SessionId("tab")))
        await until_shown(office, "ana", "online", "chosen", True)


async def test_st04_late_heartbeats_of_what_logged_out_change_nothing(house: House) -> None:
    async with house.office("ana", "ben") as office:
        desk = await house.works(office, "ana")
        heard = await reports(office)
        await office.operator("ana", "log_out", session_id="desk")
        desk.beat()  # a tab that was left open, and goes on
        house.desk(office, "ben").beat()
        (await house.works(office, "ben", "phone")).silence()
        await house.until_logged(office, e.SessionLapsed(BEN, PHONE))
        await until_shown(office, "ana", "offline", "logout", False)
        about_ana = [body for _, body in heard() if body["operator_id"] == "ana"]
        assert about_ana == []
        sessions = await house.events(office, *SESSIONS)
        assert [event for event in sessions if event.operator_id == ANA] == [  # type: ignore[attr-defined]
            e.OperatorLoggedIn(ANA, DESK),
            e.OperatorLoggedOut(ANA, DESK),
        ]


async def test_st03_heartbeats_of_strangers_and_rubbish_ask_the_router_nothing(
    house: House,
) -> None:
    async with house.office("ana") as office:
        desk = await house.works(office, "ana")
        bot = {"operator_id": "robot", "kind": "bot"}
        await office.admin("register_operator", **bot)
        heard = await reports(office)
        root = f"fernamt.v1.beat.{office.workspace}"
        for rubbish in (b"{", b"[]", b'{"active": 7}', b"\xff", b"[" * 60_000, b"x" * 70_000):
            desk.say(rubbish)
        for subject in (f"{root}.operator.zoe.desk", f"{root}.operator.robot.desk"):
            for _ in range(50):
                office.client.bus.publish(subject, b"{}")
        for _ in range(50):
            office.client.bus.publish("fernamt.v1.beat.nowhere.operator.ana.desk", b"{}")
        house.desk(office, "ana", "tab").beat()
        await house.until_logged(office, e.OperatorLoggedIn(ANA, SessionId("tab")))
        assert heard() == [("session_returned", {"operator_id": "ana", "session_id": "tab"})]
        assert house.presence.stderr.count("heartbeat_unreadable") == 1


async def test_st03_too_many_devices_are_refused_once(house: House) -> None:
    """Whoever sends heartbeats of ever new sessions costs the router nothing."""
    async with house.office("ana") as office:
        for number in range(100):
            await office.operator("ana", "log_in", session_id=f"s{number}")
        heard = await reports(office)
        root = f"fernamt.v1.beat.{office.workspace}.operator.ana"
        office.client.bus.publish(f"{root}.new0", b"{}")

        async def refused() -> bool:
            return len(heard()) == 1 and "report_refused" in house.presence.stderr

        await until("the first is refused", refused)
        for number in range(1, 50):
            office.client.bus.publish(f"{root}.new{number}", b"{}")
        await office.operator("ana", "log_out", session_id="s0")
        house.desk(office, "ana", "last").beat()
        await house.until_logged(office, e.OperatorLoggedIn(ANA, SessionId("last")))
        assert [body["session_id"] for _, body in heard()].count("new1") == 0
        assert len([body for _, body in heard() if str(body["session_id"]).startswith("new")]) <= 2


async def test_st12_flapping_twenty_times_makes_presence_say_nothing(house: House) -> None:
    async with house.office("ana") as office:
        desk = await house.works(office, "ana")
        heard = await reports(office)
        for _ in range(20):
            await office.operator("ana", "log_out", session_id="desk")
            desk.beat()
            await office.operator("ana", "log_in", session_id="desk")
            desk.beat()
        house.desk(office, "ana", "tab").beat()
        await house.until_logged(office, e.OperatorLoggedIn(ANA, SessionId("tab")))
        assert [body["session_id"] for _, body in heard()] == ["tab"]
        changes = await house.events(office, e.OperatorStatusChanged)
        assert len(changes) == 41


async def test_p07_heartbeats_come_through_while_much_is_assigned(house: House) -> None:
    people = [f"op{number}" for number in range(8)]
    async with house.office("ben", *people) as office:
        for who in people:
            await house.works(office, who)
        ben = await house.works(office, "ben")
        ben.silence()
        lapses: list[object] = []
        number = 0
        while not lapses:
            number += 1
            opening = (office.open(f"v{number}-{n}", f"c{number}-{n}") for n in range(50))
            await asyncio.gather(*opening)
            lapses = list(await house.events(office, e.SessionLapsed))
        assert lapses == [e.SessionLapsed(BEN, DESK)]
