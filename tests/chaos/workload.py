"""A day at the office in a few seconds: visitors, operators and an admin, each on their own.

What somebody does next is drawn from a seed and from what the answers so far have told them, as
people look at their screens; so most of it is accepted, and some of it comes too late.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

from shared.adapters.nats_bus import NotSent
from shared.ports import NoResponders
from shared.routing.events import Actor
from tests.chaos.caller import Caller
from tests.servers.client import Fields

OPERATORS = ("ana", "ben", "cleo", "dan")
VISITORS = ("vera", "wim", "xenia", "yuri")
GROUPS = ("support", "sales")
ENTRY_POINTS = ("site", "shop")
OPEN_MAX = 5
"""Open conversations of one visitor."""

IMPATIENT = {"offer_timeout_s": 1, "decline_backoff_s": 1}
"""So that offers expire within a run."""

LOOKS = 0.2
"""How often somebody looks at a conversation before doing something."""

Deed = tuple[str, dict[str, Any]]
ADMIN = Actor("admin", "root")


async def set_up(caller: Caller) -> None:
    """What everything else needs, one command after the other."""
    for number, (command, fields) in enumerate(_beginnings()):
        told = await caller.send(ADMIN, command, fields, f"set-up-{number}")
        if told.attempt.outcome != "ok":
            await caller.again(told.attempt)
    for who in OPERATORS:
        told = await caller.send(
            Actor("operator", who), "log_in", {"session_id": "desk"}, f"set-up-{who}"
        )
        if told.attempt.outcome != "ok":
            await caller.again(told.attempt)


def _beginnings() -> Iterator[Deed]:
    yield "create_workspace", {"name": "Office"}
    for group_id in GROUPS:
        yield "create_group", {"group_id": group_id, "name": group_id}
    yield "define_entry_point", {"entry_point_id": "site", "name": "Site", "groups": list(GROUPS)}
    shop = {"entry_point_id": "shop", "name": "Shop", "groups": ["sales"]}
    yield "define_entry_point", shop | {"fallback": [{"group": "support"}]}
    for number, who in enumerate(OPERATORS):
        yield (
            "register_operator",
            {"operator_id": who, "capacity": 2 + number, "skills": ["de"] * (number % 2)},
        )
        yield "join_group", {"operator_id": who, "group_id": GROUPS[number % 2]}
    yield "join_group", {"operator_id": "ana", "group_id": "sales"}


class Workload:
    """Runs until ``commands`` are answered or given up, then ends."""

    def __init__(self, callers: list[Caller], seed: int, commands: int) -> None:
        self._callers = itertools.cycle(callers)
        self._seed = seed
        self.left = commands
        self.pause_s = 0.0
        """Before everything that anybody does; as fast as the answers come if there is none."""
        self._board: dict[str, Fields] = {}
        """What the latest answer said of each conversation."""

    async def run(self) -> None:
        """Everybody at once; raises what ends any of them."""
        async with asyncio.TaskGroup() as people:
            for who in VISITORS:
                people.create_task(self._live(Actor("visitor", who), self._visits))
            for who in OPERATORS:
                people.create_task(self._live(Actor("operator", who), self._works))
            people.create_task(self._live(ADMIN, self._rules))

    async def _live(self, actor: Actor, next_deed: Callable[..., Deed]) -> None:
        rng = random.Random(f"{self._seed}/{actor.kind}/{actor.id}")
        caller = next(self._callers)
        for number in itertools.count():
            if self.left <= 0:
                return
            self.left -= 1
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
            its_id = f"{actor.id}-{self._seed}-{number}"
            open_ones = [one for one, view in self._board.items() if view["state"] != "closed"]
            if open_ones and rng.random() < LOOKS:
                await self._look(caller, rng.choice(open_ones))
            command, fields = next_deed(rng, actor, its_id)
            told = await caller.persist(rng, actor, command, fields, its_id)
            conversation = told.result.get("conversation")
            if conversation is not None:
                self._board[conversation["conversation_id"]] = conversation
            elif told.attempt.code in ("already_closed", "no_offer", "offer_ended"):
                await self._look(caller, fields["conversation_id"])

    async def _look(self, caller: Caller, conversation_id: str) -> None:
        """Ask how a conversation stands, as it is not what it seemed; silence is no answer."""
        with contextlib.suppress(TimeoutError, NoResponders, NotSent):
            fields = {"conversation_id": conversation_id}
            answer = await caller.client.ask(
                caller.workspace, "admin", "root", "conversation", fields, timeout_s=1
            )
            if answer["ok"]:
                self._board[conversation_id] = answer["result"]["conversation"]

    def _conversations(self, **which: Any) -> list[str]:
        return [
            its_id
            for its_id, view in self._board.items()
            if all(view.get(name) == value for name, value in which.items())
        ]

    # --- visitors ---------------------------------------------------------------------------

    def _visits(self, rng: random.Random, actor: Actor, its_id: str) -> Deed:
        mine = [
            its_id
            for its_id, view in self._board.items()
            if its_id.startswith(actor.id) and view["state"] != "closed"
        ]
        if not mine or (len(mine) < OPEN_MAX and rng.random() < 0.4):
            fields = {"conversation_id": its_id}
            return "open", fields | {"entry_point_id": rng.choice(ENTRY_POINTS)}
        chosen = {"conversation_id": rng.choice(mine)}
        if rng.random() < 0.2:
            return "close", chosen
        closed = [its_id for its_id in self._conversations(state="closed") if actor.id in its_id]
        if closed and rng.random() < 0.1:
            chosen = {"conversation_id": rng.choice(closed)}
        return "write", chosen

    # --- operators --------------------------------------------------------------------------

    def _works(self, rng: random.Random, actor: Actor, _its_id: str) -> Deed:
        mine = self._conversations(owner=actor.id, state="assigned")
        waiting = self._conversations(state="waiting")
        if rng.random() < 0.12:
            return self._shows(rng)
        offered = self._offered_to(actor.id)
        if offered:
            fields = rng.choice(offered)
            return rng.choice(("accept_offer",) * 3 + ("decline_offer",)), fields
        if waiting and rng.random() < 0.2:
            return rng.choice(("claim", "reply")), {"conversation_id": rng.choice(waiting)}
        if not mine:
            others = self._conversations(state="assigned")
            if others:
                return rng.choice(("join", "reply")), {"conversation_id": rng.choice(others)}
            return "set_status", {"status": "online"}
        return self._handles(rng, rng.choice(mine))

    def _offered_to(self, operator_id: str) -> list[dict[str, Any]]:
        return [
            {"conversation_id": its_id, "offer": offer["offer"]}
            for its_id, view in self._board.items()
            if (offer := view.get("offer")) and offer.get("operator_id") == operator_id
        ]

    def _shows(self, rng: random.Random) -> Deed:
        status = rng.choice(("online", "online", "busy", "invisible", "offline"))
        if status != "online" and rng.random() < 0.5:
            return "set_status", {"status": status, "for_s": 1}
        if rng.random() < 0.3:
            return "log_in", {"session_id": rng.choice(("desk", "phone"))}
        return "set_status", {"status": status}

    def _handles(self, rng: random.Random, conversation: str) -> Deed:
        chosen: dict[str, Any] = {"conversation_id": conversation}
        command = rng.choice(("reply",) * 4 + ("close",) * 2 + ("forward", "forward", "leave"))
        if command == "forward":
            to = rng.choice(({"group": "support"}, {"group": "sales"}, {"everyone": True}))
            mode = rng.choice(("direct", "direct", "offer"))
            return "forward", chosen | {"to": to, "note": "please take over", "mode": mode}
        if command == "leave":
            if rng.random() < 0.3:
                return "set_conversation", chosen | {"priority": rng.randrange(10)}
            return rng.choice(("leave", "release")), chosen
        return command, chosen

    # --- admins -----------------------------------------------------------------------------

    def _rules(self, rng: random.Random, _actor: Actor, its_id: str) -> Deed:
        who, group_id = rng.choice(OPERATORS), rng.choice(GROUPS)
        open_ones = self._conversations(state="waiting") + self._conversations(state="assigned")
        match rng.randrange(6):
            case 0:
                return "update_operator", {"operator_id": who, "capacity": rng.randrange(1, 6)}
            case 1:
                delivery = rng.choice(("auto", "auto", "offer", "offer", "broadcast", "manual"))
                ranking = rng.choice(("most_free_slots", "longest_idle", "round_robin"))
                policy = {"delivery": delivery, "ranking": ranking, **IMPATIENT}
                return "set_policy", {"scope": {"group": group_id}, "policy": policy}
            case 2:
                return "update_group", {"group_id": group_id, "enabled": rng.random() < 0.8}
            case 3 if open_ones:
                chosen = {"conversation_id": rng.choice(open_ones)}
                return "forward", chosen | {"to": {"group": "support"}}
            case 4:
                return rng.choice(("join_group", "leave_group")), {
                    "operator_id": who,
                    "group_id": group_id,
                }
            case _:
                return "create_group", {"group_id": its_id, "name": f"Group {its_id}"}
