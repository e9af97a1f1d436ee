"""From a log to a state to go on from, without making its decisions again."""

from collections.abc import Sequence
from typing import Any

from shared.routing.events import Decision, Envelope, RoutingCut
from shared.routing.evolve import evolve
from shared.routing.ids import Position, UnixMs
from shared.routing.route import next_decision
from shared.routing.state import Conversation, Operator, Timer
from shared.routing.vocabulary import Hold
from shared.routing.workspace import Workspace


class Unindexed(Workspace):
    """A workspace of which nobody asks anything before ``restore`` has built its indexes.

    Events apply to it as to any other; who may take what, and who stands where in a line, is not
    followed on the way. Only tables, and what ``evolve`` itself looks up, are as they should be.
    """

    def set_timer(self, timer_id: str, due: UnixMs) -> None:
        self.timers[timer_id] = Timer(due, timer_id)

    def operator_changed(self, operator: Operator) -> None:
        """Where he sits is found out at the end."""

    def load_changed(self, operator: Operator) -> None:
        """As with everything about him."""

    def consent_changed(self, operator: Operator) -> None:
        """Nobody is alerted before the end."""

    def met(self, conversation: Conversation) -> None:
        """Nobody waits in a line yet, so that nobody waits for somebody else."""

    def waits(self, conversation: Conversation) -> None:
        """That it waits is in the tables; where, is found out at the end."""

    def leaves_queue(self, conversation: Conversation) -> None:
        """It never stood in it."""

    def takes_place(self, conversation: Conversation, hold: Hold) -> None:
        """For what it is held is in the tables."""

    def reconsider(self) -> None:
        """All that was looked up by now is another policy's."""
        self.policies, self.audiences = {}, {}


class Folding:
    """Applies a log event by event; what it returns has just been applied.

    What ``route`` still has to look at is not in the tables, so that a state may only be restored
    from them at rest. Where the log ends within a pass that was cut, that pass is taken decision
    by decision: for it, groups are held back until the next shows that they were whole. The
    ``workspace`` is as it was until ``finish``: meanwhile ``folded`` is where things go.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.folded = Unindexed(**_fields(workspace))
        self._held: list[Envelope] = []
        self._cut = False
        self._position = workspace.position

    @property
    def next_position(self) -> Position:
        """Of the event that ``feed`` is to be given next."""
        return Position(self._position + 1)

    def feed(self, envelope: Envelope) -> Sequence[Envelope]:
        """Take the next event of the log, and apply what is certain by then."""
        position = self._position + 1
        whole: Sequence[Envelope] = ()
        if envelope.first == position and not self._cut:
            whole = self._apply()
        self._position = Position(position)
        self._held.append(envelope)
        self._cut = type(envelope.data) is RoutingCut
        return whole

    def finish(self) -> Sequence[Envelope]:
        """After the last event: the workspace is as it was when that was appended."""
        last = () if self._cut else self._apply()
        for name, value in _fields(self.folded).items():
            setattr(self.workspace, name, value)
        self.workspace.restore()
        if not self._cut:
            return last
        next_decision(self.workspace)  # at rest, but it does not know that yet
        last, self._held = self._held, []
        for envelope in last:
            if isinstance(envelope.data, Decision | RoutingCut):
                next_decision(self.workspace)
            evolve(self.workspace, envelope)
        return last

    def _apply(self) -> Sequence[Envelope]:
        whole, self._held = self._held, []
        for envelope in whole:
            evolve(self.folded, envelope)
        return whole


def _fields(workspace: Workspace) -> dict[str, Any]:
    return {name: getattr(workspace, name) for name in Workspace.__struct_fields__}
