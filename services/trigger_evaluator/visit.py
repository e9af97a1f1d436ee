"""What is known of visits: which pages a visitor saw, since when, and where from.

A visit is one session of one visitor. It ends half an hour after its last page view. Nothing here
is stored: after a restart visits begin anew with the next view.
"""

from collections import OrderedDict
from typing import NamedTuple

import msgspec

from shared.routing.ids import EntryPointId, Position, RuleId, SessionId, VisitorId, WorkspaceId
from shared.routing.vocabulary import NotFired
from shared.wire.views import PageView

SESSION_MS = 30 * 60 * 1_000
VISITS_MAX = 100_000
"""Of all workspaces; beyond it the one of which nothing was seen for longest is forgotten. A visit
with two short pages takes 3 KB."""
BYTES_MAX = 256 * 1024 * 1024
"""Of what pages said about themselves, in all visits together."""
PAGES_KEPT = 3
"""Of each visit, for whoever asks why a rule did not fire."""
VIEWS_KEPT = 8
"""Of each visit, by their ids: one that comes again later than that counts as another one."""
VISITORS_MAX = 200_000
"""Whose visits are counted beyond their end."""

_AGAIN = "--again-"
"""A page that goes on with a session that is over begins a new one: ``s-1--again-2``."""
_ROOT_MAX = 48

Plain = str | int | float | bool | None


class VisitKey(NamedTuple):
    """``session_id`` is the one that the page gave."""

    workspace_id: WorkspaceId
    visitor_id: VisitorId
    session_id: SessionId


class Page(msgspec.Struct):
    """A view of a page, with all that was known of the visit by then. Times count on one clock."""

    view: str
    """Tells it from every other view of the visit."""
    entry_point_id: EntryPointId
    url: str
    title: str | None
    referrer: str | None
    language: str | None
    country: str | None
    device: str | None
    custom: dict[str, Plain]
    since_ms: int
    site_since_ms: int
    pages_seen: int
    visit_count: int
    returning: bool
    fired: dict[RuleId, Position] = {}
    """What this view made fire, at once or in time."""
    settled: dict[RuleId, None] = {}
    """The rules that had their turn: those that fired, and those that had nothing to change."""
    passed: dict[RuleId, NotFired] = {}
    """Why rules that held did not fire."""
    judged: bool = False
    """Whatever it made fire at once is in the log."""
    judged_ms: int = 0
    """When it was judged last."""


class Visit(msgspec.Struct):
    """One session. ``pages`` are the last ones by the moments at which they were looked at."""

    key: VisitKey
    session_id: SessionId
    """The page's, or one of its own if the page goes on with one that is over."""
    since_ms: int
    seen_ms: int
    visit_count: int
    returning: bool
    pages_seen: int = 0
    pages: list[Page] = []
    views: dict[str, Page] = {}
    """The last ones by their ids."""
    referrer: str | None = None
    language: str | None = None
    country: str | None = None
    device: str | None = None
    custom: dict[str, Plain] = {}
    weight: int = 0
    """Bytes of what it holds, about."""

    @property
    def page(self) -> Page:
        """The one that is being looked at."""
        return self.pages[-1]


class Tracked(NamedTuple):
    """A view and its visit; ``repeated`` if it had come before."""

    visit: Visit
    page: Page
    repeated: bool


class Visits:
    """The visits that are going on, of every workspace; the least recently seen comes first."""

    def __init__(
        self,
        *,
        session_ms: int = SESSION_MS,
        visits_max: int = VISITS_MAX,
        bytes_max: int = BYTES_MAX,
        visitors_max: int = VISITORS_MAX,
    ) -> None:
        self._session_ms = session_ms
        self._visits_max = visits_max
        self._bytes_max = bytes_max
        self._visitors_max = visitors_max
        self._visits: OrderedDict[VisitKey, Visit] = OrderedDict()
        self._by_workspace: dict[WorkspaceId, dict[VisitKey, None]] = {}
        self._counts: OrderedDict[tuple[WorkspaceId, VisitorId], int] = OrderedDict()
        self._ended: OrderedDict[VisitKey, int] = OrderedDict()
        """How many sessions under this name are over."""
        self.weight = 0
        """Bytes of all visits, about."""
        self.forgotten = 0
        """Visits that ended early for want of room."""

    def __len__(self) -> int:
        return len(self._visits)

    def get(self, key: VisitKey) -> Visit | None:
        return self._visits.get(key)

    def of(self, workspace_id: WorkspaceId) -> list[Visit]:
        """The visits to one workspace."""
        return [self._visits[key] for key in self._by_workspace.get(workspace_id, ())]

    def last_of(self, workspace_id: WorkspaceId, visitor_id: VisitorId) -> Visit | None:
        """The visit in which the visitor was seen last."""
        for key in reversed(self._visits):
            if key.visitor_id == visitor_id and key.workspace_id == workspace_id:
                return self._visits[key]
        return None

    def track(
        self,
        key: VisitKey,
        view: PageView,
        name: str,
        now_ms: int,
        *,
        known: bool = False,
        going_on: SessionId | None = None,
        ago_ms: int = 0,
    ) -> Tracked:
        """Take a view that came in at ``now_ms`` and was made ``ago_ms`` earlier.

        ``name`` tells it from other views; the same again is the same view. ``known``: the visitor
        has been here in an earlier session, whatever is remembered of it; ``going_on``: the session
        for which rules arranged something.
        """
        self.expire(now_ms)
        visit = self._visits.get(key)
        if visit is None:
            since_ms = now_ms - min(max(ago_ms, 0), self._session_ms)
            visit = self._begin(key, self._session_of(key, going_on), since_ms, known=known)
            visit.seen_ms = now_ms
        else:
            visit.seen_ms = now_ms
            self._visits.move_to_end(key)
        before = visit.views.get(name)
        if before is not None:
            return Tracked(visit, before, repeated=True)
        at_ms = max(now_ms - max(ago_ms, 0), visit.since_ms)
        page = _turn(visit, view, name, at_ms)
        self._weigh(visit)
        self._make_room()
        return Tracked(visit, page, repeated=False)

    def expire(self, now_ms: int) -> None:
        """Forget the visits that are over."""
        while self._visits:
            visit = next(iter(self._visits.values()))
            if now_ms - visit.seen_ms < self._session_ms:
                return
            self._drop_first()
            _, again, number = visit.session_id.rpartition(_AGAIN)
            self._ended[visit.key] = int(number) if again and number.isdecimal() else 1
            if len(self._ended) > self._visitors_max:
                self._ended.popitem(last=False)

    def _session_of(self, key: VisitKey, going_on: SessionId | None) -> SessionId:
        """The session that begins, or goes on since before this process started."""
        ended = self._ended.get(key, 0)
        if ended:
            return SessionId(f"{key.session_id[:_ROOT_MAX]}{_AGAIN}{ended + 1}")
        root = f"{key.session_id[:_ROOT_MAX]}{_AGAIN}"
        return going_on if going_on is not None and going_on.startswith(root) else key.session_id

    def _begin(self, key: VisitKey, session_id: SessionId, since_ms: int, *, known: bool) -> Visit:
        who = (key.workspace_id, key.visitor_id)
        count = self._counts.pop(who, 0) + 1
        self._counts[who] = count
        if len(self._counts) > self._visitors_max:
            self._counts.popitem(last=False)
        visit = Visit(key, session_id, since_ms, since_ms, count, known or count > 1)
        self._visits[key] = visit
        self._by_workspace.setdefault(key.workspace_id, {})[key] = None
        return visit

    def _weigh(self, visit: Visit) -> None:
        before = visit.weight
        visit.weight = sum(map(_weight, visit.views.values()))
        self.weight += visit.weight - before

    def _make_room(self) -> None:
        """At least the newest stays."""
        while len(self._visits) > 1 and (
            len(self._visits) > self._visits_max or self.weight > self._bytes_max
        ):
            self._drop_first()
            self.forgotten += 1

    def _drop_first(self) -> None:
        key, visit = self._visits.popitem(last=False)
        self.weight -= visit.weight
        others = self._by_workspace[key.workspace_id]
        del others[key]
        if not others:
            del self._by_workspace[key.workspace_id]


def _turn(visit: Visit, view: PageView, name: str, at_ms: int) -> Page:
    """The visitor turns to another page; what the view leaves out is as it was."""
    visit.pages_seen += 1
    visit.referrer = view.referrer or visit.referrer
    visit.language = view.language or visit.language
    visit.country = view.country or visit.country
    visit.device = view.device or visit.device
    if view.custom:
        visit.custom = {**visit.custom, **view.custom}
    page = Page(
        view=name,
        entry_point_id=view.entry_point_id,
        url=view.url,
        title=view.title,
        referrer=visit.referrer,
        language=visit.language,
        country=visit.country,
        device=visit.device,
        custom=visit.custom,
        since_ms=at_ms,
        site_since_ms=visit.since_ms,
        pages_seen=visit.pages_seen,
        visit_count=visit.visit_count,
        returning=visit.returning,
    )
    place = len(visit.pages)
    while place and visit.pages[place - 1].since_ms > at_ms:
        place -= 1
    visit.pages.insert(place, page)
    del visit.pages[:-PAGES_KEPT]
    visit.views[name] = page
    if len(visit.views) > VIEWS_KEPT:
        del visit.views[next(iter(visit.views))]
    return page


def _weight(page: Page) -> int:
    texts = (
        page.view,
        page.url,
        page.title,
        page.referrer,
        page.language,
        page.country,
        page.device,
    )
    custom = sum(len(name) + len(str(value)) for name, value in page.custom.items())
    return sum(len(text) for text in texts if text) + custom
