"""The state as of a moment, and what is different between two."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from shared.audit.answers import (
    ConversationDiff,
    Diff,
    EntryPointDiff,
    MomentView,
    OperatorDiff,
)
from shared.audit.history import History
from shared.audit.state import Named, about
from shared.routing.commands import Refused
from shared.routing.events import Actor
from shared.routing.ids import ConversationId, EntryPointId, OperatorId, Position, UnixMs
from shared.routing.queries import answer
from shared.routing.questions import AskInbox, Question
from shared.routing.views import (
    ConversationView,
    RosterEntry,
    View,
    conversation_view,
    roster_entry,
)
from shared.routing.vocabulary import EntryMode
from shared.routing.workspace import Workspace
from shared.wire.audit import AskDiff

Key = TypeVar("Key")


async def moment(history: History, position: Position) -> MomentView:
    """When a position was, and how far the log reaches. Raises as ``History`` does."""
    head = await history.head()
    return MomentView(
        position=position,
        at=await history.stamp_of(position),
        head=head,
        head_at=await history.stamp_of(head),
        first_at=await history.stamp_of(Position(min(1, head))),
    )


async def answer_then(
    history: History, question: Question, actor: Actor, position: Position, at: UnixMs
) -> View | Refused:
    """The answer to a query as it would have been at a position, at the time ``at``."""
    return await history.look(position, lambda w: answer(w, question, actor, at), _whom(question))


def _whom(question: Question) -> Named:
    conversation_id = getattr(question, "conversation_id", None)
    visitor_id = getattr(question, "visitor_id", None)
    closed = isinstance(question, AskInbox) and question.state == "closed"
    return Named(
        () if conversation_id is None else (conversation_id,),
        () if visitor_id is None else (visitor_id,),
        everybody=closed,
    )


# --- differences ----------------------------------------------------------------------------


class _Seen(NamedTuple):
    """What two moments are compared by."""

    operators: Mapping[OperatorId, RosterEntry]
    conversations: Mapping[ConversationId, ConversationView]
    """Those that are open, and those that were asked for."""
    modes: Mapping[EntryPointId, EntryMode | None]
    policy_version: Position


async def diff(history: History, question: AskDiff) -> Diff:
    """What is different between two moments, told from the earlier to the later one.

    Raises as ``History`` does.
    """
    moments = (question.since, question.until)
    first, last = sorted([await history.rest_at(await history.position_of(m)) for m in moments])
    before = await history.look(first, lambda w: _seen(w, {}))
    after = await history.look(
        last, lambda w: _seen(w, before.conversations), about(*before.conversations)
    )
    operators = _changed(before.operators, after.operators)
    conversations = _changed(before.conversations, after.conversations)
    modes = _changed(before.modes, after.modes)
    return Diff(
        before=await moment(history, first),
        after=await moment(history, last),
        operators=tuple(
            OperatorDiff(operator_id=its_id, before=was, after=now)
            for its_id, was, now in operators[: question.limit]
        ),
        operators_total=len(operators),
        conversations=tuple(
            ConversationDiff(conversation_id=its_id, before=was, after=now)
            for its_id, was, now in conversations[: question.limit]
        ),
        conversations_total=len(conversations),
        entry_points=tuple(
            EntryPointDiff(entry_point_id=its_id, before=was, after=now)
            for its_id, was, now in modes[: question.limit]
        ),
        policy_changed=before.policy_version != after.policy_version,
    )


def _seen(workspace: Workspace, also: Mapping[ConversationId, Any]) -> _Seen:
    asked = [its_id for its_id in also if its_id in workspace.conversations]
    return _Seen(
        operators={
            operator.operator_id: roster_entry(operator)
            for operator in workspace.operators.values()
            if not operator.removed
        },
        conversations={
            its_id: conversation_view(workspace, workspace.conversations[its_id])
            for its_id in dict.fromkeys((*workspace.open, *asked))
        },
        modes={point.entry_point_id: point.mode for point in workspace.entry_points.values()},
        policy_version=workspace.policy_version,
    )


def _changed(before: Mapping[Key, Any], after: Mapping[Key, Any]) -> list[tuple[Key, Any, Any]]:
    """Keys whose values are different, with both; null where there is none. By key."""
    keys = sorted({*before, *after}, key=str)
    pairs = ((key, before.get(key), after.get(key)) for key in keys)
    return [(key, was, now) for key, was, now in pairs if was != now]
