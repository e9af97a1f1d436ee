"""The feeds of one workspace, numbered: what each event tells whom, and what a whole group does.

Everything here follows from the log alone, so that a reader of the log says the same again, with
the same numbers, wherever it begins and however the log is cut.
"""

from collections.abc import Iterable

import msgspec

from shared.routing import events as e
from shared.routing.events import Envelope, Event
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs
from shared.routing.notify.concerned import notifications
from shared.routing.notify.messages import (
    TEAM,
    Notification,
    Recipient,
    involved,
    seen_by,
)
from shared.routing.notify.places import Places
from shared.routing.notify.visitors import queued
from shared.routing.state import Conversation, Operator
from shared.routing.workspace import Workspace

_COUNTED = ("operator", "visitor")
_ASKS_SEVERAL = (e.ConversationBroadcast, e.ConversationEscalated)


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """A notification as it goes out: ``id`` and ``seq`` never differ for the same message."""

    notification: Notification
    id: str
    seq: int | None
    """Gapless per recipient, from 1; none on the feeds of the team and of entry points."""
    position: Position
    at: UnixMs


class Feeds:
    """Numbers the notifications of one workspace, so that a reader sees what it missed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._last: dict[Recipient, int] = {}
        self._places = Places(workspace)
        self._told: dict[ConversationId, dict[OperatorId, None]] = {}
        """Who has something on his screen that he might take, as long as he might."""
        self._parted: tuple[ConversationId, ...] = ()
        self._said = 0
        """How many messages the last event has brought so far."""

    def last(self, recipient: Recipient) -> int:
        """Number of the last message to this recipient, 0 if there was none."""
        return self._last.get(recipient, 0)

    def before(self, event: Event) -> None:
        """What an event takes away has to be seen before it is applied."""
        if not isinstance(event, e.OperatorRemoved):
            return
        operator = self._workspace.operators.get(event.operator_id)
        if operator is not None:
            self._parted = (*operator.owned, *operator.takes_part)

    def number(self, position: Position, envelope: Envelope) -> list[Numbered]:
        """What the event just applied tells whom; call once for every event."""
        event = envelope.data
        told = notifications(self._workspace, envelope, self._parted)
        conversation_id: ConversationId | None = getattr(event, "conversation_id", None)
        if conversation_id is not None:
            conversation = self._workspace.conversations[conversation_id]
            if isinstance(event, _ASKS_SEVERAL):
                self._told.setdefault(conversation_id, {}).update(dict.fromkeys(event.operator_ids))
            elif conversation_id in self._told:
                told += self._taken(conversation)
            if conversation.state in ("assigned", "closed"):
                self._places.forget(conversation_id)
        self._parted = ()
        self._said = 0
        return self._numbered(told, position, envelope.at)

    def settle(self) -> list[Numbered]:
        """What the events since the last call have done to the lines.

        To be called whenever a group of events is complete and the state at rest; what it says
        belongs to the last event of the group.
        """
        workspace = self._workspace
        if workspace.is_cut or not self._places.may_have_news():
            return []
        told = [
            queued(workspace.conversations[conversation_id], place)
            for conversation_id, place in self._places.news()
        ]
        if self._places.moved:
            told.append(Notification(TEAM, "queue_changed", alert=False, fields={}))
        return self._numbered(told, workspace.position, workspace.at)

    def _taken(self, conversation: Conversation) -> list[Notification]:
        """Whoever was told of it and can take it no more sees that, unless he is in it."""
        known = self._told[conversation.conversation_id]
        gone = [o for o in known if o not in conversation.told and o not in conversation.escalated]
        for operator_id in gone:
            del known[operator_id]
        if not known:
            del self._told[conversation.conversation_id]
        inside = involved(conversation)
        operators = self._workspace.operators
        return seen_by(conversation, *(o for o in gone if _sees(o, inside, operators)))

    def _numbered(
        self, told: Iterable[Notification], position: Position, at: UnixMs
    ) -> list[Numbered]:
        numbered: list[Numbered] = []
        prefix = f"{self._workspace.workspace_id}:{position}:"
        last = self._last
        for said, notification in enumerate(told, self._said + 1):
            recipient = notification.recipient
            seq = None
            if recipient.kind in _COUNTED:
                seq = last[recipient] = last.get(recipient, 0) + 1
            numbered.append(Numbered(notification, f"{prefix}{said}", seq, position, at))
        self._said += len(numbered)
        return numbered


def _sees(
    operator_id: OperatorId, inside: list[OperatorId], operators: dict[OperatorId, Operator]
) -> bool:
    return operator_id not in inside and not operators[operator_id].removed
