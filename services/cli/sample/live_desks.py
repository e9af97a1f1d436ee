"""What operators do while the engine runs: offers, answers, forwards, endings."""

import random
from typing import NamedTuple

from services.cli.demo.clients import Fields
from services.cli.sample.front_ends import FrontEnds
from services.cli.sample.scene import Scene
from services.cli.sample.shop import PEOPLE, SECOND_LEVEL
from shared.routing.ids import OperatorId

_ANSWERS_S = (3, 11)
_WRITES_S = (5, 14)
_ENDS_S = (5, 16)
_CONSIDERS_S = (2, 9)
_CLAIMS_S = (8, 25)


class Turn(NamedTuple):
    """What is to happen next in a conversation, and when. ``left``: replies until it ends."""

    owner: str
    at: int
    what: str
    left: int


class LiveDesks:
    """Keeps in mind whose turn it is in each conversation; all else it sees anew each time."""

    def __init__(self, front_ends: FrontEnds, chance: random.Random) -> None:
        self._front_ends = front_ends
        self._chance = chance
        self._turns: dict[str, Turn] = {}
        self._offers: dict[tuple[str, int], int] = {}
        """When each live offer is answered; the same for what is told to many."""

    async def act(self, scene: Scene) -> None:
        for conversation in (*scene.offered, *scene.assigned):
            if conversation["offer"] is not None:
                await self._considers(conversation, scene)
        for conversation in scene.waiting:
            if conversation["waiting_reason"] == "broadcast":
                await self._claims(conversation, scene)
        for conversation in scene.assigned:
            await self._goes_on(conversation, scene)
        self._forget(scene)

    def _forget(self, scene: Scene) -> None:
        """What is not open any more."""
        every = (*scene.waiting, *scene.offered, *scene.assigned)
        open_now = {conversation["conversation_id"] for conversation in every}
        self._turns = {its: turn for its, turn in self._turns.items() if its in open_now}
        self._offers = {key: at for key, at in self._offers.items() if key[0] in open_now}

    def _later(self, scene: Scene, between_s: tuple[int, int]) -> int:
        return scene.now + self._chance.randint(between_s[0] * 1_000, between_s[1] * 1_000)

    # --- being given something --------------------------------------------------------------

    async def _considers(self, conversation: Fields, scene: Scene) -> None:
        its_id, offer = conversation["conversation_id"], conversation["offer"]
        key = (its_id, offer["offer"])
        if key not in self._offers:
            ignores = self._chance.randrange(10) == 0
            at = offer["expires_at"] * 2 if ignores else self._later(scene, _CONSIDERS_S)
            self._offers[key] = at
        if scene.now < self._offers[key]:
            return
        self._offers[key] = offer["expires_at"] * 2
        if self._chance.randrange(7) == 0:
            fields = {"conversation_id": its_id, "offer": offer["offer"], "reason": "busy"}
            await self._front_ends.operator(offer["operator_id"], "decline_offer", **fields)
        else:
            fields = {"conversation_id": its_id, "offer": offer["offer"]}
            await self._front_ends.operator(offer["operator_id"], "accept_offer", **fields)

    async def _claims(self, conversation: Fields, scene: Scene) -> None:
        key = (conversation["conversation_id"], 0)
        self._offers.setdefault(key, self._later(scene, _CLAIMS_S))
        to = (conversation["scope"] or {}).get("group")
        able = [
            its_id
            for its_id in scene.routable()
            if to in scene.roster[its_id]["groups"] and scene.has_room(its_id)
        ]
        if scene.now >= self._offers[key] and able:
            self._offers[key] = self._later(scene, _CLAIMS_S)
            who = self._chance.choice(able)
            await self._front_ends.operator(who, "claim", conversation_id=key[0])

    # --- answering --------------------------------------------------------------------------

    async def _goes_on(self, conversation: Fields, scene: Scene) -> None:
        its_id, owner = conversation["conversation_id"], conversation["owner"]
        turn = self._turns.get(its_id)
        if turn is None or turn.owner != owner:
            left = self._chance.choice((1, 1, 2, 2, 3))
            turn = Turn(owner, self._later(scene, _ANSWERS_S), "answer", left)
            self._turns[its_id] = turn
        if scene.now < turn.at or conversation["offer"] is not None:
            return
        if owner not in scene.roster or not scene.roster[owner]["connected"]:
            return
        match turn.what:
            case "answer":
                await self._answers(conversation, turn, scene)
            case "write":
                await self._front_ends.visitor(
                    conversation["visitor_id"],
                    conversation["entry_point_id"],
                    "write",
                    conversation_id=its_id,
                )
                self._next(its_id, turn, "answer", self._later(scene, _ANSWERS_S))
            case _:
                await self._ends(conversation, scene)

    async def _answers(self, conversation: Fields, turn: Turn, scene: Scene) -> None:
        its_id = conversation["conversation_id"]
        if self._chance.randrange(14) == 0 and await self._forwards(conversation, scene):
            return
        if self._chance.randrange(25) == 0:
            # Too much to do: what waits for an answer becomes slow.
            self._next(its_id, turn, "answer", self._later(scene, (40, 90)))
            return
        await self._front_ends.operator(turn.owner, "reply", conversation_id=its_id)
        if turn.left > 1:
            at = self._later(scene, _WRITES_S)
            self._next(its_id, turn._replace(left=turn.left - 1), "write", at)
        else:
            self._next(its_id, turn, "end", self._later(scene, _ENDS_S))

    def _next(self, its_id: str, turn: Turn, what: str, at: int) -> None:
        self._turns[its_id] = turn._replace(what=what, at=at)

    async def _ends(self, conversation: Fields, scene: Scene) -> None:
        its_id = conversation["conversation_id"]
        self._next(its_id, self._turns[its_id], "end", self._later(scene, _ENDS_S))
        reason = self._chance.choice(("solved", "solved", "solved", "solved", "other", "spam"))
        fields = {"conversation_id": its_id, "reason": reason}
        await self._front_ends.operator(conversation["owner"], "close", **fields)

    # --- handing on -------------------------------------------------------------------------

    async def _forwards(self, conversation: Fields, scene: Scene) -> bool:
        """To the second level if somebody is there, else to a colleague, who is asked first."""
        its_id, owner = conversation["conversation_id"], conversation["owner"]
        fields: dict[str, object] = {"conversation_id": its_id}
        second = PEOPLE[OperatorId(owner)].groups[0] != SECOND_LEVEL if owner in PEOPLE else False
        there = [who for who in scene.routable() if SECOND_LEVEL in scene.roster[who]["groups"]]
        if second and there and self._chance.randrange(2):
            fields |= {"to": {"group": SECOND_LEVEL}, "note": "needs a look at the order itself"}
            return await self._front_ends.operator(owner, "forward", **fields)
        able = [who for who in scene.routable() if who != owner and scene.has_room(who)]
        if not able:
            return False
        mode = self._chance.choice(("direct", "offer"))
        fields |= {"to": {"operator": self._chance.choice(able)}, "mode": mode}
        return await self._front_ends.operator(owner, "forward", **fields)
