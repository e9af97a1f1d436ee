"""Why a conversation went where it went, or did not: decisions looked at again.

Each is made anew from the state that it was made on, and compared with what was recorded: what is
told here is not remembered by anybody, it comes out of the log.
"""

from typing import cast

import msgspec

from shared.audit.answers import (
    CandidateView,
    Explained,
    OperatorThen,
    WhyNotView,
)
from shared.audit.events import event_view, last_event, positions_of
from shared.audit.history import History
from shared.audit.state import about
from shared.audit.stored import Recorded
from shared.routing import events as e
from shared.routing.commands import Refused
from shared.routing.decide.rights import unknown
from shared.routing.events import Decision, EventUnion
from shared.routing.explain import Candidate, candidates, demand_of, why_not
from shared.routing.ids import ConversationId, Position
from shared.routing.revision import REVISION
from shared.routing.route import next_decision
from shared.routing.state import Conversation, Operator
from shared.routing.status import not_routable
from shared.routing.views import conversation_view
from shared.routing.workspace import Workspace
from shared.wire.audit import NOW, AskExplain, AskWhyNot

PLACING = (e.ConversationAssigned, e.ConversationOffered, e.ConversationQueued)
"""Decisions about who gets it: what is meant where no other is named."""


# --- explain --------------------------------------------------------------------------------


async def explain(history: History, question: AskExplain, upto: Position) -> Explained | Refused:
    """The decision that is asked for, everybody who was looked at, and whether it comes out again.

    ``upto`` is the last position that counts. Raises as ``History`` does.
    """
    decided = await _decision(history, question, upto)
    if isinstance(decided, Refused):
        return decided
    cause = await history.event_at(decided.envelope.first)
    before = Position(decided.position - 1)
    return await history.look(
        before,
        lambda w: _explained(w, question, decided, cause),
        about(question.conversation_id),
    )


async def _decision(history: History, question: AskExplain, upto: Position) -> Recorded | Refused:
    if question.position is not None:
        named = await history.event_at(upto) if upto else None
        about = named is not None and _is_about(named, question.conversation_id)
        if named is None or not about or not isinstance(named.envelope.data, Decision):
            text = f"position {question.position} is no decision about {question.conversation_id}"
            return Refused("malformed", text, {"path": "position"})
        return named
    found = await last_event(history, question.conversation_id, upto, _is_placing)
    if found is None:
        found = await last_event(history, question.conversation_id, upto, _is_decision)
    return found or await _nothing(history, question.conversation_id, upto)


def _is_about(recorded: Recorded, conversation_id: ConversationId) -> bool:
    return getattr(recorded.envelope.data, "conversation_id", None) == conversation_id


def _is_placing(recorded: Recorded) -> bool:
    return isinstance(recorded.envelope.data, PLACING)


def _is_decision(recorded: Recorded) -> bool:
    return isinstance(recorded.envelope.data, Decision)


async def _nothing(history: History, conversation_id: ConversationId, upto: Position) -> Refused:
    text = f"nothing was decided about {conversation_id} up to position {upto}"
    known = await positions_of(history, conversation_id, upto)
    return Refused("no_decision", text) if known else unknown("conversation", conversation_id)


def _explained(
    workspace: Workspace, question: AskExplain, decided: Recorded, cause: Recorded
) -> Explained:
    event = decided.envelope.data
    conversation = workspace.conversations[question.conversation_id]
    looked_at = candidates(workspace, conversation)
    page = looked_at[question.skip : question.skip + question.limit]
    same_rules = decided.envelope.rev == REVISION
    expected = _expected(workspace) if same_rules else None
    remade = _bytes(expected) == _bytes(event) if same_rules else None
    return Explained(
        decision=event_view(decided),
        cause=event_view(cause),
        decided_at=workspace.position,
        chosen=getattr(event, "operator_id", None) if isinstance(event, PLACING) else None,
        reason=getattr(event, "reason", None) if isinstance(event, PLACING[:2]) else None,
        waiting_reason=event.reason if isinstance(event, e.ConversationQueued) else None,
        ranking=getattr(event, "ranking", None),
        key=getattr(event, "key", ()),
        tie_break=getattr(event, "tie_break", None),
        pool_size=getattr(event, "pool_size", None),
        policy_version=workspace.policy_version,
        presence_stale=workspace.presence_stale,
        conversation=conversation_view(workspace, conversation),
        candidates=tuple(_candidate(workspace, conversation, one) for one in page),
        looked_at=len(looked_at),
        remade=remade,
        expected=None if remade else expected,
    )


def _expected(workspace: Workspace) -> EventUnion | None:
    return None if workspace.is_cut else cast("EventUnion | None", next_decision(workspace))


def _bytes(event: EventUnion | None) -> bytes:
    return msgspec.json.encode(event)


def _candidate(
    workspace: Workspace, conversation: Conversation, candidate: Candidate
) -> CandidateView:
    operator = workspace.operators[candidate.operator_id]
    return CandidateView(
        operator_id=candidate.operator_id,
        verdict=candidate.verdict,
        exclusions=candidate.exclusions,
        key=candidate.key,
        effective=operator.effective,
        cause=operator.cause,
        load=operator.load,
        capacity=operator.capacity,
        missing_skills=_missing_skills(workspace, conversation, operator),
    )


def _missing_skills(
    workspace: Workspace, conversation: Conversation, operator: Operator
) -> tuple[str, ...]:
    wanted = demand_of(workspace, conversation).skills
    return tuple(skill for skill in wanted if skill not in operator.skills)


# --- why not --------------------------------------------------------------------------------


async def why_not_him(
    history: History, question: AskWhyNot, upto: Position
) -> WhyNotView | Refused:
    """Why one operator did not get it as of a moment; by default when it was last decided upon."""
    then = upto
    if question.moment == NOW:
        placed = await last_event(history, question.conversation_id, upto, _is_placing)
        then = Position(placed.position - 1) if placed is not None else upto
    return await history.look(
        then, lambda w: _why_not(w, question), about(question.conversation_id)
    )


def _why_not(workspace: Workspace, question: AskWhyNot) -> WhyNotView | Refused:
    conversation = workspace.conversations.get(question.conversation_id)
    if conversation is None:
        return unknown("conversation", question.conversation_id)
    operator = workspace.operators.get(question.operator_id)
    if operator is None:
        return unknown("operator", question.operator_id)
    said = why_not(workspace, conversation, operator.operator_id)
    return WhyNotView(
        operator=operator_then(operator),
        conversation=conversation_view(workspace, conversation),
        exclusions=said.exclusions,
        missing_skills=_missing_skills(workspace, conversation, operator),
        key=said.key,
        behind=said.behind,
        behind_key=said.behind_key,
        because=said.because,
        owned=conversation.owner == operator.operator_id,
    )


def operator_then(operator: Operator) -> OperatorThen:
    """What matters of an operator at one moment."""
    return OperatorThen(
        operator_id=operator.operator_id,
        effective=operator.effective,
        cause=operator.cause,
        connected=operator.connected,
        routable=not_routable(operator) is None,
        load=operator.load,
        capacity=operator.capacity,
        free=operator.free,
        skills=operator.skills,
        groups=tuple(sorted(operator.groups)),
    )
