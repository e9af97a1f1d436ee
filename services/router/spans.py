"""The spans of a command on its way through the router. Where nobody traces, no job has one."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from services.router.units import Answer, Job, Unit
from shared.ports.tracing import Span, Tracer
from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.runtime import spans
from shared.wire.requests import CommandRequest


def traced(tracer: Tracer, job: Job) -> Job:
    """The same with a span, whose trace parent stands in the events that it brings.

    So whoever tells of an event goes on from the router's span, not from the sender's.
    """
    asked = job.asked
    if isinstance(asked, CommandRequest):
        name = asked.request.name
        span = tracer.begin(spans.COMMAND, asked.trace, workspace=asked.workspace_id, command=name)
        asked = msgspec.structs.replace(asked, trace=span.trace)
    else:
        name = type(asked.question).__name__
        span = tracer.begin(
            spans.QUESTION, asked.trace, workspace=asked.workspace_id, question=name
        )
    return msgspec.structs.replace(job, asked=asked, span=span)


def end_answered(job: Job, answer: Answer) -> None:
    """The answer is on its way, or nobody wants it."""
    if job.span is None:
        return
    outcome = "repeated" if answer.repeated else "answered"
    if isinstance(answer.result, Refused):
        outcome = answer.result.code
    job.span.end(outcome=outcome, position=answer.position)


class Commit(NamedTuple):
    """One command's part in a transaction."""

    workspace_id: WorkspaceId
    span: Span
    rows: int
    """Of the whole transaction."""


def begun_in(units: Sequence[Unit]) -> Sequence[Commit]:
    """A span for each command of a transaction that is traced."""
    jobs = [unit.job for unit in units if unit.job is not None and unit.job.span is not None]
    if not jobs:
        return ()
    rows = sum(len(unit.rows) for unit in units)
    return [
        Commit(job.asked.workspace_id, job.span.child(spans.COMMIT), rows)
        for job in jobs
        if job.span is not None
    ]


def end_all(
    commits: Sequence[Commit], outcome: str, lost: Collection[WorkspaceId] = frozenset()
) -> None:
    """The transaction is over; in the workspaces that are ``lost`` nothing was written."""
    for workspace_id, span, rows in commits:
        span.end(outcome="conflict" if workspace_id in lost else outcome, rows=rows)
