"""What takes long: checking a whole log."""

from collections.abc import Mapping

import msgspec

from services.auditor.jobs import Progress, Work
from shared.audit.answers import JobName
from shared.audit.history import History
from shared.audit.verifying import Verified, verify
from shared.ports.archive import Archive
from shared.routing.ids import Position
from shared.routing.questions import Question
from shared.wire.audit import AskVerify, Moment

JOB_RESULTS: Mapping[JobName, type[msgspec.Struct]] = {"verify": Verified}
"""What stands in ``result`` of a job that is done."""


def works(archive: Archive) -> Mapping[type[Question], Work]:
    """Every question for a job, and what is to be done."""

    async def check(history: History, question: AskVerify, progress: Progress) -> Verified:
        until = None if question.until is None else Position(question.until)
        return await verify(archive, history.workspace_id, until=until, progress=progress)

    return {AskVerify: Work("verify", _upto, check)}


async def _upto(history: History, question: AskVerify) -> int:
    return await history.position_of(Moment(question.until))
