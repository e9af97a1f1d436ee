"""The fields that commands are made of, each with its limits."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.routing.ids import (
    ID_PATTERN,
    ContactId,
    ConversationId,
    EntryPointId,
    GroupId,
    OperatorId,
    RoleId,
    RuleId,
    SessionId,
    VisitorId,
    WebhookId,
)

ID = Meta(pattern=ID_PATTERN)
LIST = Meta(max_length=1_000)

AnOperator = Annotated[OperatorId, ID]
AVisitor = Annotated[VisitorId, ID]
AContact = Annotated[ContactId, ID]
AConversation = Annotated[ConversationId, ID]
AGroup = Annotated[GroupId, ID]
AnEntryPoint = Annotated[EntryPointId, ID]
ARole = Annotated[RoleId, ID]
ASession = Annotated[SessionId, ID]
ARule = Annotated[RuleId, ID]
AWebhook = Annotated[WebhookId, ID]

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=4_000)]
Tag = Annotated[str, Meta(min_length=1, max_length=200)]
Tags = Annotated[tuple[Tag, ...], LIST]
Names = Annotated[dict[Name, Name], LIST]
"""A name by language, for example ``{"de": "Verkauf"}``."""

BoundGroups = Annotated[tuple[AGroup, ...], Meta(min_length=1, max_length=1_000)]

Priority = Annotated[int, Meta(ge=0, le=9)]
Capacity = Annotated[int, Meta(ge=0, le=10_000)]
Weight = Annotated[int, Meta(ge=1, le=100)]
OfferNumber = Annotated[int, Meta(ge=1, le=2**53)]
PauseSeconds = Annotated[int, Meta(ge=1, le=31_536_000)]
VisitorField = Literal["priority", "skills", "optional_skills"]
_Number = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Attributes = Annotated[dict[Name, Text | _Number | float | bool | None], LIST]
