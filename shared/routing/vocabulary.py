"""The closed sets of words that stand in commands, events and answers."""

from typing import Literal

ActorKind = Literal["operator", "visitor", "admin", "service"]
FeedKind = Literal["operator", "visitor", "team", "entry"]

ChosenStatus = Literal["online", "busy", "invisible", "offline"]
EffectiveStatus = Literal["online", "busy", "invisible", "offline"]
StatusCause = Literal[
    "never_logged_in", "logout", "disconnected", "shift_end", "idle", "unresponsive", "chosen"
]
"""Why an effective status is what it is: the first in this order that holds."""

Absence = Literal["gone", "idle"]
"""How an owner is away from what is his: by himself or by his connection, or merely inactive."""

OperatorKind = Literal["human", "bot"]

Access = Literal["off", "read", "write"]

Delivery = Literal["auto", "offer", "broadcast", "manual"]
AssignTo = Literal["online", "any"]
Affinity = Literal["off", "prefer", "wait"]
QueueOrder = Literal["aged", "strict"]
ForwardMode = Literal["direct", "offer"]
OnOwnerOffline = Literal["reassign_on_next_message", "keep", "reassign", "reassign_after"]
OnVisitorLeft = Literal["park", "keep", "close"]
MissedDelivery = Literal["offer", "manual", "auto"]
RuleMode = Literal["first_match", "all_matches"]
SlowAction = Literal["notify", "escalate_invisible", "reassign", "message_visitor"]
Hold = Literal[
    "auto",
    "offer",
    "broadcast",
    "manual",
    "affinity_wait",
    "out_of_hours",
    "parked_missed",
    "visitor_away",
]
"""How a waiting conversation stands in the queue: whom it goes to next, or what holds it."""

Ranking = Literal[
    "most_free_slots", "highest_free_ratio", "fewest_open", "round_robin", "longest_idle"
]
TieBreak = Literal["sole", "key", "least_recently_assigned", "operator_id"]
"""What told the chosen operator from the next best: nobody else, the ranking, or a tie-break."""

ConversationState = Literal["waiting", "offered", "assigned", "closed"]
EntryMode = Literal["live", "messenger", "hidden"]
OfflineDisplay = Literal["messenger", "hidden"]
CloseReason = Literal["solved", "spam", "abandoned", "other"]
Channel = Literal["chat", "email"]

AssignmentReason = Literal["routed", "affinity", "first_responder", "directed", "handed_over"]
"""By ranking, by acquaintance, as the bot that answers first, by name, or as the longest there."""

OfferEnd = Literal["accepted", "declined", "expired", "rescinded"]
RescindReason = Literal["closed", "forwarded", "claimed", "unavailable", "recalled"]
DeclineReason = Literal["busy", "wrong_skill", "break", "other"]
ReturnReason = Literal["declined", "expired", "nobody_reachable", "recalled"]
"""Why a forward on offer came back to its sender."""

ReassignReason = Literal["owner_offline", "slow"]

OwnerCheck = Literal["offline", "message", "timer"]
"""What made it matter whether an owner is still there."""

RedirectReason = Literal[
    "group_disabled",
    "group_deleted",
    "entry_point_removed",
    "operator_gone",
    "max_waiting",
    "out_of_hours",
    "nobody_online",
]

WaitingReason = Literal[
    "nobody_online",
    "all_full",
    "skill_missing",
    "group_empty",
    "group_disabled",
    "out_of_hours",
    "manual",
    "broadcast",
    "back_off",
    "all_declined",
    "affinity_wait",
    "held",
    "parked_missed",
    "visitor_away",
]
"""Why a conversation waits. Where several hold, the first in this order is told."""

Exclusion = Literal[
    "not_member",
    "group_disabled",
    "no_permission",
    "busy",
    "invisible",
    "offline",
    "disconnected",
    "off_shift",
    "idle",
    "unresponsive",
    "at_capacity",
    "skill_missing",
    "declined",
    "already_involved",
    "removed",
]

AheadSource = Literal["person", "visitor", "rule"]
"""Who assigned a visitor ahead; the first in this order wins."""

NotFired = Literal[
    "unknown_rule",
    "other_version",
    "disabled",
    "fired_before",
    "not_live",
    "in_conversation",
    "so_already",
]
"""Why a rule that was reported does nothing: it is no more, changed since or switched off; it may
not again; nobody would answer an invitation, or somebody does already; or all is so already."""

ScopeSource = Literal["person", "visitor", "rule", "entry_point", "target_unavailable"]
"""Where an opened conversation's scope came from."""
