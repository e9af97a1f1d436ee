"""Why a conversation waits: the first reason that holds."""

from shared.routing.queue import excluded_from
from shared.routing.state import Conversation
from shared.routing.vocabulary import WaitingReason
from shared.routing.workspace import Workspace


def waiting_reason(workspace: Workspace, conversation: Conversation) -> WaitingReason:
    """The reason as of now; ``held`` where no enabled group is left to ask."""
    demand = workspace.demand_of(conversation)
    if not demand.audience:
        return "held" if conversation.fallbacks_tried else "group_disabled"
    if not workspace.somebody_belongs(demand.audience):
        return "group_empty"
    if not workspace.somebody_online(demand.audience):
        return "nobody_online"
    if not workspace.pool_size(demand):
        return "all_full"
    if demand.skills and not workspace.pool(demand).entries:
        return "skill_missing"
    policy = workspace.policy_of(conversation.scope, conversation.entry_point_id)
    if policy.delivery != "auto":
        return policy.delivery
    assert excluded_from(conversation), "an eligible operator is free and nothing holds it"
    return "all_declined"
