"""When an owner goes offline: which of his conversations are looked at, and when."""

from shared.routing import timers
from shared.routing.ids import UnixMs
from shared.routing.policy import Policy
from shared.routing.state import Operator
from shared.routing.status import GONE
from shared.routing.workspace import Workspace


def owner_goes(workspace: Workspace, operator: Operator) -> None:
    """The operator became offline, or the reason for it changed."""
    for conversation_id in operator.owned:
        conversation = workspace.conversations[conversation_id]
        conversation.owner_away = False
        workspace.owner_checks[conversation_id] = "offline"
        after_s = _counts_after_s(operator, workspace.policy_for(conversation))
        timer_id = timers.name(timers.OWNER, conversation_id)
        if after_s:
            workspace.set_timer(timer_id, UnixMs(workspace.at + after_s * 1_000))
        else:
            workspace.cancel_timer(timer_id)


def _counts_after_s(operator: Operator, policy: Policy) -> int:
    """After how long something is to be done about it; 0: at once or never."""
    wait_s = policy.reassign_after_s if policy.on_owner_offline == "reassign_after" else 0
    if operator.cause in GONE:
        return wait_s
    if operator.cause == "idle" and policy.idle_owner_after_s:
        return policy.idle_owner_after_s + wait_s
    return 0


def owner_returns(workspace: Workspace, operator: Operator) -> None:
    """The operator is there again: what he owns stays his."""
    for conversation_id in operator.owned:
        workspace.conversations[conversation_id].owner_away = False
        workspace.owner_checks.pop(conversation_id, None)
        workspace.cancel_timer(timers.name(timers.OWNER, conversation_id))
