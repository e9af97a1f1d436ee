"""Decisions as lines of a list: out of the log, or as they fall."""

from collections.abc import Sequence

from services.console.asking import Engine
from shared.audit.answers import MomentView, StoredEvents
from shared.routing.events import Decision, Envelope
from shared.routing.ids import Position, UnixMs
from shared.routing.views import View
from shared.wire.log_codec import UndecodableEvent, decode_event

LOOKED_BACK = 100
"""Events before the head among which the latest decisions are looked for."""


class DecisionLine(View, frozen=True, kw_only=True):
    """A decision as it is shown: the event with its position and time."""

    position: Position
    at: UnixMs
    event: Decision


def line_of(position: Position, envelope: Envelope) -> DecisionLine | None:
    """The event as such a line, if it is a decision."""
    if not isinstance(envelope.data, Decision):
        return None
    return DecisionLine(position=position, at=envelope.at, event=envelope.data)


async def decisions_after(
    engine: Engine, workspace: str, after: int, limit: int = LOOKED_BACK
) -> Sequence[DecisionLine]:
    """The decisions among so many events after a position. Raises ``Trouble``."""
    fields = {"after": after, "limit": limit}
    told = await engine.audit(workspace, "events", StoredEvents, fields)
    lines: list[DecisionLine] = []
    for stored in told.result.events:
        try:
            line = line_of(stored.position, decode_event(stored.topic, bytes(stored.state)))
        except UndecodableEvent:
            continue  # `verify` is what tells of it
        if line is not None:
            lines.append(line)
    return lines


async def latest_decisions(engine: Engine, workspace: str, after: int) -> Sequence[DecisionLine]:
    """The decisions after a position, or the latest of them. Raises ``Trouble``."""
    head = (await engine.audit(workspace, "moment", MomentView)).result.head
    return await decisions_after(engine, workspace, max(after, head - LOOKED_BACK))
