"""What all who play share: the log that they write, chance, and what each means to do next."""

import random
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from services.cli.sample.times import MINUTE_MS, SECOND_MS
from services.cli.sample.writing import Writer
from shared.routing.commands import Command
from shared.routing.events import Actor, EventUnion, Fact
from shared.routing.ids import ConversationId, OperatorId, UnixMs, VisitorId
from shared.routing.state import Conversation, Operator
from shared.routing.workspace import Workspace

Act = Callable[[UnixMs], object]
"""Something that is done when its time has come, which it is told."""
React = Callable[[EventUnion, UnixMs], None]


class Play:
    """Acts in the order of their times, between them the timers of the workspace."""

    def __init__(self, writer: Writer, chance: random.Random) -> None:
        self.chance = chance
        self.untouchable: dict[ConversationId, None] = {}
        """Conversations that nobody claims and no visitor gives up: they have a part to play."""
        self.held: dict[OperatorId, None] = {}
        """Operators who end nothing and hand on nothing for the time being."""
        self.listeners: list[React] = []
        self._writer = writer
        self._acts: list[tuple[UnixMs, int, Act]] = []
        self._numbers = count()

    # --- time -------------------------------------------------------------------------------

    def at(self, when: UnixMs | int, act: Act) -> None:
        heappush(self._acts, (UnixMs(when), next(self._numbers), act))

    def after(self, now: UnixMs, low_s: int, high_s: int, act: Act) -> None:
        """Some time between so many seconds from now."""
        self.at(now + self.chance.randint(low_s * SECOND_MS, high_s * SECOND_MS), act)

    def step(self, until: UnixMs) -> bool:
        """Whatever comes next, an act or a timer; false if nothing does up to then."""
        timer = self.workspace.next_due()
        act_at = self._acts[0][0] if self._acts else None
        if timer is not None and timer.due <= until and (act_at is None or timer.due < act_at):
            now = self._writer.pass_until(UnixMs(min(timer.due + 3, until)))
        elif act_at is not None and act_at <= until:
            now = max(act_at, self.workspace.at)
            heappop(self._acts)[2](now)
        else:
            return False
        for event in self._writer.news():
            for react in self.listeners:
                react(event, now)
        return True

    # --- what is, and what is done ----------------------------------------------------------

    @property
    def workspace(self) -> Workspace:
        return self._writer.workspace

    def do(self, actor: Actor, command: Command, at: UnixMs) -> bool:
        """Whether it was accepted: somebody else may have been faster."""
        return self._writer.do(actor, command, at) is None

    def note(self, fact: Fact, at: UnixMs) -> None:
        """The router notes something by itself."""
        self._writer.note(fact, at)

    def happens(self, percent: int) -> bool:
        return self.chance.randrange(100) < percent

    def open(self, conversation_id: ConversationId) -> Conversation | None:
        """The conversation, if it is open."""
        conversation = self.workspace.conversations.get(conversation_id)
        return conversation if conversation and conversation.state != "closed" else None

    def owned_by(self, operator_id: OperatorId) -> list[Conversation]:
        operator = self.workspace.operators[operator_id]
        return [self.workspace.conversations[its_id] for its_id in operator.owned]

    def is_there(self, operator_id: OperatorId) -> bool:
        """Whether he sits at his desk, and may be given something."""
        operator = self.workspace.operators[operator_id]
        return operator.connected and operator.effective in {"online", "busy", "invisible"}

    def colleague(self, operator_id: OperatorId | None = None) -> Operator | None:
        """Somebody else who is online and has a free slot."""
        others = [
            operator
            for operator in self.workspace.operators.values()
            if operator.operator_id != operator_id
            and operator.operator_id not in self.held
            and operator.effective == "online"
            and operator.connected
            and operator.free > 0
        ]
        return self.chance.choice(others) if others else None


def visitor(visitor_id: VisitorId) -> Actor:
    return Actor("visitor", visitor_id)


def operator(operator_id: OperatorId) -> Actor:
    return Actor("operator", operator_id)


def minutes(number: int) -> int:
    """As milliseconds."""
    return number * MINUTE_MS
