"""What follows from the state: the engine's decisions, one at a time, until nothing is left.

``next_decision`` reads and never writes tables; the caller evolves what it returns and asks again.
The same state gives the same decision, on the day itself and in every replay.
"""

from shared.routing.events import (
    ConversationAssigned,
    ConversationBroadcast,
    ConversationQueued,
    ConversationRedirected,
    Decision,
    EntryPointModeChanged,
    OperatorStatusChanged,
)
from shared.routing.ids import ConversationId, OperatorId
from shared.routing.modes import mode_of
from shared.routing.queue import Order, excluded_from
from shared.routing.ranking import Choice, Demand, Pool
from shared.routing.reach import can_take, may_be_given
from shared.routing.scope import EVERYONE, Scope
from shared.routing.state import Audience, Conversation
from shared.routing.status import effective_status
from shared.routing.vocabulary import AssignmentReason, RedirectReason
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace


def next_decision(workspace: Workspace) -> Decision | None:
    """The next decision that the state calls for, or none when it is at rest."""
    return (
        _status_change(workspace)
        or _mode_change(workspace)
        or _rescue(workspace)
        or _placement(workspace)
        or _announcement(workspace)
    )


def _status_change(workspace: Workspace) -> OperatorStatusChanged | None:
    changed = workspace.changed_operators
    if not changed:
        return None
    settled: list[OperatorId] = []
    for operator_id in changed:
        operator = workspace.operators[operator_id]
        effective, cause = effective_status(operator)
        if (effective, cause) != (operator.effective, operator.cause):
            for unchanged in settled:
                del changed[unchanged]
            return OperatorStatusChanged(operator_id, effective, cause)
        settled.append(operator_id)
    changed.clear()  # one by one, finding the first would walk over all deleted before it
    return None


def _mode_change(workspace: Workspace) -> EntryPointModeChanged | None:
    changed = workspace.changed_entry_points
    while changed:
        entry_point_id = next(iter(changed))
        entry_point = workspace.entry_points.get(entry_point_id)
        if entry_point is not None:
            mode = mode_of(workspace, entry_point, Scope(entry_point=entry_point_id))
            if mode != entry_point.mode:
                return EntryPointModeChanged(entry_point_id, mode)
        del changed[entry_point_id]
    return None


def _rescue(workspace: Workspace) -> ConversationRedirected | None:
    """Owned conversations whose scope has ceased to exist get the next one in line."""
    for conversation_id in workspace.adrift:
        return _redirect(workspace, workspace.conversations[conversation_id])
    return None


# --- waiting conversations ------------------------------------------------------------------


def _placement(workspace: Workspace) -> Decision | None:
    """Serve whoever is first: of the newly unplaced and of the heads of all stirred pools."""
    while workspace.unplaced or workspace.stirred:
        order: Order | None = workspace.unplaced[0] if workspace.unplaced else None
        head = _first_served(workspace)
        if head is not None and (order is None or head[0] < order):
            served, choice, pool = head
            return _assigned(workspace, served.conversation_id, choice, pool.demand)
        if order is None:
            return None
        decision = _decide_on(workspace, workspace.conversations[order.conversation_id])
        if decision is not None:
            return decision
    return None


def _first_served(workspace: Workspace) -> tuple[Order, Choice, Pool] | None:
    """The waiting conversation that is first in line for somebody who became available."""
    first: tuple[Order, Choice, Pool] | None = None
    for demand in list(workspace.stirred):
        pool = workspace.stirred[demand]
        found = _first_in(pool)
        if found is None:
            del workspace.stirred[demand]
        elif first is None or found[0] < first[0]:
            first = (found[0], found[1], pool)
    return first


def _first_in(pool: Pool) -> tuple[Order, Choice] | None:
    if not pool.entries:
        return None
    for order, excluded in pool.heads:
        choice = pool.choose(excluded)
        if choice is not None:
            return order, choice
    return None


def _decide_on(workspace: Workspace, conversation: Conversation) -> Decision | None:
    """The decision on one unplaced conversation; none if it just takes its old place again."""
    if conversation.scope.operator is not None:
        return _direct(workspace, conversation, conversation.scope.operator)
    if conversation.handover:
        heir = _heir_of(workspace, conversation)
        if heir is not None:
            return _given(workspace, conversation, heir, "handed_over")
    demand = workspace.demand_of(conversation)
    if not demand.audience:
        redirect = _redirect(workspace, conversation)
        if redirect is not None:
            return redirect
    policy = workspace.policy_of(conversation.scope, conversation.entry_point_id)
    if policy.delivery == "auto":
        choice = workspace.pool(demand).choose(excluded_from(conversation))
        if choice is not None:
            return _assigned(workspace, conversation.conversation_id, choice, demand)
    if conversation.hold == policy.delivery and not conversation.handover:
        workspace.takes_place(conversation, policy.delivery)
        return None
    return ConversationQueued(
        conversation_id=conversation.conversation_id,
        delivery=policy.delivery,
        reason=waiting_reason(workspace, conversation),
        decided_at=workspace.position,
        policy_version=workspace.policy_version,
        pool_size=workspace.pool_size(demand),
        ranking=demand.ranking,
    )


def _assigned(
    workspace: Workspace, conversation_id: ConversationId, choice: Choice, demand: Demand
) -> ConversationAssigned:
    return ConversationAssigned(
        conversation_id=conversation_id,
        operator_id=choice.operator_id,
        reason="routed",
        decided_at=workspace.position,
        policy_version=workspace.policy_version,
        pool_size=workspace.pool_size(demand),
        ranking=demand.ranking,
        key=choice.key,
        tie_break=choice.tie_break,
        excess=False,
    )


def _given(
    workspace: Workspace,
    conversation: Conversation,
    operator_id: OperatorId,
    reason: AssignmentReason,
) -> ConversationAssigned:
    """Nobody was ranked: the operator was named, or follows the owner who left."""
    operator = workspace.operators[operator_id]
    return ConversationAssigned(
        conversation_id=conversation.conversation_id,
        operator_id=operator_id,
        reason=reason,
        decided_at=workspace.position,
        policy_version=workspace.policy_version,
        pool_size=1,
        ranking=None,
        key=(),
        tie_break=None,
        excess=operator.free < conversation.weight,
    )


def _direct(
    workspace: Workspace, conversation: Conversation, operator_id: OperatorId
) -> ConversationAssigned | ConversationRedirected:
    if may_be_given(workspace, operator_id):
        return _given(workspace, conversation, operator_id, "directed")
    return ConversationRedirected(
        conversation.conversation_id, conversation.home_scope, "operator_gone"
    )


def _heir_of(workspace: Workspace, conversation: Conversation) -> OperatorId | None:
    for operator_id in conversation.participants:
        if may_be_given(workspace, operator_id):
            return operator_id
    return None


# --- scopes that cannot serve ---------------------------------------------------------------


def _redirect(workspace: Workspace, conversation: Conversation) -> ConversationRedirected | None:
    """The next scope in line, or none if the fallbacks are exhausted and it is to hold."""
    scope = conversation.home_scope
    gone = _gone(workspace, scope)
    entry_point = workspace.entry_points.get(conversation.entry_point_id)
    if gone is not None:
        known = entry_point is not None
        to = Scope(entry_point=conversation.entry_point_id) if known else EVERYONE
        return ConversationRedirected(conversation.conversation_id, to, gone)
    if entry_point is None:
        return None
    for target in entry_point.fallback[conversation.fallbacks_tried :]:
        if can_take(workspace, target):
            return ConversationRedirected(conversation.conversation_id, target, "group_disabled")
    return None


def _gone(workspace: Workspace, scope: Scope) -> RedirectReason | None:
    if scope.group is not None and scope.group not in workspace.groups:
        return "group_deleted"
    if scope.entry_point is not None and scope.entry_point not in workspace.entry_points:
        return "entry_point_removed"
    return None


# --- broadcasts -----------------------------------------------------------------------------


def _announcement(workspace: Workspace) -> ConversationBroadcast | None:
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
    return _news_for_arrivals(workspace)


def _news_for_arrivals(workspace: Workspace) -> ConversationBroadcast | None:
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
    return [
        order.conversation_id
        for audience in _audiences_of(workspace, operator_id)
        for order in workspace.broadcasts[audience]
    ][::-1]


def _audiences_of(workspace: Workspace, operator_id: OperatorId) -> list[Audience]:
    standing = workspace.standings.get(operator_id)
    if standing is None or not standing.available:
        return []
    return [
        audience
        for audience in sorted(workspace.broadcasts)  # theirs is the order in which they came
        if any(atom in standing.atoms for atom in audience)
    ]
