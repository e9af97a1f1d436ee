"""What a stretch of the log touches of what presence watches: people, sessions, entry points."""

from shared.routing import events as e
from shared.routing.events import Envelope
from shared.routing.ids import EntryPointId, OperatorId, Position, SessionId


class Changes:
    """Collected event by event; whom an event names has news at its position."""

    def __init__(self) -> None:
        self.everybody = False
        """Something changed that holds for the whole workspace."""
        self.operators: dict[OperatorId, Position] = {}
        self.entries: dict[EntryPointId, Position] = {}
        self.renewed: dict[tuple[OperatorId, SessionId], None] = {}
        """Sessions that somebody heard of."""
        self.acted: dict[OperatorId, None] = {}
        """Who did something."""

    def note(self, position: Position, envelope: Envelope) -> None:
        """Take the next event."""
        event = envelope.data
        if envelope.by is not None and envelope.by.kind == "operator":
            self.acted[OperatorId(envelope.by.id)] = None
        if isinstance(event, _OF_OPERATORS):
            self.operators[event.operator_id] = position
            if isinstance(event, e.OperatorLoggedIn | e.SessionReturned):
                self.renewed[event.operator_id, event.session_id] = None
                self.acted[event.operator_id] = None
        elif isinstance(event, _OF_ENTRIES):
            self.entries[event.entry_point_id] = position
        elif isinstance(event, e.ScheduleSet):
            if event.operator_id is not None:
                self.operators[event.operator_id] = position
            elif event.entry_point_id is not None:
                self.entries[event.entry_point_id] = position
            else:
                self.everybody = True
        elif isinstance(event, e.PolicySet | e.WorkspaceCreated):
            self.everybody = True


_OF_OPERATORS = (
    e.OperatorRegistered,
    e.OperatorRemoved,
    e.OperatorLoggedIn,
    e.OperatorLoggedOut,
    e.SessionLapsed,
    e.SessionReturned,
    e.OperatorIdle,
    e.OperatorActive,
    e.ShiftStarted,
    e.ShiftEnded,
    e.PreferencesSet,
)
_OF_ENTRIES = (e.EntryPointDefined, e.EntryPointRemoved, e.HoursOpened, e.HoursClosed)
