"""Why a conversation waits, and the smallest single change that would end it.

What might help is guessed from the exclusions and then rehearsed: only what released the
conversation in the rehearsal is named, so that a suggestion is never wrong. As each rehearsal
copies the workspace, few of each kind are tried; something that would help may be missing.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from shared.routing import commands as c
from shared.routing.eligibility import ALONE
from shared.routing.events import Actor
from shared.routing.explain import demand_of, disabled_groups, exclusions
from shared.routing.ids import (
    ConversationId,
    EntryPointId,
    GroupId,
    OperatorId,
    RoleId,
    SessionId,
    UnixMs,
)
from shared.routing.placing import hold_for
from shared.routing.policy import PolicyPatch, PolicyScope
from shared.routing.ranking import Demand
from shared.routing.rehearsal import Line, rehearse
from shared.routing.state import EVERYBODY, Conversation, Operator
from shared.routing.timers import AFFINITY, BACK_OFF, WIDEN, name
from shared.routing.vocabulary import Exclusion, Hold, WaitingReason
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace

Relief = Literal[
    "slot",
    "online",
    "ask_again",
    "visitor_back",
    "skill",
    "membership",
    "permission",
    "group_enabled",
    "hours",
    "policy",
]
"""What would release a waiting conversation, the least intrusive first: one slot more, somebody
coming online, one exclusion fewer, the visitor's return, one skill fewer, one membership more, the
role of the staff, a group enabled, the hours begun, one field of a policy."""

TRIES_MAX = 4
"""Rehearsals for each kind of change."""

_ADMIN = Actor("admin", "rehearsal")
_PRESENCE = Actor("service", "presence")
_SESSION = SessionId("rehearsal")


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """A single change that would release the conversation, with what it concerns."""

    what: Relief
    operator_id: OperatorId | None = None
    status: Exclusion | None = None
    """What keeps the operator who is to come online."""
    skill: str | None = None
    group_id: GroupId | None = None
    entry_point_id: EntryPointId | None = None
    field: str | None = None
    value: str | None = None


class WhyWaiting(msgspec.Struct, frozen=True):
    """Why a conversation waits. ``changes`` lists single changes that would end it, the least
    intrusive kind first; ``until`` is when something falls due for it by itself."""

    reason: WaitingReason
    hold: Hold
    changes: tuple[Change, ...]
    until: UnixMs | None


def why_waiting(workspace: Workspace, conversation: Conversation) -> WhyWaiting:
    """The reason, and the single changes that would release it."""
    hold = conversation.hold or hold_for(workspace, conversation)
    tried: dict[Relief, int] = {}
    found: list[Change] = []
    if _releases(workspace, conversation, []):  # by what is overdue
        return WhyWaiting(waiting_reason(workspace, conversation), hold, (), workspace.at)
    for change, lines in _guesses(workspace, conversation, hold):
        tried[change.what] = tried.get(change.what, 0) + 1
        if tried[change.what] <= TRIES_MAX and _releases(workspace, conversation, lines):
            found.append(change)
    return WhyWaiting(
        waiting_reason(workspace, conversation),
        hold,
        tuple(found),
        _until(workspace, conversation.conversation_id),
    )


def _releases(workspace: Workspace, conversation: Conversation, lines: list[Line]) -> bool:
    after = rehearse(workspace, lines)
    if after is None:
        return False
    return after.conversations[conversation.conversation_id].state in ("assigned", "offered")


def _until(workspace: Workspace, conversation_id: ConversationId) -> UnixMs | None:
    names = [name(kind, conversation_id) for kind in (AFFINITY, BACK_OFF, WIDEN)]
    return min((workspace.timers[t].due for t in names if t in workspace.timers), default=None)


# --- guesses --------------------------------------------------------------------------------

Guess = tuple[Change, list[Line]]


def _guesses(workspace: Workspace, conversation: Conversation, hold: Hold) -> Iterator[Guess]:
    """What might help, the least intrusive kind first."""
    match hold:
        case "auto" | "offer" | "affinity_wait":
            yield from _of_people(workspace, conversation)
            yield from _of_groups(workspace, conversation)
            if hold == "affinity_wait":
                yield _of_policy(workspace, conversation, "affinity", "prefer")
        case "visitor_away":
            yield Change("visitor_back"), [_comes_back(conversation)]
        case "out_of_hours":
            entry_point_id = conversation.entry_point_id
            begins = c.StartShift(entry_point_id=entry_point_id)
            yield Change("hours", entry_point_id=entry_point_id), [(_PRESENCE, begins)]
        case "parked_missed":
            yield _of_policy(workspace, conversation, "missed_delivery", "auto")
        case _:
            yield _of_policy(workspace, conversation, "delivery", "auto")


def _comes_back(conversation: Conversation) -> Line:
    return Actor("visitor", conversation.visitor_id), c.ComeBack()


def _of_policy(workspace: Workspace, conversation: Conversation, field: str, value: str) -> Guess:
    """The field set where it is looked up first."""
    group_id, entry_point_id = workspace.policy_key(conversation)
    if group_id is not None:
        scope = PolicyScope(group=group_id)
    elif entry_point_id in workspace.entry_points:
        scope = PolicyScope(entry_point=entry_point_id)
    else:
        scope = PolicyScope(workspace=True)
    change = Change(
        "policy", group_id=scope.group, entry_point_id=scope.entry_point, field=field, value=value
    )
    patch = msgspec.convert({field: value}, PolicyPatch)
    return change, [(_ADMIN, c.SetPolicy(scope=scope, policy=patch))]


def _of_groups(workspace: Workspace, conversation: Conversation) -> Iterator[Guess]:
    for group_id in disabled_groups(workspace, conversation.scope):
        enabling = c.UpdateGroup(group_id=group_id, enabled=True)
        yield Change("group_enabled", group_id=group_id), [(_ADMIN, enabling)]


def _of_people(workspace: Workspace, conversation: Conversation) -> Iterator[Guess]:
    """One change each to those for whom one is enough, those with the most room first."""
    demand = demand_of(workspace, conversation)
    guesses = []
    for operator_id in sorted(workspace.standings):
        operator = workspace.operators[operator_id]
        if operator.kind == "human":
            reasons = exclusions(workspace, conversation, operator, demand)
            for change, lines in _for_one(workspace, conversation, operator, reasons, demand):
                guesses.append((change, lines, operator.free))
    guesses.sort(key=lambda guess: (_KINDS[guess[0].what], -guess[2]))
    yield from ((change, lines) for change, lines, _ in guesses)


_KINDS: dict[Relief, int] = {
    "slot": 0,
    "online": 1,
    "ask_again": 2,
    "skill": 3,
    "membership": 4,
    "permission": 5,
}


def _for_one(
    workspace: Workspace,
    conversation: Conversation,
    operator: Operator,
    reasons: tuple[Exclusion, ...],
    demand: Demand,
) -> Iterator[Guess]:
    operator_id = operator.operator_id
    personally = Actor("operator", operator_id)
    status = next((reason for reason in reasons if reason in _STATUSES), None)
    others = [reason for reason in reasons if reason not in (status, "declined")]
    if status is not None and not others:
        yield Change("online", operator_id, status=status), _coming_online(operator)
        return
    if len(reasons) != 1:
        return
    match reasons[0]:
        case "at_capacity":
            more = c.UpdateOperator(operator_id=operator_id, capacity=operator.capacity + 1)
            yield Change("slot", operator_id), [(_ADMIN, more)]
        case "declined":
            choices: list[Line] = [
                (personally, c.SetStatus(status="busy")),
                (personally, c.SetStatus(status="online")),
            ]
            yield Change("ask_again", operator_id), choices
        case "skill_missing":
            yield from _without_a_skill(conversation, operator, demand)
        case "not_member":
            for group_id in _groups_to_join(workspace, demand):
                joining = c.JoinGroup(operator_id=operator_id, group_id=group_id)
                yield Change("membership", operator_id, group_id=group_id), [(_ADMIN, joining)]
        case "no_permission":
            role = c.UpdateOperator(operator_id=operator_id, role_id=RoleId("staff"))
            yield Change("permission", operator_id), [(_ADMIN, role)]
        case _:
            return


_STATUSES: tuple[Exclusion, ...] = (
    "busy",
    "invisible",
    "offline",
    "disconnected",
    "off_shift",
    "idle",
    "unresponsive",
)


def _coming_online(operator: Operator) -> list[Line]:
    """Whatever of it he has to do: log in, be on shift, choose to be online."""
    operator_id = operator.operator_id
    personally = Actor("operator", operator_id)
    lines: list[Line] = []
    if operator.off_shift:
        lines.append((_PRESENCE, c.StartShift(operator_id=operator_id)))
    if not operator.connected or operator.idle or operator.grace_over:
        lines.append((personally, c.LogIn(session_id=_SESSION)))
    if operator.chosen != "online" or operator.unresponsive:
        lines.append((personally, c.SetStatus(status="online")))
    return lines


def _without_a_skill(
    conversation: Conversation, operator: Operator, demand: Demand
) -> Iterator[Guess]:
    missing = [skill for skill in demand.skills if skill not in operator.skills]
    if len(missing) == 1:
        skill = missing[0]
        fewer = c.SetConversation(
            conversation_id=conversation.conversation_id,
            skills=_but(conversation.skills, skill),
            optional_skills=_but(conversation.optional_skills, skill),
        )
        yield Change("skill", operator.operator_id, skill=skill), [(_ADMIN, fewer)]


def _but(skills: tuple[str, ...], skill: str) -> tuple[str, ...]:
    return tuple(one for one in skills if one != skill)


def _groups_to_join(workspace: Workspace, demand: Demand) -> list[GroupId]:
    """Groups by which somebody gets into the audience."""
    if EVERYBODY in demand.audience:
        return [GroupId(group_id) for group_id in sorted(workspace.bound_groups)[:1]]
    return [GroupId(atom) for atom in demand.audience if not atom.startswith(ALONE)]
