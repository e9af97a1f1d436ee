"""What the timeline of a conversation comes to: its waits, and how they ended."""

from collections.abc import Iterable, Sequence

import msgspec

from shared.audit.answers import EventView
from shared.routing import events as e
from shared.routing.ids import Position, UnixMs
from shared.routing.vocabulary import WaitingReason

_BEGIN = (
    e.ConversationOpened,
    e.ConversationReleased,
    e.OwnerLeft,
    e.ConversationForwarded,
    e.ConversationReassigned,
    e.ConversationMissed,
    e.ConversationReopened,
)
_END = (e.ConversationAssigned, e.ConversationClaimed, e.OfferAccepted, e.ConversationClosed)


class Wait(msgspec.Struct):
    """A stretch without an owner. ``decided``: the last decision within it that it waits, from
    which it is explained. ``end`` is the event that ended it, none while it goes on."""

    position: Position
    at: UnixMs
    decided: Position | None = None
    reasons: list[WaitingReason] = []
    end: EventView | None = None

    @property
    def ms(self) -> int:
        """How long it took, once it is over."""
        return self.end.at - self.at if self.end is not None else 0


def waits_of(events: Iterable[EventView]) -> Sequence[Wait]:
    """The waits that took any time, in their order."""
    waits: list[Wait] = []
    wait: Wait | None = None
    for told in events:
        event = told.event
        if isinstance(event, _END) or _is_taken_up(event):
            if wait is not None:
                wait.end = told
                waits.append(wait)
                wait = None
        elif isinstance(event, _BEGIN):
            wait = wait or Wait(told.position, told.at)
        elif isinstance(event, e.ConversationQueued):
            wait = wait or Wait(told.position, told.at)
            wait.decided = told.position
            if event.reason not in wait.reasons:
                wait.reasons.append(event.reason)
    if wait is not None:
        waits.append(wait)
    return [wait for wait in waits if wait.end is None or wait.ms > 0 or wait.decided is not None]


def _is_taken_up(event: e.EventUnion) -> bool:
    return isinstance(event, e.ConversationReopened) and event.owner is not None
