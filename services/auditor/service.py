"""The auditor as a service: it hears questions about the past and answers them from the log.

It reads the log and nothing else, sends no commands and writes nothing; any number of them may run
side by side. Jobs, which take long, live in the process that began them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from services.auditor.jobs import Jobs
from services.auditor.works import works
from shared.audit.answering import answer
from shared.audit.history import History
from shared.ports import Bus, Clock, Subscription
from shared.ports.archive import Archive
from shared.ports.tracing import Tracer
from shared.routing.commands import Refused
from shared.routing.decide.rights import require, unknown
from shared.routing.events import Actor
from shared.routing.ids import OperatorId, WorkspaceId
from shared.routing.views import View
from shared.routing.workspace import Workspace
from shared.runtime import metrics
from shared.runtime.figures import Figure, of_answers
from shared.runtime.question_desk import QuestionDesk, refuse_late
from shared.runtime.tasks import Tasks
from shared.wire.audit import AUDIT_QUESTIONS, AskJob, decode_audit
from shared.wire.queries import QueryRequest
from shared.wire.replies import Reply, answered, refused
from shared.wire.subjects import audit_everywhere

AUDITORS = "fernamt-auditor"
"""Queue group of all auditors, of which one answers; but for jobs, which one alone knows."""
WORKSPACES_KEPT = 32
"""Whose last states are kept in memory, the most recently asked about."""


class Auditor:
    """``run`` answers until ``stop`` is called; ``ready`` is set meanwhile."""

    def __init__(
        self, archive: Archive, bus: Bus, clock: Clock, tracer: Tracer | None = None
    ) -> None:
        self._archive = archive
        self._clock = clock
        self._tasks = Tasks()
        self._jobs = Jobs(works(archive), self._tasks)
        self._histories: OrderedDict[WorkspaceId, History] = OrderedDict()
        self._desk = QuestionDesk(bus, self._tasks, decode_audit, self._answer, tracer=tracer)
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._stopping.set()

    async def figures(self) -> Iterable[Figure]:
        """How it answered, and what it found."""
        return [
            *of_answers("auditor", self._desk.outcomes),
            Figure(metrics.VERIFY_FINDINGS, self._jobs.findings),
        ]

    async def run(self) -> None:
        """Answer until told to stop. Raises what ended one of its tasks."""
        subscriptions: list[Subscription] = []
        try:
            for question, shape in AUDIT_QUESTIONS.items():
                queue = "" if shape is AskJob else AUDITORS
                subscriptions.append(
                    await self._desk.listen(audit_everywhere(question), queue=queue)
                )
            self.ready.set()
            await self._tasks.beside(self._until_stopped())
        finally:
            self.ready.clear()
            await asyncio.gather(*(one.stop() for one in subscriptions), return_exceptions=True)
            await self._tasks.stop()

    async def _until_stopped(self) -> None:
        await self._stopping.wait()

    async def _answer(self, asked: QueryRequest) -> Reply | None:
        history = self._history(asked.workspace_id)
        refusal = await self._refuse(history, asked)
        if refusal is not None:
            return refused(refusal)
        question = asked.question
        if isinstance(question, AskJob):
            told = self._jobs.ask_after(asked.workspace_id, question.job_id)
            return None if told is None else await self._as_of_now(history, told)
        if self._jobs.takes(question):
            return await self._as_of_now(history, await self._jobs.begin(history, question))
        given = await answer(history, question, asked.by)
        if isinstance(given.result, Refused):
            return refused(given.result)
        return answered(given.position, given.at, given.result)

    async def _as_of_now(self, history: History, told: View | Refused) -> Reply:
        if isinstance(told, Refused):
            return refused(told)
        return answered(await history.head(), self._clock.wall_ms(), told)

    async def _refuse(self, history: History, asked: QueryRequest) -> Refused | None:
        head = await history.head()
        if head == 0:
            return Refused("unknown_workspace", "there is no such workspace")
        late = refuse_late(asked, self._clock.wall_ms(), head)
        if late is not None:
            return late
        if asked.by.kind not in asked.question.allowed:
            kinds = " or ".join(asked.question.allowed)
            return Refused("not_allowed", f"a {asked.by.kind} may not ask this; a {kinds} may")
        if asked.by.kind != "operator":
            return None
        return await history.look(head, lambda workspace: _refuse_operator(workspace, asked.by))

    def _history(self, workspace_id: WorkspaceId) -> History:
        history = self._histories.pop(workspace_id, None) or History(self._archive, workspace_id)
        self._histories[workspace_id] = history
        if len(self._histories) > WORKSPACES_KEPT:
            self._histories.popitem(last=False)
        return history


def _refuse_operator(workspace: Workspace, actor: Actor) -> Refused | None:
    """Operators need a permission, as of now, whenever it is that they ask about."""
    operator = workspace.operators.get(OperatorId(actor.id))
    if operator is None or operator.removed:
        return unknown("operator", actor.id)
    return require(workspace, operator.operator_id, "audit")
