"""What happens in a conversation, from opening to closing."""

from shared.routing.events.kinds import Fact
from shared.routing.ids import (
    ContactId,
    ConversationId,
    EntryPointId,
    OperatorId,
    Ref,
    UnixMs,
    VisitorId,
)
from shared.routing.scope import Scope
from shared.routing.vocabulary import AheadSource, Channel, CloseReason, EntryMode, ScopeSource


class VisitorIdentified(Fact, frozen=True, tag="visitor_identified.v1"):
    visitor_id: VisitorId
    contact_id: ContactId


class VisitorAssigned(Fact, frozen=True, tag="visitor_assigned.v1"):
    visitor_id: VisitorId
    to: Scope
    source: AheadSource


class VisitorUnassigned(Fact, frozen=True, tag="visitor_unassigned.v1"):
    visitor_id: VisitorId
    source: AheadSource


class ConversationOpened(Fact, frozen=True, tag="conversation_opened.v1"):
    conversation_id: ConversationId
    visitor_id: VisitorId
    contact_id: ContactId | None
    entry_point_id: EntryPointId
    entry_mode: EntryMode
    scope: Scope
    scope_source: ScopeSource
    priority: int
    skills: tuple[str, ...]
    optional_skills: tuple[str, ...]
    weight: int
    language: str | None
    attributes: Ref | None


class VisitorWrote(Fact, frozen=True, tag="visitor_wrote.v1"):
    conversation_id: ConversationId


class SlotFreed(Fact, frozen=True, tag="slot_freed.v1"):
    """The visitor has been silent for so long that the owner may be given something else."""

    conversation_id: ConversationId
    operator_id: OperatorId
    due: UnixMs


class SlotRetaken(Fact, frozen=True, tag="slot_retaken.v1"):
    """The visitor wrote again. ``excess`` marks an owner whose load exceeds his capacity by it."""

    conversation_id: ConversationId
    operator_id: OperatorId
    excess: bool


class VisitorLeft(Fact, frozen=True, tag="visitor_left.v1"):
    """``due`` where no sign of the visitor was what told it."""

    visitor_id: VisitorId
    due: UnixMs | None


class VisitorBack(Fact, frozen=True, tag="visitor_back.v1"):
    visitor_id: VisitorId


class ConversationChanged(Fact, frozen=True, tag="conversation_changed.v1"):
    conversation_id: ConversationId
    priority: int
    skills: tuple[str, ...]
    optional_skills: tuple[str, ...]
    tags: tuple[str, ...]


class ConversationClaimed(Fact, frozen=True, tag="conversation_claimed.v1"):
    """``previous_owner``, if there is one, becomes a participant: it had been escalated."""

    conversation_id: ConversationId
    operator_id: OperatorId
    previous_owner: OperatorId | None


class OperatorReplied(Fact, frozen=True, tag="operator_replied.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId
    channel: Channel


class ParticipantJoined(Fact, frozen=True, tag="participant_joined.v1"):
    """``added_by`` is the operator who brought the participant in, null if he came himself."""

    conversation_id: ConversationId
    operator_id: OperatorId
    added_by: OperatorId | None
    uses_slot: bool


class ParticipantLeft(Fact, frozen=True, tag="participant_left.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId


class OwnerLeft(Fact, frozen=True, tag="owner_left.v1"):
    """The owner is out; the longest participant comes first, else the home scope."""

    conversation_id: ConversationId
    operator_id: OperatorId


class ConversationReleased(Fact, frozen=True, tag="conversation_released.v1"):
    """The owner put it back into the home scope; participants stay participants."""

    conversation_id: ConversationId
    operator_id: OperatorId


class ConversationForwarded(Fact, frozen=True, tag="conversation_forwarded.v1"):
    """``previous_owner`` is out, ``to`` is the scope; both at this position."""

    conversation_id: ConversationId
    to: Scope
    previous_owner: OperatorId | None
    note: Ref | None


class ConversationClosed(Fact, frozen=True, tag="conversation_closed.v1"):
    conversation_id: ConversationId
    owner: OperatorId | None
    reason: CloseReason
    text: Ref | None


class ConversationReopened(Fact, frozen=True, tag="conversation_reopened.v1"):
    """``owner`` has it back at once; without one it waits in ``scope``."""

    conversation_id: ConversationId
    scope: Scope
    owner: OperatorId | None


class ConversationUnused(Fact, frozen=True, tag="conversation_unused.v1"):
    """Nobody has written for so long that it is closed."""

    conversation_id: ConversationId
    due: UnixMs


class ConversationMissed(Fact, frozen=True, tag="conversation_missed.v1"):
    """Nobody answered until ``due``, or before the visitor closed it: it waits behind all."""

    conversation_id: ConversationId
    owner: OperatorId | None
    due: UnixMs | None


class WrapUpEnded(Fact, frozen=True, tag="wrap_up_ended.v1"):
    conversation_id: ConversationId
    operator_id: OperatorId
    due: UnixMs
