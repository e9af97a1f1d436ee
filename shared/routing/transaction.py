"""From accepted facts and due timers to numbered events, with all that follows from them.

Each function is a generator: an event is yielded after it was applied, so that whoever wants to
know what it means for others (``notify``) can look at the state at that very position.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

import msgspec

from shared.routing.commands import Refused
from shared.routing.events import (
    Actor,
    Decision,
    Envelope,
    EventUnion,
    Fact,
    Request,
    RoutingCut,
    RoutingRevisionAdopted,
)
from shared.routing.evolve import evolve
from shared.routing.ids import CommandId, Position, UnixMs
from shared.routing.revision import REVISION
from shared.routing.route import next_decision
from shared.routing.state import SeenCommand, command_key
from shared.routing.timers import facts_of
from shared.routing.workspace import Workspace

DECISIONS_MAX = 5_000
"""Decisions in one group; what else follows from the same command or timer gets further groups."""


class Recorded(NamedTuple):
    """An event with its place in the log."""

    position: Position
    envelope: Envelope


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What every event of one command or timer carries beside its content."""

    at: UnixMs
    epoch: int
    by: Actor | None = None
    cmd: CommandId | None = None
    request: Request | None = None
    trace: str | None = None


def repeat_of(workspace: Workspace, stamp: Stamp) -> SeenCommand | Refused | None:
    """What became of the command when it came before; refused if it was another command."""
    if stamp.by is None or stamp.cmd is None:
        return None
    seen = workspace.commands.get(command_key(stamp.by, stamp.cmd))
    if seen is None or seen.request == stamp.request:
        return seen
    return Refused(
        "command_id_reused",
        f"the command id {stamp.cmd} was used for another command at position {seen.position}",
        {"position": seen.position},
    )


def advance(
    workspace: Workspace, to: UnixMs, epoch: int, decisions_max: int = DECISIONS_MAX
) -> Iterator[Recorded]:
    """Everything that falls due up to ``to``, each timer with its consequences, in order."""
    while True:
        timer = workspace.next_due()
        if timer is None or timer.due > to:
            return
        yield from record(workspace, facts_of(workspace, timer), Stamp(to, epoch), decisions_max)


def adopt_revision(workspace: Workspace, stamp: Stamp) -> Iterator[Recorded]:
    """Note in the log that from here on the present rules decide."""
    if workspace.created and workspace.revision != REVISION:
        yield from record(workspace, (RoutingRevisionAdopted(REVISION),), stamp)


def record(
    workspace: Workspace,
    facts: Iterable[Fact],
    stamp: Stamp,
    decisions_max: int = DECISIONS_MAX,
) -> Iterator[Recorded]:
    """Number and apply ``facts``, then every decision that follows, until the state is at rest.

    After ``decisions_max`` of them the pass is cut: the rest follows when ``advance`` is called,
    before anything else that is due.
    """
    first = Position(workspace.position + 1)
    for fact in facts:
        yield _apply(workspace, fact, stamp, first)
    decided = 0
    while not workspace.is_cut and (decision := next_decision(workspace)) is not None:
        if decided == decisions_max:
            yield _apply(workspace, RoutingCut(stamp.at), stamp, first)
            return
        yield _apply(workspace, decision, stamp, first)
        decided += 1


def _apply(workspace: Workspace, event: Fact | Decision, stamp: Stamp, first: Position) -> Recorded:
    opening = workspace.position + 1 == first
    envelope = Envelope(
        at=stamp.at,
        first=first,
        rev=REVISION,
        epoch=stamp.epoch,
        data=cast("EventUnion", event),
        by=stamp.by,
        cmd=stamp.cmd,
        request=stamp.request if opening else None,
        trace=stamp.trace,
    )
    evolve(workspace, envelope)
    return Recorded(workspace.position, envelope)
