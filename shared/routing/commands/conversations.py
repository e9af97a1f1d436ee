"""Commands on conversations and visitors."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from shared.routing.commands.command import Command
from shared.routing.commands.fields import (
    AContact,
    AConversation,
    AGroup,
    AnEntryPoint,
    AnOperator,
    Attributes,
    AVisitor,
    OfferNumber,
    Priority,
    Tags,
    Text,
)
from shared.routing.scope import Scope
from shared.routing.vocabulary import Channel, CloseReason, DeclineReason, ForwardMode


class ConversationCommand(Command, frozen=True):
    """A command about one conversation, named by ``conversation_id``."""

    conversation_id: AConversation


class Claim(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Join(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Leave(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Release(ConversationCommand, frozen=True):
    allowed = ("operator",)


class AcceptOffer(ConversationCommand, frozen=True):
    allowed = ("operator",)
    offer: OfferNumber


class DeclineOffer(ConversationCommand, frozen=True):
    allowed = ("operator",)
    personal = ("text",)
    offer: OfferNumber
    reason: DeclineReason = "other"
    text: Text | None = None


class RecallOffer(ConversationCommand, frozen=True):
    allowed = ("operator",)


class Reply(ConversationCommand, frozen=True):
    allowed = ("operator",)
    channel: Channel = "chat"


class AddParticipant(ConversationCommand, frozen=True):
    allowed = ("operator",)
    operator_id: AnOperator


class RemoveParticipant(ConversationCommand, frozen=True):
    allowed = ("operator",)
    operator_id: AnOperator


class Forward(ConversationCommand, frozen=True):
    allowed = ("operator", "admin")
    personal = ("note",)
    to: Scope
    mode: ForwardMode | None = None
    note: Text | None = None


class SetConversation(ConversationCommand, frozen=True):
    allowed = ("operator", "admin")
    priority: Priority | UnsetType = UNSET
    skills: Tags | UnsetType = UNSET
    optional_skills: Tags | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class Reopen(ConversationCommand, frozen=True):
    allowed = ("operator", "admin")


class Close(ConversationCommand, frozen=True):
    allowed = ("operator", "admin", "visitor")
    personal = ("text",)
    reason: CloseReason = "other"
    text: Text | None = None


class Open(ConversationCommand, frozen=True):
    allowed = ("visitor",)
    personal = ("attributes",)
    entry_point_id: AnEntryPoint
    group_id: AGroup | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    contact_id: AContact | None = None
    attributes: Attributes | None = None
    priority: Priority | UnsetType = UNSET
    skills: Tags | UnsetType = UNSET
    optional_skills: Tags | UnsetType = UNSET


class Write(ConversationCommand, frozen=True):
    allowed = ("visitor",)


class LeavePage(Command, frozen=True):
    allowed = ("visitor",)


class ComeBack(Command, frozen=True):
    allowed = ("visitor",)


class Identify(Command, frozen=True):
    allowed = ("visitor",)
    contact_id: AContact


class AssignVisitor(Command, frozen=True):
    allowed = ("operator", "admin", "visitor")
    visitor_id: AVisitor
    to: Scope


class UnassignVisitor(Command, frozen=True):
    allowed = ("operator", "admin", "visitor")
    visitor_id: AVisitor
