"""Who was free while a conversation waited, and what kept it from him."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.audit.answers import FreeMeanwhile
from shared.audit.history import History
from shared.audit.stored import Recorded
from shared.routing.explain import demand_of, exclusions
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs
from shared.routing.route import next_decision
from shared.routing.state import Operator
from shared.routing.status import not_routable
from shared.routing.vocabulary import WaitingReason
from shared.routing.workspace import Workspace

EVENTS_MAX = 10_000
"""Looked through for one answer: half a second."""


class Wait:
    """One conversation waits, or is on offer, from after ``begun`` up to ``reached``.

    ``ended`` is the position of the event that ended it, null while it goes on.
    """

    def __init__(self, conversation_id: ConversationId, begun: Position, since: UnixMs) -> None:
        self.conversation_id = conversation_id
        self.begun = begun
        self.since = since
        self.reached = begun
        self.until = since
        self.ended: Position | None = None
        self.reasons: list[WaitingReason] = []

    @property
    def ms(self) -> int:
        return max(self.until - self.since, 0)

    def because(self, reason: WaitingReason) -> None:
        """It is told to wait, for this reason."""
        if reason not in self.reasons:
            self.reasons.append(reason)


async def free_meanwhile(
    history: History, waits: Sequence[Wait], upto: Position
) -> Mapping[Wait, Sequence[FreeMeanwhile]]:
    """For each wait everybody who was routable with a free slot at the end of some group of events
    within it, as first noticed. What waits for very long is looked at towards its end alone. Raises
    as ``History`` does."""
    if not waits:
        return {}
    last = min(max(wait.reached for wait in waits), upto)
    first = Position(max(min(wait.begun for wait in waits), last - EVENTS_MAX))
    looking = _Looking(waits)
    async for recorded, workspace in history.walk(first, last):
        if recorded is None:
            looking.look(workspace)
        else:
            looking.hear(recorded)
    return looking.told()


class _Looking:
    """Keeps account of who is free, by the operators that events name, whenever the state is at
    rest; and notices for each wait whoever is when it begins, or becomes so."""

    def __init__(self, waits: Sequence[Wait]) -> None:
        self._to_begin = sorted(waits, key=lambda wait: wait.begun, reverse=True)
        self._waiting: list[Wait] = []
        self._free: dict[OperatorId, None] | None = None
        self._named: dict[OperatorId, None] = {}
        self._noticed: dict[Wait, dict[OperatorId, FreeMeanwhile]] = {wait: {} for wait in waits}

    def hear(self, recorded: Recorded) -> None:
        """An event was applied."""
        self._named.update(dict.fromkeys(_operators_in(recorded)))

    def look(self, workspace: Workspace) -> None:
        """The state is at rest, unless the stretch begins within a group of events."""
        if workspace.is_cut or next_decision(workspace) is not None:
            return
        here = workspace.position
        self._waiting = [w for w in self._waiting if w.ended is None or w.ended > here]
        free, became_free = self._account(workspace)
        if became_free:
            for wait in self._waiting:
                self._notice(workspace, wait, became_free)
        while self._to_begin and self._to_begin[-1].begun <= here:
            wait = self._to_begin.pop()
            if wait.ended is None or wait.ended > here:
                self._waiting.append(wait)
                self._notice(workspace, wait, free)

    def _account(self, workspace: Workspace) -> tuple[Iterable[OperatorId], list[OperatorId]]:
        """Everybody who is free, and those among them whom events have named since."""
        if self._free is None:
            everybody = workspace.operators.values()
            self._free = {one.operator_id: None for one in everybody if _is_free(one)}
        named = [its_id for its_id in self._named if its_id in workspace.operators]
        became_free = [its_id for its_id in named if _is_free(workspace.operators[its_id])]
        for its_id in named:
            self._free.pop(its_id, None)
        self._free.update(dict.fromkeys(became_free))
        self._named = {}
        return self._free, became_free

    def _notice(self, workspace: Workspace, wait: Wait, free: Iterable[OperatorId]) -> None:
        conversation = workspace.conversations[wait.conversation_id]
        noticed = self._noticed[wait]
        asked = conversation.offer.operator_id if conversation.offer is not None else None
        for operator_id in free:
            operator = workspace.operators[operator_id]
            if operator_id in noticed or operator_id == asked:
                continue
            if operator.free >= conversation.weight:
                demand = demand_of(workspace, conversation)
                noticed[operator_id] = FreeMeanwhile(
                    operator_id=operator_id,
                    position=workspace.position,
                    at=workspace.at,
                    exclusions=exclusions(workspace, conversation, operator, demand),
                )

    def told(self) -> Mapping[Wait, Sequence[FreeMeanwhile]]:
        """Who was free, those first whom the conversation was for."""
        return {
            wait: sorted(noticed.values(), key=_order) for wait, noticed in self._noticed.items()
        }


def is_outside(free: FreeMeanwhile) -> bool:
    """Whether the conversation was not for him at all, by its scope."""
    return "not_member" in free.exclusions or "group_disabled" in free.exclusions


def _order(free: FreeMeanwhile) -> tuple[bool, int, Position, OperatorId]:
    return (is_outside(free), len(free.exclusions), free.position, free.operator_id)


def _is_free(operator: Operator) -> bool:
    """Whether he might be given something: human, routable, and not full."""
    if operator.load >= operator.capacity or operator.kind != "human" or operator.removed:
        return False
    return not_routable(operator) is None


def _operators_in(recorded: Recorded) -> Iterator[OperatorId]:
    """Those whom the event names."""
    event = recorded.envelope.data
    for field in ("operator_id", "owner", "previous_owner", "sender"):
        named = getattr(event, field, None)
        if named is not None:
            yield named
    yield from getattr(event, "operator_ids", ())
