"""What becomes of a conversation that waits: placed, widened, escalated, taken back."""

from shared.routing.events.kinds import Decision, Fact
from shared.routing.ids import ConversationId, GroupId, OperatorId, Position, UnixMs
from shared.routing.scope import Scope
from shared.routing.vocabulary import (
    AssignmentReason,
    Hold,
    Ranking,
    ReassignReason,
    RedirectReason,
    SlowAction,
    TieBreak,
    WaitingReason,
)


class RoutingCut(Fact, frozen=True, tag="routing_cut.v1"):
    """So much followed from one command or timer that the rest is left to a timer, due at once."""

    due: UnixMs


class RoutingContinues(Fact, frozen=True, tag="routing_continues.v1"):
    """What was left when routing was cut follows from here on."""

    due: UnixMs


class ConversationSlow(Fact, frozen=True, tag="conversation_slow.v1"):
    """A visitor's message has gone unanswered long enough for step ``step`` of ``on_slow``."""

    conversation_id: ConversationId
    step: int
    action: SlowAction
    due: UnixMs


class OwnerAwayTooLong(Fact, frozen=True, tag="owner_away_too_long.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId
    due: UnixMs


class WideningDue(Fact, frozen=True, tag="widening_due.v1"):
    conversation_id: ConversationId
    step: int
    due: UnixMs


class AffinityWaitEnded(Fact, frozen=True, tag="affinity_wait_ended.v1"):
    conversation_id: ConversationId
    due: UnixMs


class ConversationWidened(Decision, frozen=True, tag="conversation_widened.v1"):
    """Who else is asked from here on; ``skills_dropped`` and ``priority`` are as they now are."""

    conversation_id: ConversationId
    step: int
    groups: tuple[GroupId, ...]
    everyone: bool
    skills_dropped: tuple[str, ...]
    priority: int
    alert_invisible: bool
    policy_version: Position


class ConversationEscalated(Decision, frozen=True, tag="conversation_escalated.v1"):
    """Invisible operators who agreed to it are alerted; none of them may mean nobody did."""

    conversation_id: ConversationId
    operator_ids: tuple[OperatorId, ...]


class ConversationReassigned(Decision, frozen=True, tag="conversation_reassigned.v1"):
    """Taken from ``operator_id``; the longest participant comes first, else it is routed."""

    conversation_id: ConversationId
    operator_id: OperatorId
    reason: ReassignReason


class NobodyElse(Decision, frozen=True, tag="nobody_else.v1"):
    """It should be reassigned, but nobody else is eligible now: the owner keeps it."""

    conversation_id: ConversationId
    operator_id: OperatorId


class ConversationAssigned(Decision, frozen=True, tag="conversation_assigned.v1"):
    """Who owns it now and why it was he.

    ``ranking``, ``key`` and ``tie_break`` are null or empty where nobody was ranked. ``excess``
    marks an owner whose load exceeds his capacity by this assignment. ``presence_stale``: who was
    there is what was known last, as nothing was heard of the presence service.
    """

    conversation_id: ConversationId
    operator_id: OperatorId
    reason: AssignmentReason
    decided_at: Position
    policy_version: Position
    pool_size: int
    ranking: Ranking | None
    key: tuple[int, ...]
    tie_break: TieBreak | None
    excess: bool
    presence_stale: bool


class ConversationQueued(Decision, frozen=True, tag="conversation_queued.v1"):
    """It waits: to be delivered as ``hold`` says, or held for that reason."""

    conversation_id: ConversationId
    hold: Hold
    reason: WaitingReason
    decided_at: Position
    policy_version: Position
    pool_size: int
    ranking: Ranking


class ConversationBroadcast(Decision, frozen=True, tag="conversation_broadcast.v1"):
    """These operators are told that it waits; each is told once."""

    conversation_id: ConversationId
    operator_ids: tuple[OperatorId, ...]


class ConversationRedirected(Decision, frozen=True, tag="conversation_redirected.v1"):
    """Its scope cannot serve it (``reason``); ``to`` is the next in line."""

    conversation_id: ConversationId
    to: Scope
    reason: RedirectReason
