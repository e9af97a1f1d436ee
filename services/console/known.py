"""The workspaces that the console has heard of, and the time zone of each."""

import time

import msgspec

from services.console.asking import Denied, Engine, Trouble
from shared.adapters.event_stream import STREAM
from shared.adapters.nats_bus import NotSent
from shared.ports import Message, NoResponders, Subscription
from shared.routing.commands import Refused
from shared.routing.settings_views import WorkspaceView
from shared.wire.subjects import EVENTS, HEADS, parse_head, parse_published

KNOWN_MAX = 10_000
ZONE_HOLDS_S = 60.0
ASK_AGAIN_S = 5.0
"""After nobody answered: pages must not wait for the router every time."""


STREAM_INFO = f"$JS.API.STREAM.INFO.{STREAM}"
LOOK_WITHIN_S = 2.0


class _State(msgspec.Struct, frozen=True):
    subjects: dict[str, int] = {}


class _Info(msgspec.Struct, frozen=True):
    """What the broker says about the stream of events, as far as it matters here."""

    state: _State


class Known:
    """Named by the settings, or heard of since the start: any change in one is a notice."""

    def __init__(self, engine: Engine, named: tuple[str, ...]) -> None:
        self._engine = engine
        self._names = dict.fromkeys(named)
        self._zones: dict[str, tuple[str, float]] = {}
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        self._subscription = await self._engine.bus.subscribe(HEADS, self._on_head)

    async def stop(self) -> None:
        if self._subscription is not None:
            await self._subscription.stop()

    async def look_around(self) -> None:
        """Hear of those of which the stream of events tells, as far back as it reaches."""
        body = msgspec.json.encode({"subjects_filter": EVENTS})
        try:
            told = await self._engine.bus.request(STREAM_INFO, body, timeout_s=LOOK_WITHIN_S)
            info = msgspec.json.decode(told.data, type=_Info)
        except (NoResponders, TimeoutError, ConnectionError, NotSent, msgspec.DecodeError):
            return  # the settings and the notices name some, too
        for subject in info.state.subjects:
            published = parse_published(subject)
            if not isinstance(published, Refused):
                self.add(published.workspace_id)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._names))

    def add(self, workspace_id: str) -> None:
        """It was asked about and exists."""
        if len(self._names) < KNOWN_MAX:
            self._names[workspace_id] = None

    def zone_heard(self, workspace_id: str) -> str:
        """The zone as last heard, without asking."""
        return self._zones.get(workspace_id, ("UTC", 0.0))[0]

    async def zone(self, workspace_id: str) -> str:
        """Its time zone, as last heard; ``UTC`` while nobody says. Raises ``Denied`` if there is
        no such workspace."""
        zone, until = self._zones.get(workspace_id, ("UTC", 0.0))
        if time.monotonic() < until:
            return zone
        try:
            told = await self._engine.ask(workspace_id, "workspace", WorkspaceView)
        except Denied as trouble:
            if trouble.reason.code == "unknown_workspace":
                raise
            self._keep(workspace_id, zone, ASK_AGAIN_S)
        except Trouble:
            zone = await self._zone_then(workspace_id, zone)
            self._keep(workspace_id, zone, ASK_AGAIN_S)
        else:
            zone = told.result.timezone
            self._keep(workspace_id, zone, ZONE_HOLDS_S)
            self.add(workspace_id)
        return zone

    async def _zone_then(self, workspace_id: str, zone: str) -> str:
        """From the past, where the router is not there."""
        try:
            told = await self._engine.audit(workspace_id, "workspace", WorkspaceView)
        except Trouble:
            return zone
        return told.result.timezone

    def _keep(self, workspace_id: str, zone: str, for_s: float) -> None:
        if len(self._zones) >= KNOWN_MAX:
            self._zones.clear()
        self._zones[workspace_id] = (zone, time.monotonic() + for_s)

    def _on_head(self, message: Message) -> None:
        head = parse_head(message.subject)
        if not isinstance(head, Refused):
            self.add(head.workspace_id)
