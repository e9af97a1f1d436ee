"""Questions that take long: begun, asked after, and answered once they are done."""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from shared.audit.answers import Begun, JobName, JobState, JobView
from shared.audit.changes import BadChange
from shared.audit.history import History
from shared.audit.stored import Beyond
from shared.audit.verifying import Verified
from shared.ports import StoreError
from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.routing.questions import Question
from shared.runtime.tasks import Tasks

log = structlog.get_logger()

RUNNING_MAX = 2
"""At once; beyond it ``overloaded``: each takes all the time that nobody else needs."""
KEPT_MAX = 32
"""Jobs whose results are kept, the latest."""

Progress = Callable[[int], None]
"""Told how many events more were looked at."""


class Work(NamedTuple):
    """What a job is to do: with a history, a question and whom to tell of its progress."""

    name: JobName
    total: Callable[[History, Any], Awaitable[int]]
    """How many events there are to look at. Raises ``Beyond`` and ``BadChange``."""
    do: Callable[[History, Any, Progress], Awaitable[msgspec.Struct]]
    """Raises ``Beyond``, ``StoreError``, and ``ValueError`` for what was asked."""


class _Job:
    def __init__(self, job_id: str, workspace_id: WorkspaceId, work: Work, total: int) -> None:
        self.job_id = job_id
        self.workspace_id = workspace_id
        self.work = work
        self.total = total
        self.looked_at = 0
        self.state: JobState = "running"
        self.result: msgspec.Struct | None = None
        self.error: str | None = None

    def advance(self, events: int) -> None:
        self.looked_at += events

    def view(self) -> JobView:
        return JobView(
            job_id=self.job_id,
            question=self.work.name,
            state=self.state,
            done=min(self.looked_at, self.total),
            total=self.total,
            result=self.result,
            error=self.error,
        )


class Jobs:
    """The jobs of one process. Nothing of them outlives it."""

    def __init__(self, works: Mapping[type[Question], Work], tasks: Tasks) -> None:
        self._works = works
        self._tasks = tasks
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._here = secrets.token_hex(4)
        self._begun = 0
        self.findings = 0
        """Differences that were found where logs were verified."""

    def takes(self, question: Question) -> bool:
        """Whether this is a question for a job."""
        return type(question) in self._works

    async def begin(self, history: History, question: Question) -> Begun | Refused:
        """Begin what is asked for. Raises as ``History`` does."""
        if sum(job.state == "running" for job in self._jobs.values()) >= RUNNING_MAX:
            return Refused("overloaded", f"{RUNNING_MAX} jobs are running here: ask again later")
        work = self._works[type(question)]
        try:
            total = await work.total(history, question)
        except Beyond as beyond:
            return Refused("unavailable", str(beyond))
        except BadChange as bad:
            return replace(bad.refused, detail={**bad.refused.detail, "change": bad.number})
        self._begun += 1
        job = _Job(f"{self._here}-{self._begun}", history.workspace_id, work, total)
        self._jobs[job.job_id] = job
        if len(self._jobs) > KEPT_MAX:
            self._drop_oldest()
        self._tasks.start(self._run(job, history, question), f"job {job.job_id}")
        return Begun(job_id=job.job_id)

    def ask_after(self, workspace_id: WorkspaceId, job_id: str) -> JobView | Refused | None:
        """How far a job of this workspace is; none if it was begun by another process."""
        job = self._jobs.get(job_id)
        if job is not None and job.workspace_id == workspace_id:
            return job.view()
        if not job_id.startswith(f"{self._here}-"):
            return None
        return Refused("unknown_job", f"there is no job {job_id}, or not any more")

    async def _run(self, job: _Job, history: History, question: Question) -> None:
        try:
            job.result = await job.work.do(history, question, job.advance)
        except (StoreError, Beyond, ValueError) as error:
            log.warning("job_failed", job=job.work.name, reason=error)
            job.error, job.state = str(error), "failed"
        else:
            job.state = "done"
            if isinstance(job.result, Verified):
                self.findings += len(job.result.findings)

    def _drop_oldest(self) -> None:
        for job_id, job in self._jobs.items():
            if job.state != "running":
                del self._jobs[job_id]
                return
