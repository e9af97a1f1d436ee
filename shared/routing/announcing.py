"""Telling operators that a conversation waits for whoever takes it first; each is told once."""

from shared.routing.eligibility import is_member
from shared.routing.events import ConversationBroadcast
from shared.routing.ids import ConversationId, OperatorId
from shared.routing.workspace import Workspace


def announcement(workspace: Workspace) -> ConversationBroadcast | None:
    """Of conversations that came, and to operators who came."""
    return _of_new_ones(workspace) or _to_arrivals(workspace)


def _of_new_ones(workspace: Workspace) -> ConversationBroadcast | None:
    while workspace.unannounced:
        conversation_id = next(iter(workspace.unannounced))
        place = workspace.places[conversation_id]
        told = workspace.conversations[conversation_id].told
        listeners = [
            operator_id
            for operator_id in sorted(workspace.members_of(place.demand.audience))
            if operator_id not in told and workspace.standings[operator_id].available
        ]
        if listeners:
            return ConversationBroadcast(conversation_id, tuple(listeners))
        del workspace.unannounced[conversation_id]
    return None


def _to_arrivals(workspace: Workspace) -> ConversationBroadcast | None:
    while workspace.arrived:
        operator_id, news = next(iter(workspace.arrived.items()))
        if news is None:
            news = workspace.arrived[operator_id] = _news_for(workspace, operator_id)
        while news:
            conversation_id = news[-1]
            if operator_id not in workspace.conversations[conversation_id].told:
                return ConversationBroadcast(conversation_id, (operator_id,))
            news.pop()
        del workspace.arrived[operator_id]
    return None


def _news_for(workspace: Workspace, operator_id: OperatorId) -> list[ConversationId]:
    """Everything broadcast that reaches the operator, the first to be told of at the end."""
    standing = workspace.standings.get(operator_id)
    if standing is None or not standing.available:
        return []
    return [
        order.conversation_id
        for audience in sorted(workspace.broadcasts)  # theirs is the order in which they came
        if is_member(audience, standing.atoms)
        for order in workspace.broadcasts[audience]
    ][::-1]
