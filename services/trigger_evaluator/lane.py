"""The line of one workspace's views: in their order, bounded, one at a time for each visitor."""

from collections import deque

import msgspec

from services.trigger_evaluator.sighting import Now
from services.trigger_evaluator.visit import Page, VisitKey
from shared.routing.ids import Position, VisitorId
from shared.wire.views import PageView

VIEWS_MAX = 8_192
"""Views of one workspace that may wait; beyond it the oldest that nobody waits for is dropped."""


class Job(msgspec.Struct, eq=False):
    """A view that came in, or a moment at which the page that a visitor is on is judged again."""

    key: VisitKey
    received: Now
    noticed: Position
    """The log is to be known as far as this before it is judged."""
    view: PageView | None = None
    page: Page | None = None
    """For a moment: the page it is about."""
    name: str = ""
    """Tells the view from all others."""
    reply: str = ""
    again: bool = False
    """It was taken when somebody else was on duty."""
    dropped: bool = False


class Lane:
    """Jobs that wait. Those taken out are one visitor's at most, until that one is ``done``."""

    def __init__(self, *, views_max: int = VIEWS_MAX) -> None:
        self._views_max = views_max
        self._line: deque[Job] = deque()
        self._plain: deque[Job] = deque()
        """Those in the line that nobody waits for an answer to."""
        self._behind: dict[VisitorId, deque[Job]] = {}
        """By visitors who are being served, what came since."""
        self.waiting = 0
        self.dropped = 0

    def add(self, job: Job) -> bool:
        """Put it at the end; false if there is no room even without the oldest plain one."""
        if job.view is not None:
            if self.waiting >= self._views_max and not self._drop_oldest():
                self.dropped += not job.reply
                return False
            self.waiting += 1
            if not job.reply:
                self._plain.append(job)
        self._line.append(job)
        return True

    def take(self) -> Job | None:
        """The next job whose visitor is not being served; none if nothing can be done now."""
        while self._line:
            job = self._line.popleft()
            if job.dropped:
                continue
            if job.view is not None and not job.reply:
                self._plain.popleft()
            behind = self._behind.get(job.key.visitor_id)
            if behind is None:
                self._leaves(job)
                return job
            behind.append(job)
        return None

    def serve(self, visitor_id: VisitorId) -> None:
        """Keep what comes of this visitor back until ``next_of`` says that there is no more."""
        self._behind[visitor_id] = deque()

    def next_of(self, visitor_id: VisitorId) -> Job | None:
        """What came of the visitor meanwhile; with none it is not being served any more."""
        behind = self._behind[visitor_id]
        if not behind:
            del self._behind[visitor_id]
            return None
        job = behind.popleft()
        self._leaves(job)
        return job

    def _leaves(self, job: Job) -> None:
        if job.view is not None:
            self.waiting -= 1

    def _drop_oldest(self) -> bool:
        if not self._plain:
            return False
        oldest = self._plain.popleft()
        oldest.dropped = True
        oldest.view = None
        self.waiting -= 1
        self.dropped += 1
        return True
