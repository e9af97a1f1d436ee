"""When an owner goes away: which of his conversations are looked at, and when."""

from shared.routing import timers
from shared.routing.ids import UnixMs
from shared.routing.policy import Policy
from shared.routing.state import Operator
from shared.routing.status import absence_of
from shared.routing.vocabulary import Absence
from shared.routing.workspace import Workspace


def absence_changed(workspace: Workspace, operator: Operator) -> None:
    """The operator is absent from here on, in another way than before, or back."""
    absence = absence_of(operator)
    if absence is None:
        _owner_returns(workspace, operator)
    else:
        _owner_goes(workspace, operator, absence)


def _owner_goes(workspace: Workspace, operator: Operator, absence: Absence) -> None:
    for conversation_id in operator.owned:
        conversation = workspace.conversations[conversation_id]
        conversation.owner_away = False
        workspace.owner_checks[conversation_id] = "offline"
        after_s = _counts_after_s(absence, workspace.policy_for(conversation))
        timer_id = timers.name(timers.OWNER, conversation_id)
        if after_s:
            workspace.set_timer(timer_id, UnixMs(workspace.at + after_s * 1_000))
        else:
            workspace.cancel_timer(timer_id)


def _counts_after_s(absence: Absence, policy: Policy) -> int:
    """After how long something is to be done about it; 0: at once or never."""
    wait_s = policy.reassign_after_s if policy.on_owner_offline == "reassign_after" else 0
    if absence == "gone":
        return wait_s
    return policy.idle_owner_after_s + wait_s if policy.idle_owner_after_s else 0


def _owner_returns(workspace: Workspace, operator: Operator) -> None:
    """What he owns stays his."""
    for conversation_id in operator.owned:
        workspace.conversations[conversation_id].owner_away = False
        workspace.owner_checks.pop(conversation_id, None)
        workspace.cancel_timer(timers.name(timers.OWNER, conversation_id))
