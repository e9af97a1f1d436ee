"""Offers: made, ended in one of four ways, and forwards that wait for one."""

from shared.routing.events.kinds import Decision, Fact
from shared.routing.ids import ConversationId, OperatorId, Position, Ref, UnixMs
from shared.routing.scope import Scope
from shared.routing.vocabulary import (
    AssignmentReason,
    DeclineReason,
    Ranking,
    RescindReason,
    ReturnReason,
    TieBreak,
)


class BackOffEnded(Fact, frozen=True, tag="back_off_ended.v1"):
    """Whoever declined or let the offer expire is asked again."""

    conversation_id: ConversationId
    due: UnixMs


class OfferAccepted(Fact, frozen=True, tag="offer_accepted.v1"):
    """``operator_id`` owns it; on a forward, ``previous_owner`` is out."""

    conversation_id: ConversationId
    operator_id: OperatorId
    offer: int
    previous_owner: OperatorId | None


class OfferDeclined(Fact, frozen=True, tag="offer_declined.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId
    offer: int
    reason: DeclineReason
    text: Ref | None


class OfferExpired(Fact, frozen=True, tag="offer_expired.v1"):
    """``counted`` towards being unresponsive: not while disconnected, not a bot."""

    conversation_id: ConversationId
    operator_id: OperatorId
    offer: int
    counted: bool
    due: UnixMs


class ForwardOffered(Fact, frozen=True, tag="forward_offered.v1"):
    """``sender`` stays owner until somebody of ``to`` accepts, or until ``deadline``."""

    conversation_id: ConversationId
    to: Scope
    sender: OperatorId
    deadline: UnixMs
    note: Ref | None


class ForwardRecalled(Fact, frozen=True, tag="forward_recalled.v1"):
    conversation_id: ConversationId
    sender: OperatorId


class ForwardExpired(Fact, frozen=True, tag="forward_expired.v1"):
    conversation_id: ConversationId
    due: UnixMs


class ForwardReturned(Decision, frozen=True, tag="forward_returned.v1"):
    """``kept``: the sender still has it; else he was gone and it waits in its home scope."""

    conversation_id: ConversationId
    sender: OperatorId
    reason: ReturnReason
    kept: bool


class ConversationOffered(Decision, frozen=True, tag="conversation_offered.v1"):
    """One live offer, ending as accepted, declined, expired or rescinded. See also the fields of
    ``conversation_assigned``; ``ranking`` is null where a person named the operator."""

    conversation_id: ConversationId
    operator_id: OperatorId
    offer: int
    expires_at: UnixMs
    reason: AssignmentReason
    decided_at: Position
    policy_version: Position
    pool_size: int
    ranking: Ranking | None
    key: tuple[int, ...]
    tie_break: TieBreak | None
    presence_stale: bool


class OfferRescinded(Decision, frozen=True, tag="offer_rescinded.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId
    offer: int
    reason: RescindReason


class RoundEnded(Decision, frozen=True, tag="round_ended.v1"):
    """Everybody was asked. A new round begins ``until``; null: this was the last."""

    conversation_id: ConversationId
    round: int
    until: UnixMs | None


class OperatorUnresponsive(Decision, frozen=True, tag="operator_unresponsive.v1"):
    """``missed`` offers in a row expired."""

    operator_id: OperatorId
    missed: int
