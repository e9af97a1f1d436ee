"""Folding a log as it grows, for readers who never decide but show what the router shows."""

from shared.routing.events import Decision, Envelope
from shared.routing.evolve import evolve
from shared.routing.ids import Position
from shared.routing.route import next_decision
from shared.routing.workspace import Workspace


class Unfit(Exception):
    """An event does not fit the state: the log cannot be followed any further."""


class Following:
    """Takes a log event by event, in any number of pieces.

    ``evolve`` alone leaves behind what ``route`` was to look at, among it whom it would have put
    back into a line. So this looks too, whenever a group of events is complete: where the log was
    cut into pieces then makes no difference.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @property
    def next_position(self) -> Position:
        """Of the event that ``feed`` is to be given next."""
        return Position(self.workspace.position + 1)

    def feed(self, position: Position, envelope: Envelope) -> None:
        """Apply the next event. Raises ``Unfit``."""
        if self._is_looked_at_before(position, envelope):
            self.rest()
        self.apply(position, envelope)

    def apply(self, position: Position, envelope: Envelope) -> None:
        """The same for who has called ``rest`` wherever a group of events ends."""
        if position != self.workspace.position + 1:
            raise Unfit(f"position {self.next_position} is missing, {position} follows")
        try:
            evolve(self.workspace, envelope)
        except (AssertionError, LookupError, ValueError) as misfit:
            raise Unfit(f"position {position} does not fit the state: {misfit!r}") from misfit

    def rest(self) -> None:
        """Bring every index up to date with the tables; to be called before they are looked at.

        Nothing is decided. In a pass that was cut what the rest of it will decide is left open.
        """
        if not self.workspace.is_cut:
            next_decision(self.workspace)

    def _is_looked_at_before(self, position: Position, envelope: Envelope) -> bool:
        return envelope.first == position


class Retracing(Following):
    """The same for those who stop anywhere: between two decisions of one group, too, the state is
    what the router decided the second one on."""

    def _is_looked_at_before(self, position: Position, envelope: Envelope) -> bool:
        return envelope.first == position or isinstance(envelope.data, Decision)
