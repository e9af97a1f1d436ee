"""Whether a command is accepted, and the facts that follow from it.

Nothing is changed here: the facts are returned, and whoever appends them evolves the state.
"""

from collections.abc import Callable
from typing import Any

from shared.routing.commands import Command, Refused
from shared.routing.decide import (
    conversations,
    erasure,
    firing,
    forwarding,
    offers,
    operators,
    preferences,
    presence,
    rules,
    schedules,
    settings,
    visitors,
    webhooks,
)
from shared.routing.decide.rights import refuse_kind
from shared.routing.decide.signs import signs_of_life
from shared.routing.decide.verdict import Facts, Instruction
from shared.routing.workspace import Workspace

__all__ = ["Facts", "Instruction", "decide"]

_DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    **settings.DECIDE,
    **schedules.DECIDE,
    **webhooks.DECIDE,
    **rules.DECIDE,
    **firing.DECIDE,
    **erasure.DECIDE,
    **operators.DECIDE,
    **preferences.DECIDE,
    **presence.DECIDE,
    **visitors.DECIDE,
    **conversations.DECIDE,
    **offers.DECIDE,
    **forwarding.DECIDE,
}


def decide(workspace: Workspace, command: Command, instruction: Instruction) -> Facts | Refused:
    """The facts that follow from ``command``, or the reason there are none.

    Empty facts mean that what was asked for is so already.
    """
    refusal = refuse_kind(workspace, command, instruction.actor)
    if refusal is not None:
        return refusal
    outcome = _DECIDE[type(command)](workspace, command, instruction)
    if isinstance(outcome, Refused):
        return outcome
    return Facts(
        (*signs_of_life(workspace, command, instruction), *outcome.events), outcome.warnings
    )
