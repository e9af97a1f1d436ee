"""Events of the log as answers show them: one by one, a conversation's, or page by page."""

from bisect import bisect_right
from collections.abc import Callable, Sequence

import msgspec

from shared.audit.answers import (
    EventView,
    SealView,
    StoredEvent,
    StoredEvents,
    StoredSeals,
    Timeline,
)
from shared.audit.history import History
from shared.audit.state import about
from shared.audit.stored import Recorded
from shared.ports.archive import Seal
from shared.routing.commands import Refused
from shared.routing.decide.rights import unknown
from shared.routing.events import Decision
from shared.routing.ids import ConversationId, Position
from shared.routing.views import ConversationView, conversation_view
from shared.routing.workspace import Workspace
from shared.wire.audit import AskEvents, AskSeals, AskTimeline

BATCH = 64
"""Events of one conversation read at once while something is looked for."""


def event_view(recorded: Recorded) -> EventView:
    """One event with what stands beside it."""
    envelope = recorded.envelope
    return EventView(
        position=recorded.position,
        at=envelope.at,
        type=recorded.row.topic,
        decision=isinstance(envelope.data, Decision),
        first=envelope.first,
        rev=envelope.rev,
        epoch=envelope.epoch,
        by=envelope.by,
        cmd=envelope.cmd,
        event=envelope.data,
    )


async def timeline(history: History, question: AskTimeline, upto: Position) -> Timeline | Refused:
    """The events of one conversation, a page at a time. Raises as ``History`` does."""

    def known(workspace: Workspace) -> tuple[ConversationView, tuple[Position, ...]] | None:
        conversation = workspace.conversations.get(question.conversation_id)
        if conversation is None:
            return None
        return conversation_view(workspace, conversation), tuple(conversation.positions)

    found = await history.look(upto, known, about(question.conversation_id))
    if found is None:
        return unknown("conversation", question.conversation_id)
    view, positions = found
    later = [position for position in positions if position > question.after]
    page = later[: question.limit]
    events = tuple(event_view(recorded) for recorded in await history.events_at(page))
    more = len(later) > len(page)
    return Timeline(conversation=view, events=events, next=page[-1] if more else None)


async def stored_events(history: History, question: AskEvents, upto: Position) -> StoredEvents:
    """A page of the log as it is stored. Raises as ``History`` does."""
    after = Position(question.after)
    last = min(Position(after + question.limit), upto)
    events = tuple(
        [
            StoredEvent(
                position=recorded.position,
                topic=recorded.row.topic,
                state=msgspec.Raw(recorded.row.state),
            )
            async for some in history.events(after, last)
            for recorded in some
        ]
        if last > after
        else ()
    )
    return StoredEvents(events=events, next=last if last < upto else None)


# --- the events of one conversation ---------------------------------------------------------


async def stored_seals(history: History, question: AskSeals) -> StoredSeals:
    """A page of the seals under the log. Raises as ``History`` does."""
    page: list[SealView] = []
    async for seal in history.seals(Position(question.after)):
        if len(page) == question.limit:
            return StoredSeals(seals=tuple(page), next=page[-1].upto)
        page.append(_seal_view(seal))
    return StoredSeals(seals=tuple(page), next=None)


def _seal_view(seal: Seal) -> SealView:
    return SealView(
        first=seal.first,
        upto=seal.upto,
        digests=seal.digests.hex(),
        hash=seal.hash.hex(),
        signature=seal.signature.hex(),
        key=seal.key.hex(),
    )


async def positions_of(
    history: History, conversation_id: ConversationId, upto: Position
) -> Sequence[Position]:
    """Where its events stand, up to a position; none if it was not there yet."""

    def positions(workspace: Workspace) -> tuple[Position, ...]:
        conversation = workspace.conversations.get(conversation_id)
        return () if conversation is None else tuple(conversation.positions)

    return await history.look(upto, positions, about(conversation_id))


async def last_event(
    history: History,
    conversation_id: ConversationId,
    upto: Position,
    wanted: Callable[[Recorded], bool],
) -> Recorded | None:
    """The last of its events up to a position that is ``wanted``."""
    positions = await positions_of(history, conversation_id, upto)
    for end in range(len(positions), 0, -BATCH):
        some = await history.events_at(positions[max(end - BATCH, 0) : end])
        for recorded in reversed(some):
            if wanted(recorded):
                return recorded
    return None


async def next_event(
    history: History,
    conversation_id: ConversationId,
    between: tuple[Position, Position],
    wanted: Callable[[Recorded], bool],
) -> Recorded | None:
    """The first of its events after one position, up to another, that is ``wanted``."""
    after, upto = between
    positions = await positions_of(history, conversation_id, upto)
    later = positions[bisect_right(positions, after) :]
    for start in range(0, len(later), BATCH):
        for recorded in await history.events_at(later[start : start + BATCH]):
            if wanted(recorded):
                return recorded
    return None
