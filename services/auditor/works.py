"""What takes long: checking a whole log, and playing a stretch of it under other policies."""

from collections.abc import Mapping

import msgspec

from services.auditor.jobs import Progress, Work
from shared.audit.answers import JobName
from shared.audit.changes import Change, read_changes
from shared.audit.history import History
from shared.audit.simulating import PASSES, Simulation, simulate
from shared.audit.verifying import Verified, verify
from shared.ports.archive import Archive
from shared.routing.ids import Position
from shared.routing.questions import Question
from shared.wire.audit import AskSimulate, AskVerify, Moment

JOB_RESULTS: Mapping[JobName, type[msgspec.Struct]] = {
    "verify": Verified,
    "simulate": Simulation,
}
"""What stands in ``result`` of a job that is done."""


def works(archive: Archive) -> Mapping[type[Question], Work]:
    """Every question for a job, and what is to be done."""

    async def check(history: History, question: AskVerify, progress: Progress) -> Verified:
        until = None if question.until is None else Position(question.until)
        return await verify(archive, history.workspace_id, until=until, progress=progress)

    return {
        AskVerify: Work("verify", _upto, check),
        AskSimulate: Work("simulate", _played, _simulated),
    }


async def _upto(history: History, question: AskVerify) -> int:
    return await history.position_of(Moment(question.until))


async def _played(history: History, question: AskSimulate) -> int:
    """How many events are to be played, in all passes. Raises ``BadChange``, too."""
    _changes(question)
    first = await history.position_of(question.since)
    last = await history.position_of(question.until)
    return max(last - first, 0) * PASSES


async def _simulated(history: History, question: AskSimulate, progress: Progress) -> Simulation:
    return await simulate(
        history,
        question.since,
        question.until,
        _changes(question),
        lambda events, _total: progress(events),
    )


def _changes(question: AskSimulate) -> tuple[Change, ...]:
    return read_changes(msgspec.json.encode(question.changes))
