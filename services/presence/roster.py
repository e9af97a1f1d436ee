"""What presence keeps of a workspace: its people with their sessions, its settings, its hours.

Conversations are none of its business, and most of a log is about them. What decides nothing here
is passed over, where that is certain by its topic before its bytes are read.
"""

from shared.routing import events as e
from shared.routing.events import EVENT_TYPES, Decision, Envelope, Event
from shared.routing.evolve import evolve, operators, settings
from shared.routing.following import Unfit
from shared.routing.ids import Position, WorkspaceId
from shared.routing.workspace import Workspace

_BY_VISITORS: tuple[type[Event], ...] = (
    e.ConversationOpened,
    e.VisitorBack,
    e.VisitorLeft,
    e.VisitorSeen,
    e.VisitorWrote,
)
"""Facts that no operator brings about. Of others it counts who did it: he is not idle."""
_KEPT = frozenset(
    event_type
    for event_type in (*settings.APPLY, *operators.APPLY)
    if not issubclass(event_type, Decision)
)
"""Statuses are decided on what is kept, and nobody asks for them here."""

PASSED_OVER = frozenset(
    topic
    for topic, event_type in EVENT_TYPES.items()
    if issubclass(event_type, (Decision, *_BY_VISITORS))
)
"""Topics of events that change nothing here, nor show that an operator did something: a decision
that he caused comes behind a fact of his."""


class Roster:
    """The part of a workspace that facts about people, settings and hours make up.

    ``workspace`` is to be asked for nothing else: it owns no conversation and nobody has a load.
    """

    def __init__(self, workspace_id: WorkspaceId) -> None:
        self.workspace = Workspace(workspace_id=workspace_id)

    def feed(self, position: Position, envelope: Envelope) -> None:
        """Take the next event; those that are passed over may be missing. Raises ``Unfit``."""
        workspace = self.workspace
        if type(envelope.data) in _KEPT:
            workspace.position = Position(position - 1)
            try:
                evolve(workspace, envelope)
            except (AssertionError, LookupError, ValueError) as misfit:
                raise Unfit(f"position {position} does not fit the state: {misfit!r}") from misfit
        workspace.position = position
