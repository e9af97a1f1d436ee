"""Who is at the desks while the engine runs: heartbeats, log-ins, log-outs, short breaks."""

import random

from services.cli.sample.front_ends import FrontEnds
from services.cli.sample.scene import Scene
from services.cli.sample.shop import Person
from shared.routing.ids import UnixMs

BEAT_EVERY_MS = 15_000
CALL_EVERY_MS = 5_000
"""So often somebody looks who is missing."""
_BREAKS_S = (35, 90)
_BREAK_LASTS_S = (20, 45)
_AT_LEAST = 2
"""So many stay online whatever happens."""


class LiveShifts:
    """Everybody on shift is there and active; now and then somebody takes a break."""

    def __init__(self, front_ends: FrontEnds, chance: random.Random) -> None:
        self._front_ends = front_ends
        self._chance = chance
        self._beat_at = UnixMs(0)
        self._call_at = UnixMs(0)
        self._break_at: int | None = None
        self._back_at: dict[str, int] = {}
        """When those who took a break without an end are back."""

    async def act(self, scene: Scene) -> None:
        on_shift = scene.on_shift()
        if scene.now >= self._beat_at:
            self._beat_at = UnixMs(scene.now + BEAT_EVERY_MS)
            for person in on_shift:
                self._front_ends.beat(person)
        if scene.now >= self._call_at:
            self._call_at = UnixMs(scene.now + CALL_EVERY_MS)
            for person in on_shift:
                await self._comes(person, scene)
            await self._others_go(on_shift, scene)
        await self._breaks(on_shift, scene)

    async def _comes(self, person: Person, scene: Scene) -> None:
        """Logs in if he did not, and ends what makes him seem away for no reason."""
        who, entry = person.operator_id, scene.roster[person.operator_id]
        if entry["cause"] in {"never_logged_in", "logout"}:
            await self._front_ends.operator(who, "log_in", session_id=person.session)
        unresponsive = entry["cause"] == "unresponsive"
        away = entry["chosen"] != "online" and who not in self._back_at
        if unresponsive or (away and scene.now - entry["since"] > 600_000):
            await self._front_ends.operator(who, "set_status", status="online")

    async def _others_go(self, on_shift: list[Person], scene: Scene) -> None:
        """Whoever has nothing left to do logs out after the shift."""
        there = {person.operator_id for person in on_shift}
        for who, entry in scene.roster.items():
            if who not in there and entry["connected"] and entry["load"] == 0:
                await self._front_ends.operator(who, "log_out", session_id=f"desk-{who}")

    async def _breaks(self, on_shift: list[Person], scene: Scene) -> None:
        for who in [each for each, back_at in self._back_at.items() if back_at <= scene.now]:
            del self._back_at[who]
            await self._front_ends.operator(who, "set_status", status="online")
        if self._break_at is None:
            self._break_at = self._later(scene.now, _BREAKS_S)
        if scene.now < self._break_at:
            return
        self._break_at = self._later(scene.now, _BREAKS_S)
        routable = [each for each in on_shift if each.operator_id in scene.routable()]
        if len(routable) <= _AT_LEAST:
            return
        person = self._chance.choice(routable)
        if person.agrees or self._chance.randrange(3) == 0:
            self._back_at[person.operator_id] = self._later(scene.now, _BREAK_LASTS_S)
            await self._front_ends.operator(person.operator_id, "set_status", status="invisible")
        else:
            lasts_s = self._chance.randint(*_BREAK_LASTS_S)
            await self._front_ends.operator(
                person.operator_id, "set_status", status="busy", for_s=lasts_s
            )

    def _later(self, now: UnixMs, between_s: tuple[int, int]) -> int:
        return now + self._chance.randint(*between_s) * 1_000
