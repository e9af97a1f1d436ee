"""The query ``why_not_fired``: who may ask it, and what is answered."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import structlog

from services.trigger_evaluator.desk import Desk
from services.trigger_evaluator.explaining import why_not_fired
from services.trigger_evaluator.sighting import Now
from services.trigger_evaluator.visit import Visits
from shared.adapters.log_follower import Stopped
from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, Message, Subscription
from shared.routing.commands import Refused
from shared.routing.decide.rights import require, unknown
from shared.routing.events import Actor
from shared.routing.ids import OperatorId, WorkspaceId
from shared.routing.questions import AskWhyNotFired
from shared.routing.workspace import Workspace
from shared.runtime.tasks import Tasks
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.replies import Reply, answered, refused
from shared.wire.subjects import is_reply, parse_call, queries_everywhere

log = structlog.get_logger()

QUERY = "why_not_fired"
ASKED_MAX = 256
"""Questions under way; beyond it ``overloaded``, at once."""


class Informed(NamedTuple):
    """What there is to answer from, and whether to."""

    desks: Mapping[WorkspaceId, Desk]
    visits: Visits
    acting: Callable[[], bool]
    now: Callable[[], Now]
    reach: Callable[[WorkspaceId], Awaitable[None]]


class Asking:
    """Answers while on duty."""

    def __init__(self, bus: Bus, tasks: Tasks, informed: Informed) -> None:
        self._bus = bus
        self._tasks = tasks
        self._informed = informed
        self._under_way = 0

    async def listen(self) -> Subscription:
        return await self._bus.subscribe(queries_everywhere(QUERY), self._on_question)

    def _on_question(self, message: Message) -> None:
        if not self._informed.acting() or not is_reply(message.reply):
            return
        call = parse_call(message.subject)
        asked = (
            call if isinstance(call, Refused) else decode_query(call, message.data, message.headers)
        )
        if isinstance(asked, Refused):
            self._send(message.reply, refused(asked))
        elif self._under_way >= ASKED_MAX:
            text = f"{ASKED_MAX} questions are under way"
            self._send(message.reply, refused(Refused("overloaded", text)))
        else:
            self._under_way += 1
            self._tasks.start(self._complete(message.reply, asked), QUERY)

    async def _complete(self, reply: str, asked: QueryRequest) -> None:
        """Answer on all of the log that was heard of when it was asked."""
        try:
            desk = self._informed.desks.get(asked.workspace_id)
            if desk is None:
                outcome = refused(Refused("unknown_workspace", "there is no such workspace"))
            else:
                await self._informed.reach(asked.workspace_id)
                outcome = self._answer(desk, asked)
        except Stopped as stopped:
            outcome = refused(Refused("unavailable", "the log of the workspace cannot be read"))
            log.warning("question_not_answered", reason=str(stopped))
        finally:
            self._under_way -= 1
        if self._informed.acting():
            self._send(reply, outcome)

    def _answer(self, desk: Desk, asked: QueryRequest) -> Reply:
        workspace, now, question = desk.known.workspace, self._informed.now(), asked.question
        assert isinstance(question, AskWhyNotFired)
        if asked.expires_at is not None and asked.expires_at < now.wall_ms:
            text = f"this expired {now.wall_ms - asked.expires_at} ms ago"
            return refused(Refused("expired", text))
        if asked.min_position > workspace.position:
            text = f"position {asked.min_position} is not known; {workspace.position} is"
            return refused(Refused("unavailable", text))
        refusal = _refuse(workspace, asked.by)
        if refusal is not None:
            return refused(refusal)
        visit = self._informed.visits.last_of(asked.workspace_id, question.visitor_id)
        result = why_not_fired(desk, visit, question.rule_id, question.visitor_id, now)
        if isinstance(result, Refused):
            return refused(result)
        return answered(workspace.position, now.wall_ms, result)

    def _send(self, reply: str, sent: Reply) -> None:
        try:
            self._bus.publish(reply, sent.body, headers=sent.headers)
        except NotSent as error:
            log.warning("not_sent", subject=reply, reason=str(error))


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
