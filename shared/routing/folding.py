"""From a log to a state to go on from, without making its decisions again."""

from collections.abc import Iterator

from shared.routing.events import Decision, Envelope, RoutingCut
from shared.routing.evolve import evolve
from shared.routing.ids import Position
from shared.routing.route import next_decision
from shared.routing.workspace import Workspace


class Folding:
    """Applies a log event by event; what it yields has just been applied.

    What ``route`` still has to look at is not in the tables, so that a state may only be restored
    from them at rest. Where the log ends within a pass that was cut, that pass is taken decision
    by decision: for it, groups are held back until the next shows that they were whole.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._held: list[Envelope] = []
        self._cut = False
        self._position = workspace.position

    @property
    def next_position(self) -> Position:
        """Of the event that ``feed`` is to be given next."""
        return Position(self._position + 1)

    def feed(self, envelope: Envelope) -> Iterator[Envelope]:
        """Take the next event of the log, and apply what is certain by then."""
        if envelope.first == self.next_position and not self._cut:
            yield from self._apply()
        self._position = self.next_position
        self._held.append(envelope)
        self._cut = isinstance(envelope.data, RoutingCut)

    def finish(self) -> Iterator[Envelope]:
        """After the last event: the workspace is as it was when that was appended."""
        if self._cut:
            self.workspace.restore()
            next_decision(self.workspace)  # at rest, but it does not know that yet
            for envelope in self._held:
                if isinstance(envelope.data, Decision | RoutingCut):
                    next_decision(self.workspace)
                evolve(self.workspace, envelope)
                yield envelope
        else:
            yield from self._apply()
            self.workspace.restore()
        self._held = []

    def _apply(self) -> Iterator[Envelope]:
        for envelope in self._held:
            evolve(self.workspace, envelope)
            yield envelope
        self._held = []
