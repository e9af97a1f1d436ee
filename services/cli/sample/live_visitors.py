"""What visitors do while the engine runs: come every few seconds, lose patience, come back."""

import random

from services.cli.demo.clients import Fields
from services.cli.sample.front_ends import FrontEnds
from services.cli.sample.scene import Scene
from services.cli.sample.shop import BILLING, CUSTOMS, FRENCH, HELP, PAGES, REPAIRS, SHOP_FR, SITE
from shared.routing.ids import UnixMs

OPENS_MS = (4_000, 6_000)
"""Between two conversations."""
OPEN_MAX = 30
WAITING_MAX = 9
"""Nobody comes while so many are open, or wait."""
PATIENCE_MS = (45_000, 240_000)
GIVES_UP_MS = 900_000
"""After so long of waiting nobody is there any more."""
_AWAY_MS = (15_000, 60_000)
_KNOWN_MAX = 40


class LiveVisitors:
    """Opens conversations at a bounded rate, and ends what would wait for ever."""

    def __init__(self, front_ends: FrontEnds, chance: random.Random, started: UnixMs) -> None:
        self._front_ends = front_ends
        self._chance = chance
        self._prefix = f"{started // 1_000:x}"
        self._number = 0
        self._next_at = 0
        self._known: list[tuple[str, str]] = []
        """Visitors who may come again, with where they come."""
        self._patience: dict[str, int] = {}
        """Until when each that waits stays on its page."""
        self._away: dict[str, tuple[str, str, int]] = {}
        """By conversation: who left the page, where, and when it is there again."""

    async def act(self, scene: Scene) -> None:
        await self._wait(scene)
        await self._come_back(scene)
        total = len(scene.waiting) + len(scene.offered) + len(scene.assigned)
        if scene.now >= self._next_at and total < OPEN_MAX and len(scene.waiting) < WAITING_MAX:
            self._next_at = scene.now + self._chance.randint(*OPENS_MS)
            await self._comes()

    # --- coming -----------------------------------------------------------------------------

    async def _comes(self) -> None:
        dice = self._chance.randrange(100)
        if self._known and dice < 12:
            who, entry = self._chance.choice(self._known)
            await self._opens(who, entry)
        elif dice < 52:
            await self._to_site(self._somebody(SITE))
        elif dice < 96:
            await self._opens(self._somebody(HELP), HELP, **self._wish())
        else:
            await self._opens(self._somebody(SHOP_FR), SHOP_FR, skills=[FRENCH], language="fr")

    def _somebody(self, entry: str) -> str:
        self._number += 1
        who = f"guest-{self._prefix}-{self._number}"
        self._known = [*self._known[1 - _KNOWN_MAX :], (who, entry)]
        return who

    async def _to_site(self, who: str) -> None:
        dice = self._chance.randrange(100)
        if dice < 8:
            await self._front_ends.sees(who, SITE, f"{PAGES}/fr/prix")
        elif dice < 23:
            await self._front_ends.sees(who, SITE, f"{PAGES}/basket")
        await self._opens(who, SITE)

    def _wish(self) -> Fields:
        dice = self._chance.randrange(100)
        if dice < 25:
            return {"group_id": BILLING}
        if dice < 40:
            return {"skills": [CUSTOMS]}
        if dice < 43:
            return {"skills": [REPAIRS]}
        if dice < 55:
            return {"priority": self._chance.choice((2, 7, 9))}
        return {}

    async def _opens(self, who: str, entry: str, **fields: object) -> None:
        self._number += 1
        its_id = f"chat-{self._prefix}-{self._number}"
        await self._front_ends.visitor(
            who, entry, "open", conversation_id=its_id, entry_point_id=entry, **fields
        )

    # --- waiting ----------------------------------------------------------------------------

    async def _wait(self, scene: Scene) -> None:
        waiting = {each["conversation_id"]: each for each in scene.waiting}
        self._patience = {its: at for its, at in self._patience.items() if its in waiting}
        for its_id, conversation in waiting.items():
            if its_id not in self._patience:
                self._patience[its_id] = scene.now + self._chance.randint(*PATIENCE_MS)
            queued_at = conversation["queued_at"]
            if scene.now - queued_at > GIVES_UP_MS:
                fields = {"conversation_id": its_id, "reason": "abandoned"}
                await self._front_ends.admin("close", **fields)
            elif scene.now > self._patience[its_id] and its_id not in self._away:
                await self._leaves(conversation, scene)

    async def _leaves(self, conversation: Fields, scene: Scene) -> None:
        its_id, who = conversation["conversation_id"], conversation["visitor_id"]
        self._patience[its_id] = scene.now + GIVES_UP_MS
        if self._chance.randrange(3):
            return  # some stay whatever happens
        entry = conversation["entry_point_id"]
        back_at = scene.now + self._chance.randint(*_AWAY_MS)
        if await self._front_ends.visitor(who, entry, "visitor_left"):
            self._away[its_id] = (who, entry, back_at)

    async def _come_back(self, scene: Scene) -> None:
        """Most of them do."""
        due = [its for its, (_, _, back_at) in self._away.items() if back_at <= scene.now]
        for its_id in due:
            who, entry, _ = self._away.pop(its_id)
            if self._chance.randrange(4):
                await self._front_ends.visitor(who, entry, "visitor_back")
