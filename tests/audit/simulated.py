"""Stories played again under other policies, straight from what was told."""

import asyncio
from typing import Any

import msgspec

from shared.audit.changes import read_changes
from shared.audit.outcomes import Load, Waited
from shared.audit.simulating import Assumption, Simulation, play_stretch
from shared.audit.watching import frozen
from shared.routing.folding import Folding
from shared.routing.ids import OperatorId
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace

WORKSPACE = {"workspace": True}


def policies(**fields: Any) -> dict[str, Any]:
    """A change of the workspace's policies."""
    return {"scope": WORKSPACE, "policy": fields}


def capacity(operator_id: str, slots: int) -> dict[str, Any]:
    return {"update_operator": {"operator_id": operator_id, "capacity": slots}}


def simulated(log: list[Recorded], *changes: dict[str, Any], after: int = 0) -> Simulation:
    """The report on everything after a position."""
    workspace = folded(log[:after])
    kept = frozen(workspace, workspace.conversations)
    placed = [(one.position, one.envelope) for one in log[after:]]
    wanted = read_changes(msgspec.json.encode(list(changes)))
    return asyncio.run(play_stretch(kept, placed, wanted))


def folded(log: list[Recorded]) -> Workspace:
    """The state after the log, which ends with a whole group of events."""
    folding = Folding(Workspace(workspace_id="acme"))
    for recorded in log:
        for _ in folding.feed(recorded.envelope):
            pass
    for _ in folding.finish():
        pass
    return folding.workspace


def rest_before(log: list[Recorded], position: int) -> int:
    """Where the group of events begins that a position lies in."""
    return log[position].envelope.first - 1


def differing(report: Simulation) -> dict[str, tuple[Waited | None, Waited | None]]:
    """Per conversation, as it was and with the changes."""
    found = report.differences
    return {str(one.conversation_id): (one.baseline, one.simulated) for one in found}


def waited(owner: str | None, waited_ms: int, reason: Any = None, still: bool = False) -> Waited:
    """``owner`` had it after so long."""
    return Waited(OperatorId(owner) if owner is not None else None, waited_ms, reason, still)


def loads(report: Simulation) -> dict[str, Load]:
    """Of the operators, with the changes."""
    return {str(load.operator_id): load for load in report.simulated.outcome.loads}


def assumed(report: Simulation) -> dict[str, Assumption]:
    return {str(assumption.code): assumption for assumption in report.assumptions}
