"""Who gets which waiting conversation: the heart of routing."""

from shared.routing.eligibility import is_member
from shared.routing.events import (
    ConversationAssigned,
    ConversationOffered,
    ConversationQueued,
    ConversationRedirected,
    Decision,
    RoundEnded,
)
from shared.routing.ids import OperatorId, UnixMs
from shared.routing.queue import Order, excluded_from
from shared.routing.ranking import Choice, Demand, Pool, entry_of
from shared.routing.reach import may_be_given
from shared.routing.redirecting import crowded_out, is_out_of_hours, overflow, redirected
from shared.routing.state import Conversation, Operator
from shared.routing.status import not_routable
from shared.routing.vocabulary import AssignmentReason, Hold
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace


def placement(workspace: Workspace) -> Decision | None:
    """Serve whoever is first: of the newly unplaced and of the heads of all stirred pools."""
    while workspace.unplaced or workspace.stirred:
        order: Order | None = workspace.unplaced[0] if workspace.unplaced else None
        head = _first_served(workspace)
        if head is not None and (order is None or head[0] < order):
            served, choice, pool = head
            conversation = workspace.conversations[served.conversation_id]
            decision = _from_line(workspace, conversation, choice, pool.demand)
        elif order is not None:
            decision = _decide_on(workspace, workspace.conversations[order.conversation_id])
        else:
            return None
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


def _from_line(
    workspace: Workspace, conversation: Conversation, choice: Choice, demand: Demand
) -> Decision | None:
    """The head of a line gets whom it waited for; an acquaintance must still be in its scope."""
    if conversation.hold != "affinity_wait":
        return _give(workspace, conversation, choice, demand, "routed")
    acquainted = _acquaintance(workspace, conversation, workspace.demand_of(conversation))
    if acquainted is not None:
        return acquainted
    workspace.waits(conversation)
    return None


# --- one conversation -----------------------------------------------------------------------


def _decide_on(workspace: Workspace, conversation: Conversation) -> Decision | None:
    """The decision on one unplaced conversation; none if it just takes its old place again."""
    if conversation.scope.operator is not None:
        return _direct(workspace, conversation, conversation.scope.operator)
    demand = workspace.demand_of(conversation)
    return (
        _handed_over(workspace, conversation)
        or _first_response(workspace, conversation)
        or _redirected(workspace, conversation)
        or _served(workspace, conversation, demand)
        or crowded_out(workspace, conversation)
        or _queued(workspace, conversation, demand)
    )


def _direct(
    workspace: Workspace, conversation: Conversation, operator_id: OperatorId
) -> ConversationAssigned | ConversationRedirected:
    if may_be_given(workspace, operator_id):
        return _given(workspace, conversation, operator_id, "directed")
    return ConversationRedirected(
        conversation.conversation_id, conversation.home_scope, "operator_gone"
    )


def _handed_over(workspace: Workspace, conversation: Conversation) -> ConversationAssigned | None:
    """The owner left: the longest human participant who is there follows him."""
    if not conversation.handover:
        return None
    for operator_id in conversation.participants:
        human = workspace.operators[operator_id].kind == "human"
        if human and may_be_given(workspace, operator_id):
            return _given(workspace, conversation, operator_id, "handed_over")
    return None


def _first_response(
    workspace: Workspace, conversation: Conversation
) -> ConversationAssigned | None:
    """A bot that answers first, where the entry point has one."""
    entry_point = workspace.entry_points.get(conversation.entry_point_id)
    if not conversation.fresh or conversation.hold is not None:
        return None
    if entry_point is None or entry_point.first_responder in (None, conversation.last_owner):
        return None
    assert entry_point.first_responder is not None
    bot = workspace.operators[entry_point.first_responder]
    if bot.kind != "bot" or bot.free < conversation.weight:
        return None
    if not may_be_given(workspace, bot.operator_id):
        return None
    return _given(workspace, conversation, bot.operator_id, "first_responder")


def _redirected(workspace: Workspace, conversation: Conversation) -> ConversationRedirected | None:
    if not workspace.audience_of(conversation.scope):
        return redirected(workspace, conversation)
    if _is_parked(workspace, conversation):
        return None  # it keeps its place
    return overflow(workspace, conversation)


def _served(workspace: Workspace, conversation: Conversation, demand: Demand) -> Decision | None:
    hold = hold_for(workspace, conversation)
    if hold not in ("auto", "offer"):
        return None
    acquainted = _acquaintance(workspace, conversation, demand)
    if acquainted is not None:
        return acquainted
    if _awaits_acquaintance(workspace, conversation, demand):
        return None
    pool = workspace.pool(demand)
    choice = pool.choose(excluded_from(conversation))
    if choice is not None:
        return _give(workspace, conversation, choice, demand, "routed")
    if hold == "offer":
        return _round_ended(workspace, conversation)
    return None


def _round_ended(workspace: Workspace, conversation: Conversation) -> RoundEnded | None:
    """Everybody who could take it was asked: a pause, and from the beginning.

    Also while nobody could: whoever declined and is full just now must not stay excluded.
    """
    policy = workspace.policy_for(conversation)
    if conversation.back_off_until is not None or conversation.round >= policy.rounds_max:
        return None
    if not conversation.declined:
        return None
    number = conversation.round + 1
    last = number >= policy.rounds_max
    until = None if last else UnixMs(workspace.at + policy.decline_backoff_s * 1_000)
    return RoundEnded(conversation.conversation_id, number, until)


def _queued(
    workspace: Workspace, conversation: Conversation, demand: Demand
) -> ConversationQueued | None:
    hold = hold_for(workspace, conversation)
    if hold in ("auto", "offer") and _awaits_acquaintance(workspace, conversation, demand):
        hold = "affinity_wait"
    if conversation.hold == hold and not conversation.handover:
        workspace.takes_place(conversation, hold)
        return None
    return ConversationQueued(
        conversation_id=conversation.conversation_id,
        hold=hold,
        reason=waiting_reason(workspace, conversation, hold),
        decided_at=workspace.position,
        policy_version=workspace.policy_version,
        pool_size=workspace.pool_size(demand),
        ranking=demand.ranking,
    )


def _is_parked(workspace: Workspace, conversation: Conversation) -> bool:
    """Whether nothing is to be done about it before its visitor is back."""
    away = workspace.visitors[conversation.visitor_id].away
    return away and workspace.policy_for(conversation).on_visitor_left == "park"


def hold_for(workspace: Workspace, conversation: Conversation) -> Hold:
    """How it is to be delivered, or what keeps it from being delivered."""
    policy = workspace.policy_for(conversation)
    if conversation.missed:
        return "parked_missed" if policy.missed_delivery == "manual" else policy.missed_delivery
    if is_out_of_hours(workspace, conversation):
        return "out_of_hours"
    if policy.delivery != "manual" and _is_parked(workspace, conversation):
        return "visitor_away"
    return policy.delivery


def preferred(
    workspace: Workspace, conversation: Conversation
) -> ConversationAssigned | ConversationOffered | None:
    """Whom a waiting conversation goes to before anybody is ranked, if there is such a one."""
    if conversation.scope.operator is not None:
        directed = _direct(workspace, conversation, conversation.scope.operator)
        return directed if isinstance(directed, ConversationAssigned) else None
    known = _handed_over(workspace, conversation) or _first_response(workspace, conversation)
    if known is not None or hold_for(workspace, conversation) not in ("auto", "offer"):
        return known
    return _acquaintance(workspace, conversation, workspace.demand_of(conversation))


def is_served(workspace: Workspace, conversation: Conversation) -> bool:
    """Whether whoever is eligible gets it: nothing holds it, and it waits for nobody else."""
    demand = workspace.demand_of(conversation)
    delivered = hold_for(workspace, conversation) in ("auto", "offer")
    return delivered and not _awaits_acquaintance(workspace, conversation, demand)


# --- acquaintances --------------------------------------------------------------------------


def _acquaintance(
    workspace: Workspace, conversation: Conversation, demand: Demand
) -> ConversationAssigned | ConversationOffered | None:
    """Whoever spoke to the visitor last, if he is eligible like any other."""
    operator = _known(workspace, conversation)
    if operator is None or operator.operator_id in excluded_from(conversation):
        return None
    pool = workspace.pool(demand)
    if operator.operator_id not in pool.entries:
        return None
    entry = entry_of(operator, demand)
    choice = Choice(operator.operator_id, (entry[0], entry[1]), None)
    return _give(workspace, conversation, choice, demand, "affinity")


def _known(workspace: Workspace, conversation: Conversation) -> Operator | None:
    policy = workspace.policy_for(conversation)
    waits = conversation.hold == "affinity_wait"
    if policy.affinity == "off" or not (conversation.fresh or waits):
        return None
    operator_id = workspace.acquaintance_of(conversation)
    return workspace.operators.get(operator_id) if operator_id is not None else None


def _awaits_acquaintance(workspace: Workspace, conversation: Conversation, demand: Demand) -> bool:
    """Whether he is there and merely full, and policy says to wait for him a while."""
    if workspace.policy_for(conversation).affinity != "wait" or conversation.affinity_over:
        return False
    operator = _known(workspace, conversation)
    if operator is None or operator.removed or not_routable(operator) is not None:
        return False
    standing = workspace.standings[operator.operator_id]
    skilled = all(skill in operator.skills for skill in demand.skills)
    return (
        standing.available
        and skilled
        and operator.free < conversation.weight
        and is_member(demand.audience, standing.atoms)
        and operator.operator_id not in excluded_from(conversation)
    )


# --- the events -----------------------------------------------------------------------------


def _give(
    workspace: Workspace,
    conversation: Conversation,
    choice: Choice,
    demand: Demand,
    reason: AssignmentReason,
) -> ConversationAssigned | ConversationOffered:
    if hold_for(workspace, conversation) == "offer":
        return offered(workspace, conversation, choice, demand, reason)
    return ConversationAssigned(
        conversation_id=conversation.conversation_id,
        operator_id=choice.operator_id,
        reason=reason,
        decided_at=workspace.position,
        policy_version=workspace.policy_version,
        pool_size=workspace.pool_size(demand),
        ranking=demand.ranking,
        key=choice.key,
        tie_break=choice.tie_break,
        excess=False,
        presence_stale=workspace.presence_stale,
    )


def offered(
    workspace: Workspace,
    conversation: Conversation,
    choice: Choice,
    demand: Demand,
    reason: AssignmentReason,
    *,
    expires_at: UnixMs | None = None,
) -> ConversationOffered:
    """An offer to the chosen one, for as long as policy gives or until ``expires_at``."""
    timeout_ms = workspace.policy_for(conversation).offer_timeout_s * 1_000
    return ConversationOffered(
        conversation_id=conversation.conversation_id,
        operator_id=choice.operator_id,
        offer=conversation.offers_made + 1,
        expires_at=expires_at or UnixMs(workspace.at + timeout_ms),
        reason=reason,
        decided_at=workspace.position,
        policy_version=workspace.policy_version,
        pool_size=workspace.pool_size(demand),
        ranking=demand.ranking,
        key=choice.key,
        tie_break=choice.tie_break,
        presence_stale=workspace.presence_stale,
    )


def _given(
    workspace: Workspace,
    conversation: Conversation,
    operator_id: OperatorId,
    reason: AssignmentReason,
) -> ConversationAssigned:
    """Nobody was ranked: the operator was named, or follows from who was there."""
    operator = workspace.operators[operator_id]
    his_already = conversation.weight if conversation.participants.get(operator_id) else 0
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
        excess=operator.free + his_already < conversation.weight,
        presence_stale=workspace.presence_stale,
    )
