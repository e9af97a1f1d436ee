"""Telling the router what offices have to report, until it has answered or it is true no more."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from services.presence.office import Now, Office
from services.presence.reports import Report, Subject
from shared.adapters.nats_bus import NotSent
from shared.ports import NoResponders
from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.runtime.reporting import Reporting
from shared.runtime.tasks import Tasks
from shared.wire.replies import read_reply
from shared.wire.subjects import Call

log = structlog.get_logger()

AT_ONCE = 64
"""Reports of one workspace under way."""
ANSWER_WITHIN_S = 5.0
PAUSE_S, PAUSE_MAX_S = 0.1, 3.0
"""Between two tries, doubled from the one to the other."""
UNSTEADY_PAUSE_S = 0.2

_LATER = frozenset({"expired", "overloaded", "unavailable"})
"""Refusals that say nothing about the report."""


class Sending:
    """Sends for each workspace by itself, so that trouble with one delays no other."""

    def __init__(
        self,
        reporting: Reporting,
        tasks: Tasks,
        now: Callable[[], Now],
        steady: Callable[[], bool],
    ) -> None:
        self._reporting = reporting
        self._tasks = tasks
        self._now = now
        self._steady = steady
        self._busy: set[WorkspaceId] = set()

    def see_to(self, office: Office) -> None:
        """Have everything reported that is on its agenda."""
        if office.agenda and office.workspace_id not in self._busy:
            self._busy.add(office.workspace_id)
            self._tasks.start(self._report(office), f"report {office.workspace_id}")

    async def _report(self, office: Office) -> None:
        try:
            pause_s = PAUSE_S
            while office.may_go_on():
                if not self._steady():
                    await asyncio.sleep(UNSTEADY_PAUSE_S)
                    continue
                batch = office.reports(self._now(), AT_ONCE)
                failures = await asyncio.gather(*(self._tell(office, *told) for told in batch))
                reasons = [reason for reason in failures if reason is not None]
                if reasons:
                    workspace, reason = office.workspace_id, reasons[0]
                    log.warning(
                        "not_reported", workspace=workspace, reports=len(reasons), reason=reason
                    )
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, PAUSE_MAX_S)
                else:
                    pause_s = PAUSE_S
                    await asyncio.sleep(0)
        finally:
            self._busy.discard(office.workspace_id)

    async def _tell(
        self, office: Office, subject: Subject, report: Report
    ) -> str | Exception | None:
        """Why nothing is known of the report; none if it was answered."""
        call = Call("cmd", office.workspace_id, "service", "presence", report.command)
        try:
            message = await self._reporting.report(
                call, report.body, report.command_id, within_s=ANSWER_WITHIN_S
            )
            answer = read_reply(message.data)
        except (NoResponders, TimeoutError, NotSent, PermissionError, msgspec.DecodeError) as error:
            office.put((subject,))
            return error
        if isinstance(answer, Refused):
            if answer.code in _LATER:
                office.put((subject,))
                return answer.code
            log.warning(
                "report_refused",
                workspace=office.workspace_id,
                command=report.command,
                code=answer.code,
            )
        office.answered(subject, report, self._now(), refused=isinstance(answer, Refused))
        return None
