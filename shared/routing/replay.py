"""Reading a log again: folding it, and making every decision once more to compare."""

from typing import cast

import msgspec

from shared.routing.events import Decision, Envelope, EventUnion, RoutingRevisionAdopted
from shared.routing.evolve import evolve
from shared.routing.ids import Position
from shared.routing.revision import REVISION
from shared.routing.route import next_decision
from shared.routing.timers import facts_of
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
    byte as it was recorded, and none may be missing when the next command or timer begins, but
    where the pass was cut. No timer may be passed over that was due by then.
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
            return self._begins(position, envelope) if envelope.first == position else None
        if envelope.rev != REVISION:
            self.folded_only += 1
            return None
        expected = self._outstanding()
        self.remade += 1
        if expected is not None and _bytes(expected) == _bytes(event):
            return None
        return Divergence(position, event, expected, "the decision comes out differently")

    def _begins(self, position: Position, envelope: Envelope) -> Divergence | None:
        """With a command or timer: nothing may be left over, of decisions or of timers."""
        missing = self._missing(position, envelope.data)
        if missing is not None:
            return missing
        adopted = isinstance(envelope.data, RoutingRevisionAdopted)  # when taking over, at once
        timer = self.workspace.next_due()
        if adopted or envelope.rev != REVISION or timer is None or timer.due > envelope.at:
            return None
        expected = cast("EventUnion", facts_of(self.workspace, timer)[0])
        if _bytes(expected) == _bytes(envelope.data):
            return None
        return Divergence(position, envelope.data, expected, "a timer was due before this event")

    def _missing(self, position: Position, recorded: EventUnion | None) -> Divergence | None:
        expected = self._outstanding()
        if expected is None:
            return None
        return Divergence(position, recorded, expected, "a decision is missing before this event")

    def _outstanding(self) -> EventUnion | None:
        """The decision that has to be the next event; none where the pass was cut."""
        if self.workspace.is_cut:
            return None
        return cast("EventUnion | None", next_decision(self.workspace))


def _bytes(event: EventUnion) -> bytes:
    return msgspec.json.encode(event)
