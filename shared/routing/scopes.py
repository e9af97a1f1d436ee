"""Looking up what a scope means: whom it reaches, which policy holds, what it asks."""

from shared.routing.ids import EntryPointId, GroupId, OperatorId
from shared.routing.policy import Policy, resolve
from shared.routing.ranking import Demand
from shared.routing.scope import Scope
from shared.routing.state import EVERYBODY, Audience, Conversation, Tables


class Scopes(Tables):
    """``Tables`` with the lookups that need nothing else."""

    policies: dict[tuple[GroupId | None, EntryPointId | None, EntryPointId], Policy] = {}
    """Policies already looked up, by the scope's group and entry point and where one entered."""
    audiences: dict[EntryPointId, Audience] = {}
    """Whom entry points reach, as far as that was looked up."""

    def audience_of(self, scope: Scope) -> Audience:
        """Atoms of the audience in ascending order; empty if nobody can be reached."""
        if scope.group is not None:
            group = self.groups.get(scope.group)
            return (scope.group,) if group is not None and group.enabled else ()
        if scope.everyone:
            return (EVERYBODY,)
        if scope.entry_point is None:
            return ()
        audience = self.audiences.get(scope.entry_point)
        if audience is None:
            audience = self.audiences[scope.entry_point] = self._audience_at(scope.entry_point)
        return audience

    def _audience_at(self, entry_point_id: EntryPointId) -> Audience:
        entry_point = self.entry_points.get(entry_point_id)
        if entry_point is None:
            return ()
        if not entry_point.groups:
            return (EVERYBODY,)
        return tuple(sorted([g for g in entry_point.groups if self.groups[g].enabled]))

    def policy_of(self, scope: Scope, entry_point_id: EntryPointId) -> Policy:
        """The policy for conversations of ``scope`` that entered at ``entry_point_id``."""
        key = (scope.group, scope.entry_point, entry_point_id)
        policy = self.policies.get(key)
        if policy is None:
            group_id = self._group_of(scope)
            policy = self.policies[key] = resolve(
                (
                    self.group_policies.get(group_id, {}) if group_id is not None else {},
                    self.entry_point_policies.get(entry_point_id, {}),
                    self.workspace_policy,
                )
            )
        return policy

    def _group_of(self, scope: Scope) -> GroupId | None:
        if scope.group is not None:
            return scope.group
        if scope.entry_point is None:
            return None
        entry_point = self.entry_points.get(scope.entry_point)
        if entry_point is None or len(entry_point.groups) != 1:
            return None
        return entry_point.groups[0]

    def workspace_wide(self) -> Policy:
        """The policy of the workspace alone, for what cannot be set anywhere else."""
        return self.policy_of(Scope(everyone=True), EntryPointId(""))

    def policy_for(self, conversation: Conversation) -> Policy:
        """The policy that holds for it; that of its home scope where it is for one operator."""
        scope = conversation.scope
        if scope.operator is not None:
            scope = conversation.home_scope
        return self.policy_of(scope, conversation.entry_point_id)

    def policy_key(self, conversation: Conversation) -> tuple[GroupId | None, EntryPointId]:
        """Where its policy is looked up before the workspace's: its group, if any, entry point."""
        scope = conversation.scope
        if scope.operator is not None:
            scope = conversation.home_scope
        return self._group_of(scope), conversation.entry_point_id

    def demand_of(self, conversation: Conversation) -> Demand:
        """What it asks of an operator, with everything that widening added or dropped."""
        return self.demand_at(conversation, conversation.scope)

    def demand_at(self, conversation: Conversation, scope: Scope) -> Demand:
        """The same if it were for ``scope``."""
        policy = self.policy_of(scope, conversation.entry_point_id)
        audience = self.audience_of(scope)
        if conversation.reach:
            audience = tuple(sorted({*audience, *filter(self._is_open, conversation.reach)}))
        skills = conversation.skills
        if conversation.optional_skills:
            kept = max(len(conversation.optional_skills) - conversation.optional_dropped, 0)
            skills = (*skills, *conversation.optional_skills[:kept])
        if len(skills) > 1:  # who asks for the same in another order waits in the same lane
            skills = tuple(sorted(set(skills)))
        return Demand(audience, policy.ranking, policy.assign_to, conversation.weight, skills)

    def _is_open(self, atom: str) -> bool:
        group = self.groups.get(GroupId(atom))
        return atom == EVERYBODY or (group is not None and group.enabled)

    def acquaintance_of(self, conversation: Conversation) -> OperatorId | None:
        """Who spoke to this contact, else to this visitor, last."""
        if conversation.contact_id is not None:
            known = self.acquaintances.get(conversation.contact_id)
            if known is not None:
                return known
        visitor = self.visitors.get(conversation.visitor_id)
        return visitor.last_operator if visitor is not None else None
