"""What presence keeps by passing events over is what a fold of the whole log shows."""

from typing import Any

import pytest

from services.presence.changes import Changes
from services.presence.roster import PASSED_OVER, Roster
from shared.routing.following import Following, Unfit
from shared.routing.ids import OperatorId, Position, WorkspaceId
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from shared.wire.log_codec import topic_of
from tests.core.story import Story
from tests.core.wanderer import Wanderer

STEPS = 300


def _wandered(seed: int) -> list[Recorded]:
    story = Story()
    Wanderer(seed).wander(story, STEPS)
    return story.log


def _looked_at(workspace: Workspace) -> Any:
    """Everything that presence asks a workspace for."""
    people = {
        operator_id: (
            operator.kind,
            operator.removed,
            operator.connected,
            dict(operator.sessions),
            dict(operator.lapsed),
            dict(operator.ended),
            operator.idle,
            operator.off_shift,
            operator.idle_timeout_s,
            operator.schedule,
        )
        for operator_id, operator in workspace.operators.items()
    }
    points = {its_id: (one.closed, one.schedule) for its_id, one in workspace.entry_points.items()}
    wide = workspace.workspace_wide().idle_timeout_s
    return people, points, wide, workspace.schedule, workspace.timezone, workspace.position


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_passed_over_would_have_changed_nothing(seed: int) -> None:
    following, roster = Following(Workspace(workspace_id="acme")), Roster(WorkspaceId("acme"))
    read = 0
    for position, envelope in _wandered(seed):
        following.feed(position, envelope)
        if topic_of(envelope) not in PASSED_OVER:
            roster.feed(position, envelope)
            read += 1
            assert _looked_at(roster.workspace) == _looked_at(following.workspace)
    assert read < position * 2 // 3


@pytest.mark.parametrize("seed", range(6))
def test_the_last_of_a_chunk_may_be_one_that_is_passed_over_elsewhere(seed: int) -> None:
    sparing, whole = Roster(WorkspaceId("acme")), Roster(WorkspaceId("acme"))
    for position, envelope in _wandered(seed):
        whole.feed(position, envelope)
        if topic_of(envelope) not in PASSED_OVER or position % 3 == 0:
            sparing.feed(position, envelope)
            assert _looked_at(sparing.workspace) == _looked_at(whole.workspace)


@pytest.mark.parametrize("seed", range(6))
def test_whoever_did_something_is_seen_to(seed: int) -> None:
    """In each command, whatever of it is passed over."""
    acted: dict[Position, OperatorId] = {}
    seen: dict[Position, OperatorId] = {}
    for position, envelope in _wandered(seed):
        by = envelope.by
        if by is not None and by.kind == "operator":
            acted[envelope.first] = OperatorId(by.id)
        if topic_of(envelope) not in PASSED_OVER:
            changes = Changes()
            changes.note(position, envelope)
            if by is not None and by.kind == "operator":
                assert OperatorId(by.id) in changes.acted
                seen[envelope.first] = OperatorId(by.id)
    assert acted
    assert seen == acted


def test_an_event_about_nobody_it_knows_does_not_fit() -> None:
    story = Story()
    Wanderer(1).wander(story, STEPS)
    late = next(one for one in story.log if topic_of(one.envelope) == "operator_logged_in.v1")
    with pytest.raises(Unfit, match=f"position {late.position}"):
        Roster(WorkspaceId("acme")).feed(*late)
