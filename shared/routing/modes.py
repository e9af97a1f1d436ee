"""Whether visitors find somebody: the mode of an entry point, derived from who is online."""

from shared.routing.reach import somebody_there
from shared.routing.scope import Scope
from shared.routing.state import EntryPoint
from shared.routing.vocabulary import EntryMode
from shared.routing.workspace import Workspace


def mode_of(workspace: Workspace, entry_point: EntryPoint, scope: Scope) -> EntryMode:
    """The mode for conversations that would enter here with ``scope``.

    ``live`` while somebody in the scope is effective online, however full; a fallback counts where
    it would serve, that is where the scope has no enabled group.
    """
    if somebody_there(workspace, scope):
        return "live"
    if scope.operator is None and not workspace.audience_of(scope):
        for target in entry_point.fallback:
            if somebody_there(workspace, target):
                return "live"
    return entry_point.offline_display
