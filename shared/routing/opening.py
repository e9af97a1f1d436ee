"""Where a conversation goes when it is opened: whom the visitor is to meet, and who said so."""

from collections.abc import Iterable

from shared.routing.eligibility import unavailable
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
        return still_asked(workspace, asked)
    if not asked:
        return ()
    candidates = entry_point.groups or tuple(workspace.groups)
    return tuple(g for g in candidates if _is_public(workspace.groups[g]))


def _is_public(group: Group) -> bool:
    return group.enabled and group.public


def groups_open_to(
    workspace: Workspace, entry_point: EntryPoint, visitor: Visitor | None
) -> tuple[GroupId, ...]:
    """Groups that this visitor may choose: those offered to all, and those a rule asks it about."""
    offered = groups_offered(workspace, entry_point)
    asked = visitor.asked.get(entry_point.entry_point_id, ()) if visitor is not None else ()
    return tuple(dict.fromkeys((*offered, *still_asked(workspace, asked)))) if asked else offered


def still_asked(workspace: Workspace, groups: Iterable[GroupId]) -> tuple[GroupId, ...]:
    """Those of ``groups`` that can be asked about now."""
    return tuple(g for g in groups if g in workspace.groups and workspace.groups[g].enabled)


def skills_prepared(visitor: Visitor) -> tuple[str, ...]:
    return visitor.prepared.skills if visitor.prepared is not None else ()


def opening_scope(
    workspace: Workspace,
    visitor: Visitor,
    entry_point: EntryPoint,
    choice: GroupId | None,
    skills: tuple[str, ...] = (),
) -> tuple[Scope, ScopeSource]:
    """The scope a new conversation gets, and who determined it.

    A person's assignment comes before the visitor's choice, that before a rule's, all before the
    entry point. A target that can take nothing now gives way to the entry point; an operator whom
    a rule names gives way already if it would not come to him by itself, as asks for ``skills``.
    """
    fallback = Scope(entry_point=entry_point.entry_point_id)
    wished = _wished(visitor, choice)
    if wished is None:
        return fallback, "entry_point"
    scope, source = wished
    if not can_take(workspace, scope):
        return fallback, "target_unavailable"
    if source == "rule" and not _is_eligible(workspace, scope, entry_point, skills):
        return fallback, "target_unavailable"
    return scope, source


def _is_eligible(
    workspace: Workspace, scope: Scope, entry_point: EntryPoint, skills: tuple[str, ...]
) -> bool:
    """Whether the operator, if the scope is one, could be given it automatically."""
    if scope.operator is None:
        return True
    operator = workspace.operators[scope.operator]
    its_id = entry_point.entry_point_id
    assign_to = workspace.policy_of(Scope(entry_point=its_id), its_id).assign_to
    return (
        not unavailable(workspace.roles, operator, assign_to)
        and operator.free >= entry_point.weight
        and all(skill in operator.skills for skill in skills)
    )


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
