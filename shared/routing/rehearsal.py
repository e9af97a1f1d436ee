"""What would follow from one command more: routing itself, played on a copy.

A copy costs as much as the workspace is large: for people who ask, never on the way of a command.
"""

from collections.abc import Iterable

import msgspec

from shared.routing.commands import Command, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.events import Actor, Fact
from shared.routing.state import Tables
from shared.routing.transaction import Stamp, advance, record
from shared.routing.workspace import Workspace

Line = tuple[Actor, Command]
"""A command and who sends it."""


def copy_of(workspace: Workspace) -> Workspace:
    """A workspace of its own with everything that is open, at rest, and nothing overdue."""
    tables = {name: getattr(workspace, name) for name in Tables.__struct_fields__}
    wanted = dict(workspace.open)
    for operator in workspace.operators.values():
        wanted.update(dict.fromkeys(operator.wrap_ups))  # closed, but a timer is to end them
    tables["conversations"] = {its_id: workspace.conversations[its_id] for its_id in wanted}
    tables["commands"] = {}
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(Tables(**tables)), type=Tables)
    copy = Workspace(**{name: getattr(stored, name) for name in Tables.__struct_fields__})
    copy.restore()
    _play(copy, (), None)
    for _ in advance(copy, copy.at, epoch=0):
        pass
    return copy


def rehearse(workspace: Workspace, lines: Iterable[Line]) -> Workspace | None:
    """The workspace as it would be after these commands; none if one of them is refused."""
    copy = copy_of(workspace)
    for actor, command in lines:
        outcome = decide(copy, command, Instruction(actor, copy.at))
        if isinstance(outcome, Refused):
            return None
        _play(copy, outcome.events, actor)
    return copy


def _play(copy: Workspace, facts: Iterable[Fact], actor: Actor | None) -> None:
    for _ in record(copy, facts, Stamp(copy.at, epoch=0, by=actor)):
        pass
