"""Whether visitors find somebody: the mode of an entry point, derived from who is online."""

from shared.routing.reach import can_take, somebody_there
from shared.routing.scope import Scope
from shared.routing.state import EntryPoint
from shared.routing.vocabulary import EntryMode
from shared.routing.workspace import Workspace


def mode_of(workspace: Workspace, entry_point: EntryPoint, scope: Scope) -> EntryMode:
    """The mode for conversations that would enter here with ``scope``.

    ``live`` while the hours are open and somebody in the scope is effective online, however full;
    a fallback counts where it would serve: out of hours, without an enabled group, and with nobody
    online where policy says so.
    """
    if not entry_point.closed and somebody_there(workspace, scope):
        return "live"
    if scope.operator is None and _falls_back(workspace, entry_point, scope):
        policy = workspace.policy_of(scope, entry_point.entry_point_id)
        for target in entry_point.fallback:
            if somebody_there(workspace, target):
                return "live"
            if can_take(workspace, target) and not policy.fallback_when_nobody_online:
                break  # it goes there and waits
    return entry_point.offline_display


def _falls_back(workspace: Workspace, entry_point: EntryPoint, scope: Scope) -> bool:
    if not workspace.audience_of(scope):
        return True
    if scope.entry_point is None:
        return False
    policy = workspace.policy_of(scope, entry_point.entry_point_id)
    return entry_point.closed or policy.fallback_when_nobody_online
