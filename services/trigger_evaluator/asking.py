"""The query ``why_not_fired``: who may ask it, and what is answered."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import structlog

from services.trigger_evaluator.desk import Desk
from services.trigger_evaluator.explaining import why_not_fired
from services.trigger_evaluator.sighting import Now
from services.trigger_evaluator.visit import Visits
from shared.adapters.log_follower import Stopped
from shared.ports import Bus, Subscription
from shared.ports.tracing import Tracer
from shared.routing.commands import Refused
from shared.routing.decide.rights import require, unknown
from shared.routing.events import Actor
from shared.routing.ids import OperatorId, WorkspaceId
from shared.routing.questions import AskWhyNotFired
from shared.routing.workspace import Workspace
from shared.runtime.question_desk import QuestionDesk, refuse_late
from shared.runtime.tasks import Tasks
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.replies import Reply, answered, refused
from shared.wire.subjects import queries_everywhere

log = structlog.get_logger()

QUERY = "why_not_fired"


class Informed(NamedTuple):
    """What there is to answer from, and whether to."""

    desks: Mapping[WorkspaceId, Desk]
    visits: Visits
    acting: Callable[[], bool]
    now: Callable[[], Now]
    reach: Callable[[WorkspaceId], Awaitable[None]]


class Asking:
    """Answers while on duty."""

    def __init__(
        self, bus: Bus, tasks: Tasks, informed: Informed, tracer: Tracer | None = None
    ) -> None:
        self._informed = informed
        self._desk = QuestionDesk(
            bus, tasks, decode_query, self._give, may_speak=informed.acting, tracer=tracer
        )

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How often it answered what."""
        return self._desk.outcomes

    async def listen(self) -> Subscription:
        return await self._desk.listen(queries_everywhere(QUERY))

    async def _give(self, asked: QueryRequest) -> Reply:
        """Answer on all of the log that was heard of when it was asked."""
        desk = self._informed.desks.get(asked.workspace_id)
        if desk is None:
            return refused(Refused("unknown_workspace", "there is no such workspace"))
        try:
            await self._informed.reach(asked.workspace_id)
        except Stopped as stopped:
            log.warning("question_not_answered", reason=stopped)
            return refused(Refused("unavailable", "the log of the workspace cannot be read"))
        return self._answer(desk, asked)

    def _answer(self, desk: Desk, asked: QueryRequest) -> Reply:
        workspace, now, question = desk.known.workspace, self._informed.now(), asked.question
        assert isinstance(question, AskWhyNotFired)
        refusal = refuse_late(asked, now.wall_ms, workspace.position) or _refuse(
            workspace, asked.by
        )
        if refusal is not None:
            return refused(refusal)
        visit = self._informed.visits.last_of(asked.workspace_id, question.visitor_id)
        result = why_not_fired(desk, visit, question.rule_id, question.visitor_id, now)
        if isinstance(result, Refused):
            return refused(result)
        return answered(workspace.position, now.wall_ms, result)


def _refuse(workspace: Workspace, actor: Actor) -> Refused | None:
    if actor.kind not in AskWhyNotFired.allowed:
        kinds = " or ".join(AskWhyNotFired.allowed)
        return Refused("not_allowed", f"a {actor.kind} may not ask this; a {kinds} may")
    if actor.kind != "operator":
        return None
    operator = workspace.operators.get(OperatorId(actor.id))
    if operator is None or operator.removed:
        return unknown("operator", actor.id)
    return require(workspace, operator.operator_id, "audit")
