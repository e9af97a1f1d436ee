"""The codes of answers in plain English, each so that a line can be made of it.

A code stands beside its words where it helps to search for it: ``is at capacity (at_capacity)``.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from shared.routing.events import Actor
from shared.routing.explain import Verdict
from shared.routing.relief import Change, Relief
from shared.routing.scope import Scope
from shared.routing.vocabulary import (
    AheadSource,
    AssignmentReason,
    CloseReason,
    ConversationState,
    DeclineReason,
    EffectiveStatus,
    EntryMode,
    Exclusion,
    Hold,
    Ranking,
    ReassignReason,
    RedirectReason,
    RescindReason,
    ReturnReason,
    ScopeSource,
    SlowAction,
    StatusCause,
    TieBreak,
    WaitingReason,
)
from shared.wire.audit import Pattern

Code = TypeVar("Code", bound=str)

# --- operators ------------------------------------------------------------------------------

EXCLUSIONS: Mapping[Exclusion, str] = {
    "not_member": "is none of those whom it is for",
    "group_disabled": "the group is disabled",
    "no_permission": "the role may not take conversations",
    "busy": "is busy",
    "invisible": "is invisible",
    "offline": "is offline",
    "disconnected": "is not connected",
    "off_shift": "is off shift",
    "idle": "is idle: nothing was done at the desk",
    "unresponsive": "let too many offers expire",
    "at_capacity": "has no free slot",
    "skill_missing": "lacks a skill that is asked for",
    "declined": "declined it, or let its offer expire",
    "already_involved": "has part in it already",
    "removed": "was removed",
}
"""What keeps an operator from a conversation: said of him."""

STATUSES: Mapping[EffectiveStatus, str] = {
    "online": "online",
    "busy": "busy",
    "invisible": "invisible",
    "offline": "offline",
}

CAUSES: Mapping[StatusCause, str] = {
    "never_logged_in": "never logged in",
    "logout": "logged out",
    "disconnected": "connection lost",
    "shift_end": "shift ended",
    "idle": "idle",
    "unresponsive": "did not answer offers",
    "chosen": "by choice",
}
"""Why a status is what it is."""

VERDICTS: Mapping[Verdict, str] = {
    "first": "first",
    "eligible": "eligible",
    "excluded": "excluded",
}

# --- decisions ------------------------------------------------------------------------------

ASSIGNED: Mapping[AssignmentReason, str] = {
    "routed": "came first among those who could have it",
    "affinity": "the visitor knows this operator",
    "first_responder": "answers first at this entry point",
    "directed": "was asked for by name",
    "handed_over": "had part in it for the longest time",
}
"""Why it went to somebody: said of him."""

RANKINGS: Mapping[Ranking, str] = {
    "most_free_slots": "most free slots",
    "highest_free_ratio": "largest free part of the capacity",
    "fewest_open": "fewest open conversations",
    "round_robin": "in turn",
    "longest_idle": "longest without a conversation",
}

TIE_BREAKS: Mapping[TieBreak, str] = {
    "sole": "none needed, nobody else could have it",
    "key": "none needed, the ranking told",
    "least_recently_assigned": "the one whose last assignment is longest ago",
    "operator_id": "the first by id",
}

WAITING: Mapping[WaitingReason, str] = {
    "nobody_online": "nobody whom it is for is online",
    "all_full": "everybody who could have it is full",
    "skill_missing": "nobody with a free slot has the skills it asks for",
    "group_empty": "nobody is in the group that it is for",
    "group_disabled": "the group that it is for is disabled",
    "out_of_hours": "the entry point is out of its hours",
    "manual": "it is to be taken by hand",
    "broadcast": "everybody was told, nobody has taken it",
    "back_off": "everybody was asked, a pause goes by",
    "all_declined": "everybody was asked, and nobody is asked again",
    "affinity_wait": "it waits for the operator whom the visitor knows",
    "held": "whom it is for cannot take it, nor can any fallback",
    "parked_missed": "it was missed, and waits to be taken by hand",
    "visitor_away": "the visitor has left",
}

HOLDS: Mapping[Hold, str] = {
    "auto": "goes to the first who can have it",
    "offer": "is offered to one after the other",
    "broadcast": "is told to everybody, who comes first has it",
    "manual": "is taken by hand",
    "affinity_wait": "is kept for whom the visitor knows",
    "out_of_hours": "is kept until the hours begin",
    "parked_missed": "is kept as missed",
    "visitor_away": "is kept until the visitor is back",
}
"""How it stands in the queue."""

REDIRECTED: Mapping[RedirectReason, str] = {
    "group_disabled": "the group was disabled",
    "group_deleted": "the group was deleted",
    "entry_point_removed": "the entry point was removed",
    "operator_gone": "the operator is gone",
    "max_waiting": "too many wait there",
    "out_of_hours": "out of hours",
    "nobody_online": "nobody is online there",
}

REASSIGNED: Mapping[ReassignReason, str] = {
    "owner_offline": "its owner is gone",
    "slow": "it went unanswered for too long",
}

RESCINDED: Mapping[RescindReason, str] = {
    "closed": "it was closed",
    "forwarded": "it was forwarded",
    "claimed": "somebody claimed it",
    "unavailable": "the operator became unavailable",
    "recalled": "the forward was taken back",
}

RETURNED: Mapping[ReturnReason, str] = {
    "declined": "it was declined",
    "expired": "nobody accepted in time",
    "nobody_reachable": "nobody could be asked",
    "recalled": "it was taken back",
}

SLOW_ACTIONS: Mapping[SlowAction, str] = {
    "notify": "its owner is told",
    "escalate_invisible": "invisible operators are alerted",
    "reassign": "it is to go to somebody else",
    "message_visitor": "the visitor is told",
}

# --- conversations and the rest -------------------------------------------------------------

STATES: Mapping[ConversationState, str] = {
    "waiting": "waits",
    "offered": "is on offer",
    "assigned": "is somebody's",
    "closed": "is closed",
}

CLOSED: Mapping[CloseReason, str] = {
    "solved": "solved",
    "spam": "spam",
    "abandoned": "the visitor gave up",
    "other": "for another reason",
}

DECLINED: Mapping[DeclineReason, str] = {
    "busy": "has no time",
    "wrong_skill": "is the wrong one for it",
    "break": "has a break",
    "other": "for another reason",
}

MODES: Mapping[EntryMode, str] = {
    "live": "live",
    "messenger": "a messenger, nobody is there",
    "hidden": "hidden",
}

AHEAD: Mapping[AheadSource, str] = {
    "person": "by a person",
    "visitor": "by the visitor's choice",
    "rule": "by a rule",
}

SCOPE_SOURCES: Mapping[ScopeSource, str] = {
    "person": "a person arranged that",
    "visitor": "the visitor chose that",
    "rule": "a rule arranged that",
    "entry_point": "as the entry point is set up",
    "target_unavailable": "whom it was arranged for is not there",
}

PATTERNS: Mapping[Pattern, str] = {
    "any": "anything happened to it",
    "waited": "waited longer than --over",
    "waited_while_free": "did so while somebody whom it was for had a free slot",
    "reassigned": "was taken from its owner more than --more-than times",
    "forwarded": "was forwarded more than --more-than times",
    "owner_left": "its owner was gone within --within of the assignment",
    "refused": "was declined, or its offers expired, more than --more-than times",
    "missed": "was missed",
}

RELIEF: Mapping[Relief, str] = {
    "slot": "one slot more for {operator_id}",
    "online": "{operator_id} coming online",
    "ask_again": "{operator_id} being asked again",
    "visitor_back": "the visitor coming back",
    "skill": "it not asking for the skill {skill}: {operator_id} could have it",
    "membership": "{operator_id} joining the group {group_id}",
    "permission": "{operator_id} with the role of the staff",
    "group_enabled": "the group {group_id} being enabled",
    "hours": "the hours of {entry_point_id} beginning",
    "policy": "the policy {field}: {value}",
}
"""What would have ended a wait."""

# --- putting together -----------------------------------------------------------------------


def coded(words: Mapping[Code, str], code: Code) -> str:
    """The words with the code behind them."""
    return f"{words[code]} ({code})"


def counted(number: int, what: str) -> str:
    """``1 operator``, ``2 operators``, ``no operators``."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def reasons(exclusions: Iterable[Exclusion], missing_skills: Iterable[str] = ()) -> str:
    """All reasons that keep it from somebody, with the skills that he lacks."""
    lacking = ", ".join(missing_skills)
    said = []
    for code in exclusions:
        words = EXCLUSIONS[code]
        if code == "skill_missing" and lacking:
            words = f"lacks {lacking}"
        said.append(f"{words} ({code})")
    return "; ".join(said)


def status(effective: EffectiveStatus, cause: StatusCause) -> str:
    """``online``, or ``offline: logged out``."""
    words = STATUSES[effective]
    return words if cause == "chosen" else f"{words}: {CAUSES[cause]}"


def change(what: Change) -> str:
    """A change that would have ended a wait, with its code."""
    words = RELIEF[what.what].format_map(
        {name: getattr(what, name) for name in what.__struct_fields__}
    )
    if what.what == "online" and what.status is not None:
        words += f", who {EXCLUSIONS[what.status]}"
    if what.what == "policy":
        where = what.group_id or what.entry_point_id
        words += f" for {where}" if where else " for the workspace"
    return f"{words} ({what.what})"


def scope(its: Scope | None) -> str:
    """Whom it is for."""
    if its is None:
        return "nobody in particular"
    named = {"group": its.group, "operator": its.operator, "entry_point": its.entry_point}
    where = named.get(its.kind)
    return "everyone" if where is None else f"{its.kind.replace('_', ' ')} {where}"


def who(by: Actor | None) -> str:
    """Who caused something; a timer where nobody did."""
    if by is None:
        return "a timer"
    through = f" through {by.service}" if by.service else ""
    return f"{by.kind} {by.id}{through}"


def ranked(ranking: Ranking, key: tuple[int, ...], capacity: int | None = None) -> str:
    """What the first number of a key says under a ranking."""
    away = key[0] >= _AWAY // 2
    words = _rank(ranking, key[0] - _AWAY if away else key[0], capacity)
    return f"{words}, away" if away else words


def _rank(ranking: Ranking, rank: int, capacity: int | None) -> str:
    match ranking:
        case "most_free_slots":
            return f"{-rank} free" if capacity is None else f"{-rank} free of {capacity}"
        case "highest_free_ratio":
            return f"{-rank * 100 // _PARTS} % free with it"
        case "fewest_open":
            return f"{rank} open"
        case "round_robin":
            return f"last turn at position {rank}" if rank else "had no turn yet"
        case "longest_idle":
            return f"since position {rank}" if rank else "since the beginning"


def numbers(key: tuple[int, ...]) -> str:
    """A key as it is compared."""
    return " ".join(map(str, key))


_AWAY = 2**52
_PARTS = 1_000_000_000
