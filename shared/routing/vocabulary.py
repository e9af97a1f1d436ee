"""The closed sets of words that stand in commands, events and answers."""

from typing import Literal

ActorKind = Literal["operator", "visitor", "admin", "service"]

ChosenStatus = Literal["online", "busy", "invisible", "offline"]
EffectiveStatus = Literal["online", "busy", "invisible", "offline"]
StatusCause = Literal["never_logged_in", "logout", "chosen"]

Access = Literal["off", "read", "write"]

Delivery = Literal["auto", "broadcast", "manual"]
Ranking = Literal[
    "most_free_slots", "highest_free_ratio", "fewest_open", "round_robin", "longest_idle"
]
TieBreak = Literal["sole", "key", "least_recently_assigned", "operator_id"]
"""What told the chosen operator from the next best: nobody else, the ranking, or a tie-break."""

ManualOffline = Literal["allow", "deny"]

ConversationState = Literal["waiting", "assigned", "closed"]
EntryMode = Literal["live", "messenger", "hidden"]
OfflineDisplay = Literal["messenger", "hidden"]
CloseReason = Literal["solved", "spam", "abandoned", "other"]
Channel = Literal["chat", "email"]

AssignmentReason = Literal["routed", "directed", "handed_over"]
"""Chosen by ranking, named by a person or a rule, or passed on to a participant."""

RedirectReason = Literal[
    "group_disabled",
    "group_deleted",
    "entry_point_removed",
    "operator_gone",
]

WaitingReason = Literal[
    "nobody_online",
    "all_full",
    "skill_missing",
    "group_empty",
    "group_disabled",
    "manual",
    "broadcast",
    "all_declined",
    "held",
]
"""Why a conversation waits. Where several hold, the first in this order is told."""

Exclusion = Literal[
    "not_member",
    "group_disabled",
    "no_permission",
    "busy",
    "invisible",
    "offline",
    "at_capacity",
    "skill_missing",
    "declined",
    "already_involved",
    "removed",
]

AheadSource = Literal["person", "visitor", "rule"]
"""Who assigned a visitor ahead; the first in this order wins."""

ScopeSource = Literal["person", "visitor", "rule", "entry_point", "target_unavailable"]
"""Where an opened conversation's scope came from."""
