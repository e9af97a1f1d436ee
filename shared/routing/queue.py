"""The order in which conversations are served, and the lanes in which they wait.

Conversations that ask the same of an operator and exclude the same operators form a lane: whoever
may take one of them may take any, so only the lane's head is ever looked at.
"""

import msgspec
from sortedcontainers import SortedList

from shared.routing.ids import ConversationId, OperatorId
from shared.routing.policy import Policy
from shared.routing.state import Conversation


class Order(msgspec.Struct, frozen=True, order=True, gc=False):
    """The lower is served first. ``arrival`` is unique, so that the order is total."""

    missed: bool
    band: int
    """The priority where bands are strict, 9 first; 0 where it counts as waiting time."""
    key_ms: int
    arrival: int
    conversation_id: ConversationId


def order_of(conversation: Conversation, policy: Policy) -> Order:
    """Live ones before missed ones; a level of priority is worth so much waiting, or all of it."""
    strict = policy.queue_order == "strict"
    head_start_ms = 0 if strict else policy.priority_head_start_s * 1_000
    return Order(
        conversation.missed,
        -conversation.priority if strict else 0,
        conversation.queued_at - conversation.priority * head_start_ms,
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
