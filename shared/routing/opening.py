"""Where a conversation goes when it is opened: whom the visitor is to meet, and who said so."""

from shared.routing.ids import GroupId
from shared.routing.reach import can_take
from shared.routing.scope import Scope
from shared.routing.state import EntryPoint, Group, Visitor
from shared.routing.vocabulary import AheadSource, ScopeSource
from shared.routing.workspace import Workspace


def groups_offered(workspace: Workspace, entry_point: EntryPoint) -> tuple[GroupId, ...]:
    """Groups the visitor may choose: enabled public ones bound here, or those listed."""
    asked = entry_point.ask_group
    if isinstance(asked, tuple):
        return tuple(g for g in asked if g in workspace.groups and workspace.groups[g].enabled)
    if not asked:
        return ()
    candidates = entry_point.groups or tuple(workspace.groups)
    return tuple(g for g in candidates if _is_public(workspace.groups[g]))


def _is_public(group: Group) -> bool:
    return group.enabled and group.public


def opening_scope(
    workspace: Workspace, visitor: Visitor, entry_point: EntryPoint, choice: GroupId | None
) -> tuple[Scope, ScopeSource]:
    """The scope a new conversation gets, and who determined it.

    A person's assignment comes before the visitor's choice, that before a rule's, all before the
    entry point. A target that can take nothing now gives way to the entry point.
    """
    fallback = Scope(entry_point=entry_point.entry_point_id)
    wished = _wished(visitor, choice)
    if wished is None:
        return fallback, "entry_point"
    scope, source = wished
    if can_take(workspace, scope):
        return scope, source
    return fallback, "target_unavailable"


def _wished(visitor: Visitor, choice: GroupId | None) -> tuple[Scope, AheadSource] | None:
    ahead = visitor.ahead
    if "person" in ahead:
        return ahead["person"], "person"
    if choice is not None:
        return Scope(group=choice), "visitor"
    for source in ("visitor", "rule"):
        if source in ahead:
            return ahead[source], source
    return None
