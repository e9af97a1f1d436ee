"""Timers that are part of the state: what each one is called and the fact it becomes."""

from shared.routing.events import Fact, StatusBreakEnded
from shared.routing.ids import OperatorId
from shared.routing.state import Timer
from shared.routing.workspace import Workspace


def break_timer(operator_id: OperatorId) -> str:
    """Name of the timer that ends an operator's break."""
    return f"break:{operator_id}"


def next_due(workspace: Workspace) -> Timer | None:
    """The timer that falls due first; of those due together, the first by name."""
    return workspace.due[0] if workspace.due else None


def fact_of(workspace: Workspace, timer: Timer) -> Fact:
    """What happened when ``timer`` fell due."""
    kind, _, subject = timer.timer_id.partition(":")
    assert kind == "break"
    operator = workspace.operators[OperatorId(subject)]
    assert operator.after_break is not None
    return StatusBreakEnded(operator.operator_id, operator.after_break, timer.due)
