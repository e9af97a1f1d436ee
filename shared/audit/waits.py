"""Why a conversation waited and what would have ended it, and since when it did."""

from shared.audit.answers import WhyWaitingView
from shared.audit.events import last_event, next_event
from shared.audit.history import History
from shared.audit.state import about
from shared.audit.stored import Recorded
from shared.routing import events as e
from shared.routing.commands import Refused
from shared.routing.decide.rights import unknown
from shared.routing.ids import ConversationId, Position, UnixMs
from shared.routing.relief import why_waiting
from shared.routing.views import conversation_view
from shared.routing.workspace import Workspace
from shared.wire.audit import NOW, AskWhyWaiting


async def why_it_waits(
    history: History, question: AskWhyWaiting, upto: Position, at: UnixMs
) -> WhyWaitingView | Refused:
    """Why it waited as of a moment, and what would have ended it; by default the last time."""
    then, until = upto, at
    if question.moment == NOW:
        then, until = await _last_waiting(history, question.conversation_id, upto, at)
    return await history.look(
        then,
        lambda w: _why_waiting(w, question.conversation_id, until),
        about(question.conversation_id),
    )


async def _last_waiting(
    history: History, conversation_id: ConversationId, upto: Position, at: UnixMs
) -> tuple[Position, UnixMs]:
    """The last position within its last wait, and when that ended; or now, if it still waits."""
    queued = await last_event(
        history, conversation_id, upto, lambda r: isinstance(r.envelope.data, e.ConversationQueued)
    )
    if queued is None:
        return upto, at
    ended = await next_event(
        history,
        conversation_id,
        (queued.position, upto),
        lambda r: isinstance(r.envelope.data, _ENDS_WAITING),
    )
    if ended is None:
        return upto, at
    return Position(max(ended.envelope.first - 1, queued.position)), ended.envelope.at


_ENDS_WAITING = (
    e.ConversationAssigned,
    e.ConversationOffered,
    e.ConversationClaimed,
    e.ConversationClosed,
)


def _why_waiting(
    workspace: Workspace, conversation_id: ConversationId, until: UnixMs
) -> WhyWaitingView | Refused:
    conversation = workspace.conversations.get(conversation_id)
    if conversation is None:
        return unknown("conversation", conversation_id)
    if conversation.state != "waiting":
        text = f"{conversation_id} did not wait at position {workspace.position}"
        return Refused("not_waiting", text, {"state": conversation.state})
    said = why_waiting(workspace, conversation)
    return WhyWaitingView(
        conversation=conversation_view(workspace, conversation),
        waited_ms=max(until - conversation.queued_at, 0),
        place=workspace.place_in_line(conversation),
        reason=said.reason,
        hold=said.hold,
        changes=said.changes,
        until=said.until,
    )


# --- since when -----------------------------------------------------------------------------

_BEGINS_OWNERSHIP = (
    e.ConversationAssigned,
    e.ConversationClaimed,
    e.OfferAccepted,
    e.OperatorReplied,
)
_BEGINS_WAITING = (
    e.ConversationOpened,
    e.ConversationReleased,
    e.OwnerLeft,
    e.ConversationReassigned,
    e.ConversationForwarded,
    e.ConversationMissed,
    e.ConversationReopened,
    e.ConversationQueued,
)


async def began_waiting(
    history: History, conversation_id: ConversationId, position: Position
) -> Recorded:
    """For one that waits at a position: the event with which the wait began."""
    owned = await last_event(
        history, conversation_id, position, lambda r: isinstance(r.envelope.data, _BEGINS_OWNERSHIP)
    )
    after = owned.position if owned is not None else Position(0)
    began = await next_event(
        history,
        conversation_id,
        (after, position),
        lambda r: isinstance(r.envelope.data, _BEGINS_WAITING),
    )
    assert began is not None, "a conversation that waits was queued"
    return began
