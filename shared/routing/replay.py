"""Reading a log again: folding it, and making every decision once more to compare."""

from typing import cast

import msgspec

from shared.routing.events import Decision, Envelope, EventUnion
from shared.routing.evolve import evolve
from shared.routing.ids import Position
from shared.routing.revision import REVISION
from shared.routing.route import next_decision
from shared.routing.workspace import Workspace


class Divergence(msgspec.Struct, frozen=True):
    """Where the log and the rules part: what was recorded and what the state calls for."""

    position: Position
    recorded: EventUnion | None
    expected: EventUnion | None
    what: str


class Replay:
    """Folds a log event by event and makes its decisions again on the way.

    Facts are taken as they are: they happened. A decision must come out of the state byte for
    byte as it was recorded, and none may be missing when the next command or timer begins.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.events = 0
        self.remade = 0
        self.folded_only = 0
        """Decisions by another revision of the rules: applied, not made again."""

    def feed(self, position: Position, envelope: Envelope) -> Divergence | None:
        """Take the next event; the divergence it shows, if any, stops nothing by itself.

        After an event that does not fit the state at all nothing more can be judged.
        """
        if position != self.workspace.position + 1:
            what = f"position {self.workspace.position + 1} is missing"
            return Divergence(position, envelope.data, None, what)
        divergence = self._compare(position, envelope)
        self.events += 1
        try:
            evolve(self.workspace, envelope)
        except (AssertionError, LookupError, ValueError) as misfit:
            what = f"the event does not fit the state: {misfit!r}"
            return divergence or Divergence(position, envelope.data, None, what)
        return divergence

    def finish(self) -> Divergence | None:
        """After the last event: the decision that should have followed it, if one is missing."""
        return self._missing(Position(self.workspace.position + 1), None)

    def _compare(self, position: Position, envelope: Envelope) -> Divergence | None:
        event = envelope.data
        if not isinstance(event, Decision):
            return self._missing(position, event) if envelope.first == position else None
        if envelope.rev != REVISION:
            self.folded_only += 1
            return None
        expected = cast("EventUnion | None", next_decision(self.workspace))
        self.remade += 1
        if expected is not None and _bytes(expected) == _bytes(event):
            return None
        return Divergence(position, event, expected, "the decision comes out differently")

    def _missing(self, position: Position, recorded: EventUnion | None) -> Divergence | None:
        expected = cast("EventUnion | None", next_decision(self.workspace))
        if expected is None:
            return None
        return Divergence(position, recorded, expected, "a decision is missing before this event")


def _bytes(event: EventUnion) -> bytes:
    return msgspec.json.encode(event)
