"""Why somebody was chosen, and why somebody was not.

The predicates are those of routing itself (``eligibility``, ``ranking``, ``placing``): an
explanation cannot differ from the decision. Unlike routing it looks at everybody, so its cost grows
with the roster. Why something waits is in ``relief``.
"""

from typing import Literal

import msgspec
from msgspec.structs import replace

from shared.routing.eligibility import excluded, is_member, unavailable, unfit
from shared.routing.ids import GroupId, OperatorId
from shared.routing.placing import is_served, preferred
from shared.routing.ranking import Demand, Entry, entry_of, tie_break
from shared.routing.scope import Scope
from shared.routing.state import Conversation, Operator
from shared.routing.vocabulary import AssignmentReason, Exclusion, Ranking, TieBreak
from shared.routing.workspace import Workspace

Verdict = Literal["first", "eligible", "excluded"]


class Candidate(msgspec.Struct, frozen=True):
    """One operator as routing sees him for one conversation. ``key`` is his place in the ranking,
    lower first; it is empty for those excluded."""

    operator_id: OperatorId
    verdict: Verdict
    exclusions: tuple[Exclusion, ...]
    key: tuple[int, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Whom a waiting conversation would go to, why, and everybody who was looked at.

    ``chosen`` is null where it waits, is held, or is not waiting at all. He need not be the first
    of the ranking: ``reason`` says what came before it. ``ranking`` and ``tie_break`` are null
    where nobody was ranked. ``presence_stale``: who is there is what was known last.
    """

    chosen: OperatorId | None
    reason: AssignmentReason | None
    ranking: Ranking | None
    tie_break: TieBreak | None
    candidates: tuple[Candidate, ...]
    presence_stale: bool


class WhyNot(msgspec.Struct, frozen=True):
    """Why one operator does not get one conversation.

    Without ``exclusions`` he is eligible; ``behind`` then names who comes before him, if anybody,
    and ``because`` what puts that one first.
    """

    operator_id: OperatorId
    exclusions: tuple[Exclusion, ...]
    key: tuple[int, ...]
    behind: OperatorId | None
    behind_key: tuple[int, ...]
    because: AssignmentReason | None


# --- exclusions -----------------------------------------------------------------------------


def exclusions(
    workspace: Workspace, conversation: Conversation, operator: Operator, demand: Demand
) -> tuple[Exclusion, ...]:
    """Every reason that keeps ``operator`` from getting it automatically, none if he could.

    The slot that this very conversation takes, offered or owned, does not count against him.
    """
    if demand.audience == ():
        named = conversation.forward.to if conversation.forward else conversation.scope
        if named.operator is not None:
            return _unassignable(workspace, named.operator, operator)
    operator = _without_own(conversation, operator)
    return (
        *_outside(workspace, conversation, operator, demand),
        *unavailable(workspace.roles, operator, demand.assign_to),
        *unfit(operator, demand),
        *_personal(conversation, operator),
    )


def _unassignable(
    workspace: Workspace, named: OperatorId, operator: Operator
) -> tuple[Exclusion, ...]:
    """What keeps it from him where it is for one operator: no status but being offline."""
    outside: tuple[Exclusion, ...] = () if operator.operator_id == named else ("not_member",)
    reasons = unavailable(workspace.roles, operator)
    if operator.effective != "offline":
        reasons = tuple(reason for reason in reasons if reason in ("removed", "no_permission"))
    return (*outside, *reasons)


def _without_own(conversation: Conversation, operator: Operator) -> Operator:
    offer = conversation.offer
    offered = offer is not None and offer.operator_id == operator.operator_id
    owned = conversation.owner == operator.operator_id and not conversation.slot_free
    if not offered and not owned:
        return operator
    return replace(operator, load=operator.load - conversation.weight)


def _outside(
    workspace: Workspace, conversation: Conversation, operator: Operator, demand: Demand
) -> tuple[Exclusion, ...]:
    standing = workspace.standings.get(operator.operator_id)
    if standing is None:
        return ()
    if operator.kind == "human" and is_member(demand.audience, standing.atoms):
        return ()
    disabled = disabled_groups(workspace, conversation.scope)
    if any(group_id in operator.groups for group_id in disabled):
        return ("group_disabled",)
    return ("not_member",)


def disabled_groups(workspace: Workspace, scope: Scope) -> tuple[GroupId, ...]:
    """Groups that the scope names and that are disabled."""
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


def _personal(conversation: Conversation, operator: Operator) -> tuple[Exclusion, ...]:
    forward = conversation.forward
    if operator.operator_id == conversation.owner:
        return ("already_involved",)
    if forward is not None and operator.operator_id in forward.asked:
        return ("declined",)
    return excluded(conversation, operator)


# --- candidates -----------------------------------------------------------------------------


def demand_of(workspace: Workspace, conversation: Conversation) -> Demand:
    """What is asked of an operator; of an audience of none where it is for one operator."""
    if conversation.forward is not None:
        return workspace.demand_at(conversation, conversation.forward.to)
    return workspace.demand_of(conversation)


def candidates(workspace: Workspace, conversation: Conversation) -> tuple[Candidate, ...]:
    """Everybody who is ranked, the best first; then everybody who is excluded, by id.

    Bots are ranked nowhere and left out, but for one whom the conversation is for.
    """
    demand = demand_of(workspace, conversation)
    ranked: list[Entry] = []
    others: list[Candidate] = []
    for operator in workspace.operators.values():
        reasons = exclusions(workspace, conversation, operator, demand)
        if not reasons:
            ranked.append(entry_of(_without_own(conversation, operator), demand))
        elif operator.kind == "human":
            others.append(Candidate(operator.operator_id, "excluded", reasons, ()))
    ranked.sort()
    others.sort(key=lambda candidate: candidate.operator_id)
    first = [_ranked(entry, "first") for entry in ranked[:1]]
    return (*first, *(_ranked(entry, "eligible") for entry in ranked[1:]), *others)


def _ranked(entry: Entry, verdict: Verdict) -> Candidate:
    return Candidate(entry[2], verdict, (), (entry[0], entry[1]))


def explain(workspace: Workspace, conversation: Conversation) -> Explanation:
    """Whom it goes to as things stand, and everybody who was looked at."""
    looked_at = candidates(workspace, conversation)
    stale = workspace.presence_stale
    if conversation.state != "waiting":
        return Explanation(None, None, None, None, looked_at, stale)
    decided = preferred(workspace, conversation)
    if decided is not None:
        return Explanation(
            decided.operator_id,
            decided.reason,
            decided.ranking,
            decided.tie_break,
            looked_at,
            stale,
        )
    ranked = [candidate for candidate in looked_at if not candidate.exclusions]
    ranking = ranking_of(workspace, conversation)
    if not ranked or not is_served(workspace, conversation):
        return Explanation(None, None, ranking, None, looked_at, stale)
    entries = [_entry(candidate) for candidate in ranked[:2]]
    how = tie_break(entries[0], entries[1] if len(entries) > 1 else None)
    return Explanation(ranked[0].operator_id, "routed", ranking, how, looked_at, stale)


def _entry(candidate: Candidate) -> Entry:
    rank, last_assigned = candidate.key
    return (rank, last_assigned, candidate.operator_id)


def why_not(workspace: Workspace, conversation: Conversation, operator_id: OperatorId) -> WhyNot:
    """Why this operator does not get it: what excludes him, or who comes before him."""
    operator = workspace.operators[operator_id]
    demand = demand_of(workspace, conversation)
    reasons = exclusions(workspace, conversation, operator, demand)
    said = explain(workspace, conversation)
    if said.chosen == operator_id:
        reasons = ()
    keys = {candidate.operator_id: candidate.key for candidate in said.candidates}
    first = said.chosen if said.chosen is not None else said.candidates[0].operator_id
    if reasons or first == operator_id:
        return WhyNot(operator_id, reasons, keys.get(operator_id, ()), None, (), None)
    return WhyNot(
        operator_id, (), keys[operator_id], first, keys.get(first, ()), said.reason or "routed"
    )


def ranking_of(workspace: Workspace, conversation: Conversation) -> Ranking:
    """The ranking under which candidates are ordered."""
    return demand_of(workspace, conversation).ranking
