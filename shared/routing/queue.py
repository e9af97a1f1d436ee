"""The order in which conversations are served, and the lanes in which they wait.

Conversations that ask the same of an operator and exclude the same operators form a lane: whoever
may take one of them may take any, so only the lane's head is ever looked at.
"""

from typing import NamedTuple

from sortedcontainers import SortedList

from shared.routing.ids import ConversationId, OperatorId
from shared.routing.state import Conversation

HEAD_START_MS = 120_000
"""How much waiting one level of priority is worth; old enough overtakes everything."""


class Order(NamedTuple):
    """The lower is served first. ``arrival`` is unique, so that the order is total."""

    key_ms: int
    arrival: int
    conversation_id: ConversationId


def order_of(conversation: Conversation) -> Order:
    return Order(
        conversation.queued_at - conversation.priority * HEAD_START_MS,
        conversation.arrival,
        conversation.conversation_id,
    )


def excluded_from(conversation: Conversation) -> tuple[OperatorId, ...]:
    """Operators who are not asked for this conversation, in the order of their ids."""
    if not conversation.declined and not conversation.participants:
        return ()
    return tuple(sorted({*conversation.declined, *conversation.participants}))


class Lane:
    """Waiting conversations with equal demand and equal exclusions, first to be served first."""

    __slots__ = ("excluded", "orders")

    def __init__(self, excluded: tuple[OperatorId, ...]) -> None:
        self.excluded = excluded
        self.orders: SortedList[Order] = SortedList()
