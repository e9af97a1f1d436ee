"""Which conversations a visitor opened, found in the log without folding it."""

from shared.audit.answers import ConversationsOf, OpenedView
from shared.audit.history import History
from shared.audit.stored import Recorded
from shared.routing.events import ConversationOpened
from shared.routing.ids import Position
from shared.wire.audit import AskConversationsOf

EVENTS_MAX = 200_000
"""Looked through for one answer: half a second."""
_PIECE = 2_000


async def conversations_of(
    history: History, question: AskConversationsOf, upto: Position
) -> ConversationsOf:
    """What a visitor opened, from the end of the log backwards. Raises as ``History`` does."""
    before = upto if question.before is None else min(Position(question.before), upto)
    end = Position(max(before - EVENTS_MAX, 0))
    found: list[OpenedView] = []
    while before > end:
        begin = Position(max(before - _PIECE, end))
        found += [_opened(one) for one in await _openings(history, question, begin, before)]
        before = begin
        if len(found) >= question.limit:
            found = found[: question.limit]
            before = Position(found[-1].position - 1)
            break
    return ConversationsOf(conversations=tuple(found), next=before or None)


async def _openings(
    history: History, question: AskConversationsOf, after: Position, upto: Position
) -> list[Recorded]:
    """The events with which the visitor opened one, the last first. Only rows that hold its id are
    decoded."""
    needle = b'"visitor_id":"%s"' % question.visitor_id.encode()
    openings = [
        recorded
        async for recorded in history.events_with(after, upto, needle)
        if isinstance(recorded.envelope.data, ConversationOpened)
    ]
    return openings[::-1]


def _opened(recorded: Recorded) -> OpenedView:
    event = recorded.envelope.data
    assert isinstance(event, ConversationOpened)
    return OpenedView(
        conversation_id=event.conversation_id,
        entry_point_id=event.entry_point_id,
        position=recorded.position,
        at=recorded.envelope.at,
    )
