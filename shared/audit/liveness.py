"""What of a workspace is live, so that it has to be in memory, and what events name beside it."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from shared.ports.archive import SettledKey, SettledKind
from shared.routing.events import Envelope, Event
from shared.routing.ids import ContactId, ConversationId, Position, VisitorId
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace

Fed = Iterable[tuple[Position, Envelope, *tuple[object, ...]]]
"""Events with their positions, whatever follows in the tuples."""
Keys = dict[SettledKey, None]


class Live(NamedTuple):
    """What an event may change, or the next decision look at, without its being named."""

    conversations: dict[ConversationId, None]
    visitors: dict[VisitorId, None]
    contacts: dict[ContactId, None]


def live_of(workspace: Workspace) -> Live:
    """What has to be in memory, whatever comes next."""
    subjects = {timer_id.partition(":")[2]: None for timer_id in workspace.timers}
    conversations = {
        its_id: None
        for its_id, conversation in workspace.conversations.items()
        if _is_open(conversation) or its_id in subjects
    }
    for operator in workspace.operators.values():
        for theirs in (operator.owned, operator.offered, operator.escalated, operator.takes_part):
            conversations.update(theirs)
        conversations.update(dict.fromkeys(operator.wrap_ups))
    visitors = {
        its_id: None
        for its_id, visitor in workspace.visitors.items()
        if visitor.conversations or its_id in subjects
    }
    known = [workspace.conversations[its_id] for its_id in conversations]
    visitors.update({conversation.visitor_id: None for conversation in known})
    contacts = [conversation.contact_id for conversation in known]
    contacts += [workspace.visitors[its_id].contact_id for its_id in visitors]
    return Live(conversations, visitors, {one: None for one in contacts if one is not None})


def _is_open(conversation: Conversation) -> bool:
    """Not closed; or a status that somebody sets, a scope that ends may still change it."""
    return bool(
        conversation.state != "closed"
        or conversation.declined
        or conversation.offer
        or conversation.forward
        or conversation.escalated
    )


NAMING: tuple[tuple[str, SettledKind], ...] = (
    ("conversation_id", "conversation"),
    ("visitor_id", "visitor"),
    ("contact_id", "acquaintance"),
)
"""The fields that name what may be settled, in events, commands and questions."""


def named_by(events: Fed) -> Keys:
    """Everything that these events name and that may be settled."""
    named: Keys = {}
    for _position, envelope, *_ in events:
        for field, kind in _fields_of(type(envelope.data)):
            its_id = getattr(envelope.data, field)
            if its_id is not None:
                named[(kind, its_id)] = None
    return named


@cache
def _fields_of(event_type: type[Event]) -> Sequence[tuple[str, SettledKind]]:
    return [(field, kind) for field, kind in NAMING if field in event_type.__struct_fields__]
