"""Why somebody was chosen, why somebody was not, and what a conversation waits for.

The predicates are those of routing itself (``eligibility``, ``ranking``): an explanation cannot
differ from the decision. Unlike routing it looks at everybody, so its cost grows with the roster.
"""

from typing import Literal

import msgspec

from shared.routing.eligibility import excluded, is_member, unavailable, unfit
from shared.routing.ids import GroupId, OperatorId
from shared.routing.placing import hold_for
from shared.routing.ranking import Demand, Entry, entry_of
from shared.routing.scope import Scope
from shared.routing.state import Conversation, Operator
from shared.routing.vocabulary import Exclusion, Hold, Ranking, WaitingReason
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace

Verdict = Literal["first", "eligible", "excluded"]
Relief = Literal["slot", "online", "skill", "membership", "permission", "ask_again"]
"""What would release a waiting conversation: one slot more, somebody coming online, one skill
fewer, one membership more, one permission more, one exclusion fewer."""


class Candidate(msgspec.Struct, frozen=True):
    """One operator as routing sees him for one conversation. ``key`` is his place in the ranking,
    lower first; it is empty for those excluded."""

    operator_id: OperatorId
    verdict: Verdict
    exclusions: tuple[Exclusion, ...]
    key: tuple[int, ...]


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """A single change that would release the conversation."""

    what: Relief
    operator_id: OperatorId
    skill: str | None = None
    group_id: GroupId | None = None
    status: Exclusion | None = None


class WhyNot(msgspec.Struct, frozen=True):
    """Why one operator does not get one conversation.

    Without ``exclusions`` he is eligible; ``behind`` then names who comes before him, if anybody.
    """

    operator_id: OperatorId
    exclusions: tuple[Exclusion, ...]
    key: tuple[int, ...]
    behind: OperatorId | None
    behind_key: tuple[int, ...]


class WhyWaiting(msgspec.Struct, frozen=True):
    """Why a conversation waits. ``changes`` lists single changes that would end it, the least
    intrusive kind first; empty where no single change would."""

    reason: WaitingReason
    hold: Hold
    changes: tuple[Change, ...]


def exclusions(
    workspace: Workspace, conversation: Conversation, operator: Operator, demand: Demand
) -> tuple[Exclusion, ...]:
    """Every reason that keeps ``operator`` from getting it automatically, none if he could."""
    return (
        *_outside(workspace, conversation, operator, demand),
        *unavailable(workspace.roles, operator, demand.assign_to),
        *unfit(operator, demand),
        *excluded(conversation, operator),
    )


def _outside(
    workspace: Workspace, conversation: Conversation, operator: Operator, demand: Demand
) -> tuple[Exclusion, ...]:
    standing = workspace.standings.get(operator.operator_id)
    if standing is None or is_member(demand.audience, standing.atoms):
        return ()
    disabled = _disabled_groups(workspace, conversation.scope)
    if any(group_id in operator.groups for group_id in disabled):
        return ("group_disabled",)
    return ("not_member",)


def _disabled_groups(workspace: Workspace, scope: Scope) -> tuple[GroupId, ...]:
    named: tuple[GroupId, ...] = ()
    if scope.group is not None:
        named = (scope.group,)
    elif scope.entry_point is not None:
        entry_point = workspace.entry_points.get(scope.entry_point)
        named = entry_point.groups if entry_point is not None else ()
    return tuple(
        group_id
        for group_id in named
        if group_id in workspace.groups and not workspace.groups[group_id].enabled
    )


def candidates(workspace: Workspace, conversation: Conversation) -> tuple[Candidate, ...]:
    """Everybody who is ranked, the best first; then everybody who is excluded, by id."""
    demand = _demand(workspace, conversation)
    ranked: list[Entry] = []
    others: list[Candidate] = []
    for operator in workspace.operators.values():
        if operator.kind == "bot":
            continue
        reasons = exclusions(workspace, conversation, operator, demand)
        if reasons:
            others.append(Candidate(operator.operator_id, "excluded", reasons, ()))
        else:
            ranked.append(entry_of(operator, demand))
    ranked.sort()
    others.sort(key=lambda candidate: candidate.operator_id)
    first = [_ranked(entry, "first") for entry in ranked[:1]]
    return (*first, *(_ranked(entry, "eligible") for entry in ranked[1:]), *others)


def _ranked(entry: Entry, verdict: Verdict) -> Candidate:
    return Candidate(entry[2], verdict, (), (entry[0], entry[1]))


def _demand(workspace: Workspace, conversation: Conversation) -> Demand:
    scope = conversation.scope
    if scope.operator is not None:
        scope = conversation.home_scope
    return workspace.demand_at(conversation, scope)


def why_not(workspace: Workspace, conversation: Conversation, operator_id: OperatorId) -> WhyNot:
    """Why this operator does not get it: what excludes him, or who comes before him."""
    demand = _demand(workspace, conversation)
    operator = workspace.operators[operator_id]
    reasons = exclusions(workspace, conversation, operator, demand)
    if reasons:
        return WhyNot(operator_id, reasons, (), None, ())
    mine = entry_of(operator, demand)
    best = candidates(workspace, conversation)[0]
    if best.operator_id == operator_id:
        return WhyNot(operator_id, (), mine[:2], None, ())
    return WhyNot(operator_id, (), mine[:2], best.operator_id, best.key)


# --- waiting --------------------------------------------------------------------------------


def why_waiting(workspace: Workspace, conversation: Conversation) -> WhyWaiting:
    """The reason, and the single changes that would release it."""
    hold = conversation.hold or hold_for(workspace, conversation)
    reason = waiting_reason(workspace, conversation)
    if hold not in ("auto", "offer"):
        return WhyWaiting(reason, hold, ())
    demand = _demand(workspace, conversation)
    changes = []
    for operator_id in sorted(workspace.standings):
        change = _one_change(workspace, conversation, workspace.operators[operator_id], demand)
        if change is not None:
            changes.append(change)
    changes.sort(key=lambda change: (_INTRUSION.index(change.what), change.operator_id))
    return WhyWaiting(reason, hold, tuple(changes))


_INTRUSION: tuple[Relief, ...] = (
    "slot",
    "online",
    "ask_again",
    "skill",
    "membership",
    "permission",
)


def _one_change(
    workspace: Workspace, conversation: Conversation, operator: Operator, demand: Demand
) -> Change | None:
    """What would have to change about this one operator alone, if one thing is enough."""
    if operator.kind == "bot":
        return None
    reasons = exclusions(workspace, conversation, operator, demand)
    if len(reasons) != 1:
        return None
    operator_id = operator.operator_id
    match reasons[0]:
        case "at_capacity":
            one_more = operator.free + 1 >= demand.weight
            return Change("slot", operator_id) if one_more else None
        case "skill_missing":
            missing = [skill for skill in demand.skills if skill not in operator.skills]
            only = missing[0] if len(missing) == 1 else None
            return Change("skill", operator_id, skill=only) if only is not None else None
        case "not_member":
            group_id = next((GroupId(atom) for atom in demand.audience if atom != "*"), None)
            return Change("membership", operator_id, group_id=group_id)
        case "no_permission":
            return Change("permission", operator_id)
        case "declined":
            return Change("ask_again", operator_id)
        case "already_involved" | "group_disabled" | "removed":
            return None
        case status:
            return Change("online", operator_id, status=status)


def ranking_of(workspace: Workspace, conversation: Conversation) -> Ranking:
    """The ranking under which candidates are ordered."""
    return _demand(workspace, conversation).ranking
