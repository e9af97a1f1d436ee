"""Whether a command is accepted, and the facts that follow from it.

Nothing is changed here: the facts are returned, and whoever appends them evolves the state.
"""

from collections.abc import Callable
from typing import Any

from shared.routing.commands import Command, Refused
from shared.routing.decide import conversations, forwarding, operators, settings, visitors
from shared.routing.decide.rights import refuse_kind
from shared.routing.decide.verdict import Facts, Instruction
from shared.routing.workspace import Workspace

__all__ = ["Facts", "Instruction", "decide"]

_DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = (
    settings.DECIDE | operators.DECIDE | conversations.DECIDE | forwarding.DECIDE | visitors.DECIDE
)


def decide(workspace: Workspace, command: Command, instruction: Instruction) -> Facts | Refused:
    """The facts that follow from ``command``, or the reason there are none.

    Empty facts mean that what was asked for is so already.
    """
    refusal = refuse_kind(workspace, command, instruction.actor)
    if refusal is not None:
        return refusal
    return _DECIDE[type(command)](workspace, command, instruction)
