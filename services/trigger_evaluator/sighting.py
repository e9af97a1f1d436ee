"""What the conditions of rules look at: a page, the time that has passed, and who is online."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.trigger_evaluator.addresses import Address, address_of
from services.trigger_evaluator.visit import Page, Plain
from shared.routing.ids import EntryPointId, GroupId, UnixMs

DAY_MINUTES = 24 * 60


class Surroundings(NamedTuple):
    """What is true of the workspace, whoever visits it."""

    zone: ZoneInfo
    open: Mapping[EntryPointId, bool]
    """Whether each entry point's hours are open."""
    online: int
    """Operators who may answer and are effective online; bots do not count."""
    online_in: Mapping[GroupId, int]


class Now(NamedTuple):
    """One moment on both clocks: the wall's, and the one that page views are timed by."""

    wall_ms: UnixMs
    elapsed_ms: int


class Sighting:
    """A page at a moment. Texts are compared folded, and folded once."""

    __slots__ = ("_folded", "_parameters", "address", "around", "now", "page")

    def __init__(self, page: Page, now: Now, around: Surroundings) -> None:
        self.page = page
        self.now = now
        self.around = around
        self.address: Address = address_of(page.url)
        self._folded: dict[str, str] = {}
        self._parameters: dict[str, str] | None = None

    @property
    def on_page_s(self) -> int:
        return (self.now.elapsed_ms - self.page.since_ms) // 1_000

    @property
    def on_site_s(self) -> int:
        return (self.now.elapsed_ms - self.page.site_since_ms) // 1_000

    @property
    def minute(self) -> int:
        """Of the day, where the workspace is."""
        local = local_time(self.now.wall_ms, self.around.zone)
        return local.hour * 60 + local.minute

    @property
    def parameters(self) -> dict[str, str]:
        """Those of the page's address."""
        if self._parameters is None:
            self._parameters = self.address.parameters()
        return self._parameters

    def folded(self, name: str, text: str) -> str:
        """``text``, which is what ``name`` says, as it is compared."""
        found = self._folded.get(name)
        if found is None:
            found = self._folded[name] = text.casefold()
        return found


def local_time(wall_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(wall_ms // 1_000, UTC).astimezone(zone)


Getter = Callable[[Sighting], Plain]
"""The value of a field; none if it is not known."""


def getter_of(field: str) -> Getter | None:
    """How to look at a field; none if there is no such field."""
    found = _GETTERS.get(field)
    if found is not None:
        return found
    family, dot, name = field.partition(".")
    if not dot or not name:
        return None
    match family:
        case "url_query":
            return lambda sighting: sighting.parameters.get(name)
        case "custom":
            return lambda sighting: sighting.page.custom.get(name)
        case "operators_online":
            return lambda sighting: sighting.around.online_in.get(GroupId(name))
        case _:
            return None


def _clock(sighting: Sighting) -> str:
    minute = sighting.minute
    return f"{minute // 60:02}:{minute % 60:02}"


def _referrer(sighting: Sighting) -> str | None:
    referrer = sighting.page.referrer
    return address_of(referrer).text if referrer else None


_GETTERS: dict[str, Getter] = {
    "current_url": lambda sighting: sighting.address.text,
    "url_host": lambda sighting: sighting.address.host or None,
    "url_path": lambda sighting: sighting.address.path or None,
    "title": lambda sighting: sighting.page.title,
    "referrer": _referrer,
    "time_on_page_s": lambda sighting: sighting.on_page_s,
    "time_on_site_s": lambda sighting: sighting.on_site_s,
    "pages_seen": lambda sighting: sighting.page.pages_seen,
    "visit_count": lambda sighting: sighting.page.visit_count,
    "returning": lambda sighting: sighting.page.returning,
    "country": lambda sighting: sighting.page.country,
    "language": lambda sighting: sighting.page.language,
    "device": lambda sighting: sighting.page.device,
    "entry_point": lambda sighting: sighting.page.entry_point_id,
    "local_time": _clock,
    "open_hours": lambda sighting: sighting.around.open.get(sighting.page.entry_point_id),
    "operators_online": lambda sighting: sighting.around.online,
}
