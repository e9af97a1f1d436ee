"""A workspace with a past: a shop whose afternoon holds what the pages are to show.

At five past two visitor v-17 asks for somebody who speaks French. ben does and is full; ana is
online with free slots and does not. v-17 waits for four minutes.
"""

from datetime import datetime, timedelta

from services.cli.demo.engine_clock import EngineClock, at
from tests.servers.office import Office
from tests.servers.waiting import until

WORKSPACE = "shop"
ZONE = "Europe/Berlin"
WAITED = "c-17"
WAITED_FOR = timedelta(minutes=4, seconds=2)


class Shop:
    """The office, and the clock of its engine."""

    def __init__(self, office: Office, clock: EngineClock) -> None:
        self.office = office
        self._clock = clock
        self._day = clock.now()
        self.queued = 0
        """Where it was decided that c-17 waits."""

    async def afternoon(self) -> None:
        """Everything from opening the shop, at two, to what the pages show as now."""
        await self._set_up()
        await self._first_visitors()
        await self._incident()
        await self._what_waits()

    async def _time(self, hour: int, minute: int, second: int = 0) -> None:
        await self._until(at(self._day, hour, minute) + timedelta(seconds=second))

    async def _until(self, moment: datetime) -> None:
        """Set the engine's clock, and wait until the engine has seen it."""
        milliseconds = self._clock.set_to(moment)

        async def seen() -> bool:
            reply = await self.office.client.ask(
                self.office.workspace, "admin", "root", "workspace", {}
            )
            return bool(reply["at"] >= milliseconds)

        await until("the engine's clock is set", seen)

    async def _set_up(self) -> None:
        office = self.office
        await office.admin("create_workspace", name="Shop", timezone=ZONE)
        for group in ("sales", "support"):
            await office.admin("create_group", group_id=group, name=group)
        await office.admin("define_entry_point", entry_point_id="web", name="Web", groups=["sales"])
        await office.admin(
            "define_entry_point",
            entry_point_id="help",
            name="Help",
            groups=["support"],
            visitor_may_set=["skills", "priority"],
        )
        people: dict[str, tuple[list[str], list[str], int]] = {
            "ana": (["sales", "support"], [], 3),
            "ben": (["support"], ["french"], 1),
            "cleo": (["sales"], ["french"], 2),
            "dan": (["sales"], [], 4),
            "eva": (["support"], [], 2),
        }
        for who, (groups, skills, capacity) in people.items():
            await office.admin(
                "register_operator", operator_id=who, capacity=capacity, skills=skills
            )
            for group in groups:
                await office.admin("join_group", operator_id=who, group_id=group)
        await office.come_online("ana", "ben", "cleo", "dan")

    async def open(self, entry_point: str, number: int, *skills: str) -> int:
        """``v-NUMBER`` opens ``c-NUMBER``; the position of the last that follows at once."""
        fields = {"skills": list(skills)} if skills else {}
        reply = await self.office.visitor(
            f"v-{number}",
            "open",
            conversation_id=f"c-{number}",
            entry_point_id=entry_point,
            **fields,
        )
        position: int = reply["position"]
        return position

    async def _first_visitors(self) -> None:
        for number in range(1, 5):
            await self._time(14, 0, 10 * number)
            await self.open("web", number)
        await self.office.operator("ana", "reply", conversation_id="c-1")
        await self._time(14, 2, 30)
        await self.office.operator("ana", "close", conversation_id="c-1", reason="solved")
        await self.office.operator("dan", "set_status", status="busy")

    async def _incident(self) -> None:
        await self._time(14, 3)
        await self.open("help", 16, "french")
        await self.office.operator("ben", "reply", conversation_id="c-16")
        await self._time(14, 6)
        self.queued = await self.open("help", 17, "french")
        await self._time(14, 7)
        await self.office.visitor("v-17", "write", conversation_id=WAITED)
        await self._until(at(self._day, 14, 6) + WAITED_FOR)
        await self.office.operator("ben", "close", conversation_id="c-16", reason="solved")
        await self.office.operator("ben", "reply", conversation_id=WAITED)

    async def _what_waits(self) -> None:
        await self._time(14, 20)
        support = {"group": "support"}
        await self.office.admin("set_policy", scope=support, policy={"ranking": "fewest_open"})
        await self.office.operator("cleo", "set_status", status="invisible")
        for number in range(21, 24):
            await self._time(14, 20, number)
            await self.open("help", number, "french")
