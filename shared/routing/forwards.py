"""Whom a forward on offer is offered to next."""

from shared.routing.ids import OperatorId
from shared.routing.ranking import Choice, Demand
from shared.routing.scope import Scope
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace


def next_to_ask(
    workspace: Workspace, conversation: Conversation, to: Scope, asked: tuple[OperatorId, ...]
) -> tuple[Choice, Demand] | None:
    """The best of ``to`` who was not asked yet and has no part in the conversation.

    Only whoever is online can accept, whomever else ``assign_to`` would let it be given to.
    """
    demand = workspace.demand_at(conversation, to)._replace(assign_to="online")
    if not demand.audience:
        return None
    involved = tuple(conversation.participants)
    owner = (conversation.owner,) if conversation.owner is not None else ()
    choice = workspace.pool(demand).choose((*asked, *involved, *owner))
    return None if choice is None else (choice, demand)
