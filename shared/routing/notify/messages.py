"""Messages and their recipients, before they are numbered."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from shared.routing.ids import ConversationId, OperatorId, Ref
from shared.routing.state import Conversation
from shared.routing.status import not_routable
from shared.routing.vocabulary import FeedKind
from shared.routing.workspace import Workspace


class Recipient(NamedTuple):
    """A feed: of one operator, one visitor, one entry point, or of the whole team (``""``)."""

    kind: FeedKind
    id: str


class Notification(msgspec.Struct, frozen=True, gc=False):
    """One message to one feed. ``alert`` asks the front end to ring."""

    recipient: Recipient
    type: str
    alert: bool
    fields: dict[str, Any]
    wording: "Wording | None" = None
    """What its ``text`` is to say, where it has one."""


class Wording(msgspec.Struct, frozen=True, gc=False):
    """A text that is put in when the message is sent: one of ours, or one from the vault."""

    languages: tuple[str, ...]
    """Those of the reader, the best first."""
    code: str = ""
    """The message to be worded, in the best of these languages that there is."""
    ref: Ref | None = None
    """The text as somebody wrote it."""


T = TypeVar("T")

TEAM = Recipient("team", "")


def to_operator(
    workspace: Workspace,
    operator_id: OperatorId,
    message_type: str,
    conversation_id: ConversationId,
    **fields: object,
) -> Notification:
    """A message that rings if the operator is online and connected, and only then."""
    operator = workspace.operators[operator_id]
    alert = not_routable(operator) is None and operator.kind == "human"
    about = {"conversation_id": conversation_id, **fields}
    return Notification(Recipient("operator", operator_id), message_type, alert, about)


def silently(
    operator_id: OperatorId, message_type: str, conversation_id: ConversationId, **fields: object
) -> Notification:
    """A message that only keeps a screen up to date."""
    about = {"conversation_id": conversation_id, **fields}
    return Notification(Recipient("operator", operator_id), message_type, False, about)  # noqa: FBT003


def changed(conversation: Conversation, but: OperatorId | None = None) -> list[Notification]:
    """Everybody in the conversation sees that it changed, without a ring."""
    if conversation.owner == but and not conversation.participants:
        return []
    return seen_by(conversation, *(o for o in involved(conversation) if o != but))


def seen_by(conversation: Conversation, *operator_ids: OperatorId) -> list[Notification]:
    """These operators see how the conversation stands now."""
    return [
        silently(
            operator_id,
            "conversation_changed",
            conversation.conversation_id,
            state=conversation.state,
        )
        for operator_id in operator_ids
    ]


def involved(conversation: Conversation) -> list[OperatorId]:
    owner = [conversation.owner] if conversation.owner is not None else []
    return [*owner, *conversation.participants]


def in_language(texts: Mapping[str, T], languages: Sequence[str]) -> T | None:
    """The text in the first of these languages that there is: as named, else by its prefix.

    ``de-AT`` finds ``de-AT`` or else ``de``.
    """
    for language in languages:
        wanted = language.lower()
        for name in (wanted, wanted.partition("-")[0]):
            for known, text in texts.items():
                if known.lower() == name:
                    return text
    return None


def languages_of(workspace: Workspace, conversation: Conversation | None) -> tuple[str, ...]:
    """Those in which to speak to a visitor, the best first."""
    own = conversation.language if conversation is not None else None
    return (own, workspace.locale) if own else (workspace.locale,)
