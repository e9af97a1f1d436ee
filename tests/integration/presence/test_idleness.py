"""Idle times over a real broker: what counts as doing something, and for whom how long."""

from shared.routing import events as e
from shared.routing.ids import OperatorId
from tests.integration.presence.house import IDLE_S, House, reports, until_shown

ANA, BEN, CLEO = OperatorId("ana"), OperatorId("ben"), OperatorId("cleo")
IDLENESS = (e.OperatorIdle, e.OperatorActive)
MINUTE = {"idle_timeout_s": 60}


async def _hasty(office: object) -> None:
    await office.admin("set_policy", scope={"workspace": True}, policy=MINUTE)  # type: ignore[attr-defined]


async def test_st05_st06_idle_though_connected_and_active_again_by_a_heartbeat(
    house: House,
) -> None:
    async with house.office("ana") as office:
        await _hasty(office)
        desk = await house.works(office, "ana")
        await office.operator("ana", "set_status", status="invisible")
        await house.until_logged(office, e.OperatorIdle(ANA))
        await until_shown(office, "ana", "offline", "idle", True)
        desk.active = True
        desk.beat()
        await house.until_logged(office, e.OperatorActive(ANA))
        await until_shown(office, "ana", "invisible", "chosen", True)
        desk.active = False
        await house.until_logged(office, e.OperatorIdle(ANA), times=2)
        assert len(await house.events(office, *IDLENESS)) == 3


async def test_st05_activity_is_any_heartbeat_with_it_and_any_command_even_of_no_effect(
    house: House,
) -> None:
    """Cleo does nothing, twice as long as it takes."""
    async with house.office("ana", "ben", "cleo") as office:
        await _hasty(office)
        (await house.works(office, "ana")).active = True
        await house.works(office, "ben")
        await house.works(office, "cleo")
        for number in range(2):
            while len(await house.events(office, e.OperatorIdle)) == number:
                await office.operator("ben", "set_status", status="online")
            if number == 0:
                await office.operator("cleo", "set_status", status="online")
        assert await house.events(office, *IDLENESS) == [
            e.OperatorIdle(CLEO),
            e.OperatorActive(CLEO),
            e.OperatorIdle(CLEO),
        ]


async def test_st05_the_time_allowed_changes_at_run_time(house: House) -> None:
    async with house.office("ana", "ben", "cleo") as office:
        for who in ("ana", "ben", "cleo"):
            await house.works(office, who)
        await office.operator("ben", "set_preferences", idle_timeout_s=0)
        await office.operator("cleo", "set_preferences", idle_timeout_s=3_600)
        await _hasty(office)
        await house.until_logged(office, e.OperatorIdle(ANA))
        await office.operator("cleo", "set_preferences", idle_timeout_s=60)
        await house.until_logged(office, e.OperatorIdle(CLEO))
        assert await house.events(office, *IDLENESS) == [e.OperatorIdle(ANA), e.OperatorIdle(CLEO)]


async def test_st05_p11_bots_and_those_who_are_gone_are_not_idle(house: House) -> None:
    async with house.office("ana", "ben", "cleo") as office:
        await _hasty(office)
        await office.admin("register_operator", operator_id="robot", kind="bot")
        heard = await reports(office)
        await house.works(office, "ana")
        await office.operator("ana", "log_out", session_id="desk")
        (await house.works(office, "ben")).silence()
        await house.works(office, "cleo")
        await house.until_logged(office, e.OperatorIdle(CLEO))
        await house.until_logged(office, e.SessionLapsed(BEN, "desk"))  # type: ignore[arg-type]
        said = sorted((command, body["operator_id"]) for command, body in heard())
        assert said == [("operator_idle", "cleo"), ("session_lapsed", "ben")]
        assert IDLE_S > 1
