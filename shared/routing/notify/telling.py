"""Folding a log and saying on the way what it tells whom, in the order in which that is sent."""

from shared.routing.events import Envelope
from shared.routing.following import Following
from shared.routing.ids import Position
from shared.routing.notify.feeds import Feeds, Numbered
from shared.routing.route import next_decision
from shared.routing.workspace import Workspace


class Telling:
    """Takes a log event by event: ``begins``, then ``feed`` for each, and ``rest`` at the end."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.feeds = Feeds(workspace)
        self._following = Following(workspace)

    def begins(self, position: Position, envelope: Envelope) -> list[Numbered]:
        """What the group before this event has left to say, if the event begins another.

        To be called before ``feed``, for every event; what it returns belongs to the position
        before.
        """
        if envelope.first != position or self.workspace.is_cut:
            return []
        self._following.rest()
        return self.feeds.settle()

    def feed(self, position: Position, envelope: Envelope) -> list[Numbered]:
        """Apply the event, and say what it tells. Raises ``Unfit``."""
        self.feeds.before(envelope.data)
        self._following.apply(position, envelope)
        return self.feeds.number(position, envelope)

    @property
    def at_rest(self) -> bool:
        """Whether the last group is known to be complete: no decision is called for any more.

        In a pass that was cut it is: what the pass has left to say belongs to its end.
        """
        return self.workspace.is_cut or next_decision(self.workspace) is None

    def rest(self) -> list[Numbered]:
        """What the last group has left to say; nothing unless the state is ``at_rest``."""
        return self.feeds.settle() if self.at_rest else []
