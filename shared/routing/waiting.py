"""Why a conversation waits: the first reason that holds."""

from shared.routing.queue import excluded_from
from shared.routing.ranking import Demand
from shared.routing.state import Conversation
from shared.routing.vocabulary import Hold, WaitingReason
from shared.routing.workspace import Workspace


def waiting_reason(
    workspace: Workspace, conversation: Conversation, hold: Hold | None = None
) -> WaitingReason:
    """The reason as of now; ``hold`` where it is just being queued for that."""
    reason = _reason(workspace, conversation, hold or conversation.hold or "auto")
    assert reason is not None, "an eligible operator is free and nothing holds it"
    return reason


def reason_if_decided(workspace: Workspace, conversation: Conversation) -> WaitingReason | None:
    """The same, and none where it waits for nothing but to be decided upon.

    At rest there is no such conversation; between two decisions of one group there is.
    """
    if conversation.conversation_id in workspace.undecided:
        return None
    return _reason(workspace, conversation, conversation.hold or "auto")


def _reason(workspace: Workspace, conversation: Conversation, hold: Hold) -> WaitingReason | None:
    demand = workspace.demand_of(conversation)
    if not demand.audience:
        return "held" if conversation.fallbacks_tried else "group_disabled"
    return _of_people(workspace, demand) or _of_hold(conversation, hold)


def _of_people(workspace: Workspace, demand: Demand) -> WaitingReason | None:
    """What lies with the operators: none there, all full, none with the skills."""
    if not workspace.somebody_belongs(demand.audience):
        return "group_empty"
    if demand.assign_to == "online" and not workspace.somebody_online(demand.audience):
        return "nobody_online"
    if not workspace.pool_size(demand):
        return "all_full"
    if demand.skills and not workspace.pool(demand).entries:
        return "skill_missing"
    return None


def _of_hold(conversation: Conversation, hold: Hold) -> WaitingReason | None:
    match hold:
        case "auto" | "offer":
            pass
        case _:
            return hold
    if conversation.back_off_until is not None:
        return "back_off"
    return "all_declined" if excluded_from(conversation) else None
