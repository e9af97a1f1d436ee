"""One look at the shop: who is there and which conversations are open, at one moment."""

from typing import NamedTuple

from services.cli.demo.clients import Fields
from services.cli.sample.front_ends import FrontEnds
from services.cli.sample.shop import STAFF, Person, schedule_of
from services.cli.sample.times import is_open
from shared.routing.ids import UnixMs

ONLOOKER = "eva"
"""Whose inbox shows every conversation."""


class Scene(NamedTuple):
    """As the last queries told it. Conversations and roster entries are as on the wire."""

    now: UnixMs
    roster: dict[str, Fields]
    waiting: list[Fields]
    offered: list[Fields]
    assigned: list[Fields]

    def on_shift(self) -> list[Person]:
        """Whoever is to be at his desk now."""
        known = [each for each in STAFF if each.operator_id in self.roster]
        return [each for each in known if is_open(schedule_of(*each.shift), self.now)]

    def routable(self) -> list[str]:
        """Operators who may be given something."""
        return [its_id for its_id, entry in self.roster.items() if entry["routable"]]

    def has_room(self, operator_id: str) -> bool:
        entry = self.roster[operator_id]
        return bool(entry["routable"]) and entry["load"] < entry["capacity"]


async def look(front_ends: FrontEnds, now: UnixMs) -> Scene:
    """Ask for everything. Raises as ``FrontEnd.ask`` does."""
    return Scene(
        now,
        await front_ends.roster(),
        await front_ends.conversations(ONLOOKER, "waiting"),
        await front_ends.conversations(ONLOOKER, "offered"),
        await front_ends.conversations(ONLOOKER, "assigned"),
    )
