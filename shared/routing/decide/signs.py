"""Signs of life: whoever sends an accepted command is there, even if it writes nothing else."""

from shared.routing import timers
from shared.routing.commands import ComeBack, Command, LeavePage, Open, Write
from shared.routing.decide.verdict import Instruction
from shared.routing.events import Fact, OperatorActive, VisitorBack, VisitorSeen
from shared.routing.ids import UnixMs
from shared.routing.state import Visitor
from shared.routing.workspace import Workspace


def signs_of_life(
    workspace: Workspace, command: Command, instruction: Instruction
) -> tuple[Fact, ...]:
    """What goes before the facts of an accepted command."""
    if instruction.operator_id is not None:
        operator = workspace.operators[instruction.operator_id]
        return (OperatorActive(operator.operator_id),) if operator.idle else ()
    if instruction.visitor_id is None or isinstance(command, LeavePage):
        return ()
    visitor = workspace.visitors.get(instruction.visitor_id)
    if visitor is None or (visitor.away and isinstance(command, ComeBack)):
        return ()
    if not visitor.away and isinstance(command, Open | Write):  # those say it themselves
        return ()
    return sign_of(workspace, visitor, instruction.at)


def sign_of(workspace: Workspace, visitor: Visitor, at: UnixMs) -> tuple[Fact, ...]:
    """A sign that changes little is not worth an event: half of the time has to be over."""
    if visitor.away:
        return (VisitorBack(visitor.visitor_id),)
    timer = workspace.timers.get(timers.name(timers.GONE, visitor.visitor_id))
    after_ms = timers.gone_after_ms(workspace, visitor)
    if timer is None or after_ms is None or (timer.due - at) * 2 >= after_ms:
        return ()
    return (VisitorSeen(visitor.visitor_id),)
