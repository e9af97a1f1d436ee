"""Hours over a real broker, with presence in this process, whose clock can be set forward."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.presence.service import Presence
from services.presence.settings import Settings
from shared.adapters.clocks import ShiftedClock, SystemClock, set_forward
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import Store, open_store
from shared.routing import events as e
from shared.routing.ids import EntryPointId, OperatorId
from shared.runtime.world import World
from tests.integration.presence.house import LEASE_MS, House, reports, until_shown
from tests.servers.office import Office
from tests.servers.waiting import until

ANA, BEN, CLEO = OperatorId("ana"), OperatorId("ben"), OperatorId("cleo")
SITE = EntryPointId("site")
SHIFTS = (e.ShiftStarted, e.ShiftEnded)
KOLKATA = dt.timezone(dt.timedelta(hours=5, minutes=30))


class Wall:
    """The clock that presence sees. Other processes go by the machine's."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead_ms = 0
        self.clock = ShiftedClock(file, look_every_ms=0)  # seen at once

    def today(self) -> dt.date:
        """In Kolkata, whose clocks are never changed."""
        return dt.datetime.fromtimestamp(self.clock.wall_ms() / 1_000, KOLKATA).date()

    def go_on_to(self, day: dt.date, hour: int, minute: int = 0) -> None:
        """Jump forward to this moment in Kolkata."""
        then = dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=KOLKATA)
        ahead_ms = int(then.timestamp() * 1_000) - SystemClock().wall_ms()
        assert ahead_ms > self._ahead_ms
        self._ahead_ms = ahead_ms
        set_forward(self._file, ahead_ms)


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path / "ahead")


@pytest.fixture
async def store_of_house(house: House) -> AsyncIterator[Store]:
    store = await open_store(house.store_url)
    yield store
    await store.close()


class Serving:
    """One life of presence after the other."""

    def __init__(self, house: House, store: Store, wall: Wall) -> None:
        self._url = house.nats.url
        self._store = store
        self._wall = wall
        self._bus: NatsBus | None = None
        self._presence: Presence | None = None
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._bus = await NatsBus.connect(NatsSettings(url=self._url, name="presence"))
        world = World(self._store, self._bus, self._wall.clock)
        self._presence = Presence(world, Settings(LEASE_MS))
        self._work = asyncio.create_task(self._presence.run())
        await self._presence.ready.wait()

    async def stop(self) -> None:
        if self._presence is not None and self._work is not None and self._bus is not None:
            self._presence.stop()
            await self._work
            await self._bus.close()
        self._presence = None


@pytest.fixture
async def serving(house: House, store_of_house: Store, wall: Wall) -> AsyncIterator[Serving]:
    """In place of the one of the house, which would go by another time."""
    house.presence.kill()
    serving = Serving(house, store_of_house, wall)
    yield serving
    await serving.stop()
    await asyncio.to_thread(house.presence.start)


async def _on_weekdays(office: Office, **fields: object) -> None:
    weekly = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    await office.admin("set_schedule", timezone="Asia/Kolkata", weekly=weekly, **fields)


def _next_monday(wall: Wall) -> dt.date:
    today = wall.today()
    return today + dt.timedelta(days=7 - today.weekday())


async def _until_off_shift(house: House, office: Office, who: OperatorId, times: int = 1) -> None:
    await house.until_logged(office, e.ShiftEnded(who), times)


async def test_st07_shifts_begin_and_end_with_the_hours_of_the_workspace_or_ones_own(
    house: House, serving: Serving, wall: Wall
) -> None:
    monday = _next_monday(wall)
    async with house.office("ana", "ben", "cleo") as office:
        wall.go_on_to(monday, 8)
        await serving.start()
        for who in ("ana", "ben", "cleo"):
            await house.works(office, who)
        always = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
        await office.admin(
            "set_schedule", operator_id="cleo", timezone="Asia/Kolkata", weekly=always
        )
        await _on_weekdays(office)
        await _until_off_shift(house, office, BEN)
        await until_shown(office, "ana", "offline", "shift_end", True)
        await office.operator("ben", "set_status", status="invisible")
        wall.go_on_to(monday, 9)
        await house.until_logged(office, e.ShiftStarted(BEN, goes_online=False))
        await until_shown(office, "ana", "online", "chosen", True)
        await until_shown(office, "ben", "invisible", "chosen", True)
        wall.go_on_to(monday, 17)
        await _until_off_shift(house, office, ANA, 2)
        await _until_off_shift(house, office, BEN, 2)
        await until_shown(office, "cleo", "online", "chosen", True)
        shifts = await house.events(office, *SHIFTS)
        for who in (ANA, BEN):
            assert [event for event in shifts if event.operator_id == who] == [  # type: ignore[attr-defined]
                e.ShiftEnded(who),
                e.ShiftStarted(who, goes_online=False),
                e.ShiftEnded(who),
            ]
        assert len(shifts) == 6


async def test_st07_st06_offline_from_before_the_shift_is_forgotten_when_it_begins(
    house: House, serving: Serving, wall: Wall
) -> None:
    monday = _next_monday(wall)
    async with house.office("ana", "ben") as office:
        wall.go_on_to(monday, 12)
        await serving.start()
        for who in ("ana", "ben"):
            await house.works(office, who)
            await office.operator(who, "set_status", status="offline")
        await _on_weekdays(office)
        weekly = {"mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]]}
        await office.admin(
            "set_schedule",
            operator_id="ben",
            timezone="Asia/Kolkata",
            weekly=weekly,
            auto_online=False,
        )
        wall.go_on_to(monday, 18)
        await _until_off_shift(house, office, ANA)
        await _until_off_shift(house, office, BEN)
        wall.go_on_to(monday + dt.timedelta(days=1), 9)
        await house.until_logged(office, e.ShiftStarted(ANA, goes_online=True))
        await house.until_logged(office, e.ShiftStarted(BEN, goes_online=False))
        await until_shown(office, "ana", "online", "chosen", True)
        await until_shown(office, "ben", "offline", "chosen", True)


async def test_st07_st13_after_a_restart_the_difference_is_reported_and_no_more(
    house: House, serving: Serving, wall: Wall
) -> None:
    monday = _next_monday(wall)
    async with house.office("ana") as office:
        wall.go_on_to(monday, 12)
        await serving.start()
        await _on_weekdays(office)
        heard = await reports(office)
        await serving.stop()
        wall.go_on_to(monday, 18)
        await serving.start()
        await _until_off_shift(house, office, ANA)
        await serving.stop()
        await serving.start()
        await office.admin("register_operator", operator_id="ben")
        await _until_off_shift(house, office, BEN)
        assert [(command, body["operator_id"]) for command, body in heard()] == [
            ("shift_ended", "ana"),
            ("shift_ended", "ben"),
        ]


async def test_st07_gr09_b06_hours_of_an_entry_point_close_it_and_open_it(
    house: House, serving: Serving, wall: Wall
) -> None:
    """New hours that are open as well change nothing on the way."""
    monday = _next_monday(wall)
    async with house.office("ana") as office:
        wall.go_on_to(monday, 12)
        await serving.start()
        await house.works(office, "ana")
        await _on_weekdays(office, entry_point_id="site")
        wall.go_on_to(monday, 17)
        await house.until_logged(office, e.HoursClosed(SITE))
        heard = await reports(office)
        weekly = {"mon": [["18:00", "19:00"]]}
        await office.admin(
            "set_schedule", entry_point_id="site", timezone="Asia/Kolkata", weekly=weekly
        )
        wall.go_on_to(monday, 18)
        await house.until_logged(office, e.HoursOpened(SITE))
        weekly = {"mon": [["17:30", "18:30"]]}
        await office.admin(
            "set_schedule", entry_point_id="site", timezone="Asia/Kolkata", weekly=weekly
        )
        wall.go_on_to(monday, 18, 30)
        await house.until_logged(office, e.HoursClosed(SITE), times=2)
        await office.admin("set_schedule", entry_point_id="site", clear=True)
        await house.until_logged(office, e.HoursOpened(SITE), times=2)
        assert [command for command, _ in heard()] == [
            "shift_started",
            "shift_ended",
            "shift_started",
        ]


async def test_st03_sessions_do_not_go_by_a_clock_that_is_set(
    house: House, serving: Serving, wall: Wall
) -> None:
    async with house.office("ana", "ben") as office:
        await serving.start()
        await house.works(office, "ana")
        ben = await house.works(office, "ben")
        wall.go_on_to(_next_monday(wall), 12)
        ben.silence()

        async def lapsed() -> bool:
            return bool(await house.events(office, e.SessionLapsed))

        await until("ben lapses", lapsed)
        assert await house.events(office, e.SessionLapsed) == [e.SessionLapsed(BEN, "desk")]  # type: ignore[arg-type]
