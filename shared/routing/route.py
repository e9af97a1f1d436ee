"""What follows from the state: the engine's decisions, one at a time, until nothing is left.

``next_decision`` reads and never writes tables; the caller evolves what it returns and asks again.
The same state gives the same decision, on the day itself and in every replay.
"""

from shared.routing.announcing import announcement
from shared.routing.attention import owner_gone, slow_action
from shared.routing.events import (
    Decision,
    EntryPointModeChanged,
    OfferRescinded,
    OperatorStatusChanged,
    OperatorUnresponsive,
)
from shared.routing.ids import OperatorId
from shared.routing.modes import mode_of
from shared.routing.placing import placement
from shared.routing.redirecting import rescue
from shared.routing.returning import forward_step
from shared.routing.scope import Scope
from shared.routing.status import effective_status
from shared.routing.widening import widened
from shared.routing.workspace import Workspace


def next_decision(workspace: Workspace) -> Decision | None:
    """The next decision that the state calls for, or none when it is at rest.

    Who is there comes first, then what that ends, then who gets what, then who is told.
    """
    return (
        _unresponsive(workspace)
        or _status_change(workspace)
        or _mode_change(workspace)
        or _rescission(workspace)
        or rescue(workspace)
        or owner_gone(workspace)
        or forward_step(workspace)
        or widened(workspace)
        or slow_action(workspace)
        or placement(workspace)
        or announcement(workspace)
    )


def _unresponsive(workspace: Workspace) -> OperatorUnresponsive | None:
    candidates = workspace.unanswering
    while candidates:
        operator_id = next(iter(candidates))
        operator = workspace.operators[operator_id]
        limit = workspace.workspace_wide().unresponsive_after
        if limit and operator.missed_offers >= limit and not operator.unresponsive:
            return OperatorUnresponsive(operator_id, operator.missed_offers)
        del candidates[operator_id]
    return None


def _status_change(workspace: Workspace) -> OperatorStatusChanged | None:
    changed = workspace.changed_operators
    if not changed:
        return None
    settled: list[OperatorId] = []
    for operator_id in changed:
        operator = workspace.operators[operator_id]
        effective, cause = effective_status(operator)
        if (effective, cause) != (operator.effective, operator.cause):
            for unchanged in settled:
                del changed[unchanged]
            return OperatorStatusChanged(operator_id, effective, cause)
        settled.append(operator_id)
    changed.clear()  # one by one, finding the first would walk over all deleted before it
    return None


def _mode_change(workspace: Workspace) -> EntryPointModeChanged | None:
    changed = workspace.changed_entry_points
    while changed:
        entry_point_id = next(iter(changed))
        entry_point = workspace.entry_points.get(entry_point_id)
        if entry_point is not None:
            mode = mode_of(workspace, entry_point, Scope(entry_point=entry_point_id))
            if mode != entry_point.mode:
                return EntryPointModeChanged(entry_point_id, mode)
        del changed[entry_point_id]
    return None


def _rescission(workspace: Workspace) -> OfferRescinded | None:
    for conversation_id, reason in workspace.rescinding.items():
        offer = workspace.conversations[conversation_id].offer
        assert offer is not None
        return OfferRescinded(conversation_id, offer.operator_id, offer.number, reason)
    return None
